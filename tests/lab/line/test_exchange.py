"""Lines that call each other through the exchange, without our server: a handset and a foreign centre."""

from contextlib import asynccontextmanager

import numpy as np
import pytest

from opencpm.lab.line import LabExchange, Manner
from opencpm.lab.line.audio import Spoiler, sound_of
from opencpm.lab.line.faults import Faults
from opencpm.lab.line.log import CallLog, CallRecord
from opencpm.protocols.fsk.hearing import Hearing

CENTRE, BOB = "+442079460199", "+442079460155"


@asynccontextmanager
async def town(**options):
    """The exchange is its own far end: a centre on one line, a handset on another."""
    async with LabExchange() as exchange:
        exchange.connect(exchange.address)
        yield exchange, exchange.centre(CENTRE), exchange.handset(BOB, CENTRE, **options)


async def test_a_handset_gets_and_sends():
    async with town() as (exchange, centre, handset):
        told = await centre.wait(centre.deliver("hello", "+442079460100", BOB))
        assert told.status == "delivered"
        text = await handset.wait_text(0)
        assert (text.text, text.sender) == ("hello", "+442079460100")
        sent = await handset.wait_sent(handset.reply("hi"))
        assert sent.status == "accepted"
        assert (await centre.wait_taken(0)).text == "hi"
        assert {call.end for call in exchange.log} <= {"released", "hung up", ""}


async def test_every_call_is_on_record_with_its_sound():
    async with town() as (exchange, centre, _handset):
        await centre.wait(centre.deliver("hello", "+442079460100", BOB))
        record = exchange.log.of(BOB)[0]
        assert record.frames[0] == "line: 93006d"
        assert np.abs(record.said()).max() > 4000
        assert np.abs(record.heard()).max() > 4000
        assert record.seconds > 0.5


@pytest.mark.parametrize(
    ("fault", "status"), [({"refuse": 1}, "refused"), ({"hang_up": 1}, "failed"), ({"gateway": 503}, "failed")]
)
async def test_faults(fault, status):
    async with town() as (exchange, centre, _handset):
        for name, value in fault.items():
            setattr(exchange.faults, name, value)
        told = await centre.wait(centre.deliver("hello", "+442079460100", BOB))
        assert told.status == status
        exchange.faults.clear()
        assert exchange.faults == Faults()


async def test_a_busy_line_and_one_that_is_not_there():
    async with town() as (exchange, centre, _handset):
        exchange.faults.busy.add(BOB)
        assert (await centre.wait(centre.deliver("x", "1", BOB))).status == "failed"
        assert (await centre.wait(centre.deliver("x", "1", "+442079460111"))).status == "failed"
        assert [call.end[:3] for call in exchange.log] == ["486", "404"]


def test_what_lines_sound_like():
    for manner, words in (
        (Manner.VOICE, "a voice or music"),
        (Manner.SILENT, "silence"),
        (Manner.FAX, "the answer tone of a fax machine or a modem"),
    ):
        hearing = Hearing()
        sound = sound_of(manner)
        for at in range(0, 32000, 160):
            hearing.feed(sound[at : at + 160])
        assert hearing.verdict() == words


def test_the_spoiler_hits_one_packet_of_a_frame():
    faults = Faults(spoil_heard=1)
    spoiler = Spoiler(faults, "spoil_heard")
    loud = np.full(160, 3000, np.int16)
    passed = [bool(spoiler.pass_on(loud).any()) for _ in range(20)]
    assert passed.count(False) == 1
    assert faults.spoil_heard == 0
    faults.noise = 100.0
    assert np.std(spoiler.pass_on(np.zeros(160, np.int16))) == pytest.approx(100, rel=0.3)
    faults.lose = 1.0
    faults.noise = 0.0
    assert not spoiler.pass_on(loud).any()


def test_the_log_keeps_the_sound_of_the_last_calls_only():
    log = CallLog()
    for at in range(30):
        record = log.begin(CallRecord(float(at), "1", "2", "1"))
        record.keep(np.ones(160, np.int16), None)
    assert len(log) == 30
    assert sum(len(call.heard()) > 0 for call in log) == 20


async def test_loopback_only():
    with pytest.raises(ValueError, match="loopback"):
        LabExchange("0.0.0.0")
