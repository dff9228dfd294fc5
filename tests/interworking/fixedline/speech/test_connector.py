"""Texts read out over SIP and RTP on loopback, by an engine that hums."""

import asyncio
import sys
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import numpy as np
import pytest

from opencpm.domain.address import Address
from opencpm.domain.delivery import OutcomeKind
from opencpm.domain.errors import Reason
from opencpm.domain.profile import HealthState
from opencpm.interworking.fixedline.speech import build
from opencpm.lab.line import LabExchange, Manner
from tests.interworking.fixedline.support import LineInbox, context, delivery, eventually, failed

PEOPLE = Address("tel", "+442079460156")
ENGINE = """#!{python}
import sys, wave, numpy as np
text = sys.stdin.read()
with wave.open(sys.stdout.buffer, "wb") as file:
    file.setnchannels(1); file.setsampwidth(2); file.setframerate(22050)
    hum = np.sin(np.arange(int(22050 * 0.02 * len(text))) * 0.15) * 9000
    file.writeframes(hum.astype("<i2").tobytes())
"""


@pytest.fixture
def engine(tmp_path: Path) -> str:
    program = tmp_path / "hum"
    program.write_text(ENGINE.format(python=sys.executable))
    program.chmod(0o755)
    return str(program)


class Rig:
    def __init__(self, exchange, connector, inbox):
        self.exchange, self.connector, self.inbox = exchange, connector, inbox

    async def outcome(self, *sent):
        self.connector.send(sent)
        await self.inbox.until(lambda: self.inbox.outcomes, 40)
        return self.inbox.outcomes[0]


@asynccontextmanager
async def rig(engine, **settings):
    async with LabExchange() as exchange:
        host, port = exchange.address
        base = {"type": "speech", "host": host, "port": port, "listen_port": 0, "number": "+442079460190"}
        hours = {"from_hour": 0, "to_hour": 24}
        connector = build({**base, **hours, "program": engine, **settings}, context())
        inbox = LineInbox()
        task = asyncio.create_task(connector.run(inbox))
        await eventually(lambda: connector._phone is not None)
        try:
            yield Rig(exchange, connector, inbox)
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def test_a_text_is_read_to_whoever_answers(engine):
    async with rig(engine) as r:
        r.exchange.line(PEOPLE.value, Manner.SILENT)
        outcome = await r.outcome(delivery("Dinner is ready", target=PEOPLE))
        assert (outcome.kind, outcome.source) == (OutcomeKind.ACCEPTED, "read out to whoever answered")
        heard = r.exchange.log.calls[-1].heard()
        assert np.count_nonzero(np.abs(heard) > 3000) > 4000


async def test_who_presses_a_key_has_heard_it(engine):
    async with rig(engine) as r:
        r.exchange.line(PEOPLE.value, Manner.PRESSES)
        outcome = await r.outcome(delivery("Dinner is ready", target=PEOPLE))
        assert (outcome.kind, outcome.source) == (OutcomeKind.DELIVERED, "read out to a person, who pressed a key")
        assert "read 3 times" in outcome.detail


async def test_who_hangs_up_before_the_end_is_called_again(engine):
    async with rig(engine) as r:
        r.exchange.line(PEOPLE.value, Manner.SILENT)
        r.connector.send([delivery("a long story " * 30, target=PEOPLE)])
        await eventually(lambda: len(r.exchange.log) and r.exchange.log.calls[-1].samples > 8000, 20)
        (call,) = list(r.exchange.phone.agent._dialogs.values())
        r.exchange.phone.hang_up(call)
        await r.inbox.until(lambda: r.inbox.outcomes)
        failed(r.inbox.outcomes[0], Reason.NO_ANSWER, True)


@pytest.mark.parametrize(
    ("manner", "reason", "retryable"),
    [(Manner.BUSY, Reason.BUSY, True), (Manner.GONE, Reason.UNKNOWN_ADDRESS, False)],
)
async def test_lines_that_are_not_answered(engine, manner, reason, retryable):
    async with rig(engine) as r:
        r.exchange.line(PEOPLE.value, manner)
        failed(await r.outcome(delivery(target=PEOPLE)), reason, retryable)


async def test_a_line_that_rings_too_long(engine):
    async with rig(engine, ring_timeout=0.2) as r:
        r.exchange.line(PEOPLE.value, Manner.NO_ANSWER)
        failed(await r.outcome(delivery(target=PEOPLE)), Reason.NO_ANSWER, True)


async def test_at_night_nobody_is_called(engine):
    async with rig(engine, from_hour=23, to_hour=23) as r:
        error = failed(await r.outcome(delivery(target=PEOPLE)), Reason.UNREACHABLE, True)
        assert 0 < error.retry_after <= 24 * 3600
        assert not len(r.exchange.log)


async def test_without_an_engine_the_network_is_down():
    async with rig("no-such-engine-here") as r:
        await eventually(lambda: "not installed" in r.connector.health().detail)
        assert r.connector.health().state is HealthState.DOWN
        failed(await r.outcome(delivery(target=PEOPLE)), Reason.NETWORK_DOWN, True)


async def test_an_engine_that_fails(tmp_path):
    program = tmp_path / "broken"
    program.write_text("#!/bin/sh\nexit 3\n")
    program.chmod(0o755)
    async with rig(str(program)) as r:
        error = failed(await r.outcome(delivery(target=PEOPLE)), Reason.INTERNAL, True)
        assert "status 3" in error.code


async def test_several_texts_one_after_the_other(engine):
    async with rig(engine, calls=1, repeats=1) as r:
        r.exchange.line(PEOPLE.value, Manner.SILENT)
        r.connector.send([delivery("one", id="a", target=PEOPLE), delivery("two", id="b", target=PEOPLE)])
        await r.inbox.until(lambda: len(r.inbox.outcomes) == 2, 40)
        assert {outcome.kind for outcome in r.inbox.outcomes} == {OutcomeKind.ACCEPTED}
        assert r.connector.describe()["counters"] == {"accepted": 2}
