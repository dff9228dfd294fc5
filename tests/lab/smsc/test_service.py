"""The centre, driven by an ESME made of the same protocol code (an independent one is in tests/interop)."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from opencpm.lab.smsc import Coverage, LabSmsc, ReceiptStyle
from opencpm.protocols.smpp.binding import Bind
from opencpm.protocols.smpp.command import Command
from opencpm.protocols.smpp.events import Answered, BindRefused, Bound, Closed, Received, Unanswered
from opencpm.protocols.smpp.receipt import State, parse_receipt
from opencpm.protocols.smpp.session import Session
from opencpm.protocols.smpp.short_message import ShortMessage
from opencpm.transport.link import dial

BOB = "+12025550101"
SM = ShortMessage("12025550100", BOB[1:], b"Hello", registered_delivery=1)


class Esme:
    def __init__(self):
        self.events = []
        self.news = asyncio.Event()
        self.status = 0

    async def connect(self, smsc, **bind):
        self.loop = asyncio.get_running_loop()
        session = Session(self.loop.time(), bind=Bind(system_id="cpm", **bind))
        self.link = await dial(session, *smsc.address, on_events=self._heard, on_lost=lambda *_: self.news.set())
        self.session = session
        await self.of(Bound, BindRefused)
        return self

    def _heard(self, link, events):
        self.events += events
        for event in events:
            if isinstance(event, Received):
                link.machine.respond(event, self.status)
        self.news.set()

    def submit(self, sm=SM, **context):
        self.session.submit(sm, context.get("name"), self.loop.time())
        self.link.wake()

    async def of(self, *kinds, count=1):
        async with asyncio.timeout(10):
            while len(found := [e for e in self.events if isinstance(e, kinds)]) < count:
                self.news.clear()
                await self.news.wait()
        return found

    async def receipts(self, count=1):
        return [parse_receipt(e.message) for e in await self.of(Received, count=count)]


@asynccontextmanager
async def pair(**settings):
    async with LabSmsc(**settings) as smsc:
        esme = await Esme().connect(smsc)
        yield smsc, esme
        esme.link.abort()


async def test_submit_response_text_and_receipt():
    async with pair() as (smsc, esme):
        bob = smsc.handset(BOB)
        esme.submit()
        (answer,) = await esme.of(Answered)
        (receipt,) = await esme.receipts()
        assert (answer.status, receipt.message_id) == (0, answer.message_id)
        assert receipt.state is State.DELIVERED
        assert [t.text for t in bob.texts] == ["Hello"]
        names = [line.name for line in smsc.log]
        assert names[:4] == ["bind_transceiver", "bind_transceiver_resp", "submit_sm", "submit_sm_resp"]
        decoded = smsc.log.of("submit_sm")[0].decoded()
        assert decoded["destination_addr"] == BOB[1:]
        assert (decoded["short_message"], decoded["text"]) == (b"Hello".hex(), "Hello")
        assert "password" not in smsc.log.of("bind_transceiver")[0].decoded()


async def test_dialects():
    style = ReceiptStyle(response="hex", receipt="decimal", early=True, enroute=True, tlvs=True)
    async with pair(style=style) as (_, esme):
        esme.submit()
        receipts = await esme.receipts(2)
        (answer,) = await esme.of(Answered)
        assert [r.state for r in receipts] == [State.ENROUTE, State.DELIVERED]
        assert int(receipts[0].message_id) == int(answer.message_id, 16)
        kinds = [type(e) for e in esme.events if not isinstance(e, Bound)]
        assert kinds == [Received, Received, Answered]


async def test_accounts():
    async with LabSmsc(accounts={"cpm": "right"}) as smsc:
        refused = await Esme().connect(smsc, password="wrong")
        assert isinstance(refused.events[0], BindRefused)
        accepted = await Esme().connect(smsc, password="right")
        assert isinstance(accepted.events[0], Bound)
        await smsc.wait_bound()
        accepted.link.abort()


async def test_faults():
    async with pair() as (smsc, esme):
        smsc.faults.throttle, smsc.faults.queue_full = 1, 1
        smsc.refuse("+1", 0x0B)
        for number in (BOB, BOB, "+1"):
            esme.submit(SM._replace(destination=number[1:]))
        assert [e.status for e in await esme.of(Answered, count=3)] == [0x58, 0x14, 0x0B]
        smsc.faults.clear()
        smsc.undeliverable(BOB)
        esme.submit()
        assert (await esme.receipts())[0].state is State.UNDELIVERABLE


async def test_delayed_responses():
    async with pair() as (smsc, esme):
        smsc.faults.delay = 0.05
        begin = esme.loop.time()
        esme.submit()
        await esme.of(Answered)
        assert esme.loop.time() - begin >= 0.045


async def test_coverage():
    async with pair() as (smsc, esme):
        bob = smsc.handset(BOB)
        bob.coverage = Coverage.OFF
        esme.submit()
        await esme.of(Answered)
        assert not bob.texts
        bob.coverage = Coverage.ON
        assert (await esme.receipts())[0].state is State.DELIVERED
        bob.coverage = Coverage.ABSENT
        esme.submit()
        assert (await esme.receipts(2))[1].state is State.UNDELIVERABLE


async def test_a_long_text_from_a_handset():
    async with pair(window=1) as (smsc, esme):
        sent = smsc.handset(BOB).send("x" * 400, to="60606")
        received = await esme.of(Received, count=3)
        await smsc.happenings.until(lambda: sent.status == "accepted")
        assert [e.message.message[5] for e in received] == [1, 2, 3]


async def test_a_text_waits_for_an_esme_and_comes_again_when_it_was_not_taken():
    async with LabSmsc() as smsc:
        sent = smsc.handset(BOB).send("hello", to="60606")
        esme = await Esme().connect(smsc)
        esme.status = 0x64
        await esme.of(Received)
        esme.status = 0
        await esme.of(Received, count=2)
        await smsc.happenings.until(lambda: sent.status == "accepted")
        esme.link.abort()


async def test_down_and_up_on_the_same_port():
    async with pair() as (smsc, _):
        where = smsc.address
        await smsc.down()
        with pytest.raises(OSError):
            await asyncio.open_connection(*where)
        await smsc.up()
        assert smsc.address == where
        again = await Esme().connect(smsc)
        again.link.abort()


async def test_no_response():
    async with pair() as (smsc, esme):
        smsc.faults.no_response = 1
        esme.submit()
        esme.submit()
        assert len(await esme.of(Answered)) == 1
        assert esme.session.unanswered == 1


async def test_query():
    async with pair() as (_, esme):
        esme.submit()
        (answer,) = await esme.of(Answered)
        esme.session.request(Command.QUERY_SM, {"message_id": answer.message_id}, "q", esme.loop.time())
        esme.session.request(Command.QUERY_SM, {"message_id": "no such"}, "q", esme.loop.time())
        esme.session.request(Command.CANCEL_SM, {"message_id": "1"}, "q", esme.loop.time())
        esme.link.wake()
        assert [e.status for e in (await esme.of(Answered, count=4))[1:]] == [0, 0x67, 0x11]


async def test_what_waits_for_a_phone_is_taken_back_or_replaced():
    async with pair() as (smsc, esme):
        phone = smsc.handset(BOB)
        phone.coverage = Coverage.OFF
        esme.submit()
        esme.submit()
        first, second = await esme.of(Answered, count=2)
        ask = esme.session.request
        ask(Command.CANCEL_SM, {"message_id": first.message_id, "source_addr": "999"}, "q", esme.loop.time())
        ask(Command.CANCEL_SM, {"message_id": first.message_id}, "q", esme.loop.time())
        ask(Command.REPLACE_SM, {"message_id": second.message_id, "short_message": b"new"}, "q", esme.loop.time())
        ask(Command.REPLACE_SM, {"message_id": first.message_id, "short_message": b"new"}, "q", esme.loop.time())
        esme.link.wake()
        assert [e.status for e in (await esme.of(Answered, count=6))[2:]] == [0x11, 0, 0, 0x13]
        assert smsc.states[first.message_id] is State.DELETED
        phone.coverage = Coverage.ON
        assert [text.text for text in phone.texts] == ["new"]


async def test_happenings_are_told():
    heard = []
    async with pair() as (smsc, esme):
        stop = smsc.subscribe(heard.append)
        smsc.handset(BOB)
        esme.submit()
        await esme.receipts()
        stop()
        assert [h.what for h in heard] == ["text", "receipt"]


async def test_unbinding():
    async with pair() as (smsc, esme):
        esme.session.unbind(esme.loop.time())
        esme.link.wake()
        await esme.of(Closed)
        await smsc.happenings.until(lambda: not smsc.bound)
        assert not [e for e in esme.events if isinstance(e, Unanswered)]


def test_loopback_only():
    with pytest.raises(ValueError):
        LabSmsc("0.0.0.0")
