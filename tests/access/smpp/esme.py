"""An ESME made of our own session machine, for tests that need to say exactly what goes over the wire."""

import asyncio
from contextlib import asynccontextmanager

from opencpm.protocols.smpp import pdu
from opencpm.protocols.smpp.binding import Bind, Timers
from opencpm.protocols.smpp.command import Command
from opencpm.protocols.smpp.events import Answered, BindRefused, Bound, Closed, Received, Unanswered
from opencpm.protocols.smpp.receipt import parse_receipt
from opencpm.protocols.smpp.session import Session
from opencpm.protocols.smpp.short_message import ShortMessage
from opencpm.transport.link import dial

PATIENCE = 10.0


class Esme:
    """``taken``: short messages delivered; ``verdict``: the status it answers them with (None: not at all)."""

    def __init__(self):
        self.taken, self.events, self.verdict = [], [], 0
        self.pdus = []
        self.closed = False
        self._news = asyncio.Event()
        self._session = self._link = None

    @property
    def texts(self):
        return [sm for sm in self.taken if not sm.esm_class & 0x3C]

    @property
    def receipts(self):
        """(esm_class, id, state) of each."""
        found = [(sm.esm_class, parse_receipt(sm)) for sm in self.taken if sm.esm_class & 0x3C]
        return [(kind, receipt.message_id, receipt.state.name) for kind, receipt in found]

    async def connect(self, address, bind, tls=None):
        now = asyncio.get_running_loop().time()
        self._session = _Recorded(now, bind=bind, window=1000, timers=Timers(enquire_link=0.0))
        self._session.pdus, self._session.news = self.pdus, self._news
        self._link = await dial(self._session, *address, on_events=self._heard, on_lost=self._lost, tls=tls)
        await self.until(lambda: self.closed or any(isinstance(e, Bound | BindRefused) for e in self.events))

    @property
    def refused(self):
        return next((event.status for event in self.events if isinstance(event, BindRefused)), 0)

    def _heard(self, link, events):
        for event in events:
            self.events.append(event)
            if isinstance(event, Received):
                self.taken.append(event.message)
                if self.verdict is not None:
                    self._session.respond(event, self.verdict)
            elif isinstance(event, Answered | Unanswered):
                event.context.set_result((getattr(event, "status", None), getattr(event, "message_id", "")))
            elif isinstance(event, Closed):
                self.closed = True
        self._news.set()

    def _lost(self, link, error):
        self.closed = True
        for event in self._session.lost():
            event.context.set_result((None, ""))
        self._news.set()

    def start(self, sm, command=Command.SUBMIT_SM):
        """Submit; a future of (status, message_id)."""
        answer = asyncio.get_running_loop().create_future()
        self._session.submit(sm, answer, asyncio.get_running_loop().time(), command)
        self._link.wake()
        return answer

    async def submit(self, sm, command=Command.SUBMIT_SM):
        async with asyncio.timeout(PATIENCE):
            return await self.start(sm, command)

    async def request(self, command, **body):
        """Any other request; the response PDU."""
        answer = asyncio.get_running_loop().create_future()
        sequence = self._session.request(command, body, answer, asyncio.get_running_loop().time())
        self._link.wake()
        async with asyncio.timeout(PATIENCE):
            await answer
        return next(one for one in self.pdus if one.sequence == sequence and one.command & 0x80000000)

    def write(self, octets):
        """Anything at all."""
        self._link._transport.write(octets)

    async def until(self, true, patience=PATIENCE):
        async with asyncio.timeout(patience):
            while not (found := true()):
                self._news.clear()
                await self._news.wait()
        return found

    async def leave(self):
        if not self.closed:
            self._session.unbind(asyncio.get_running_loop().time())
            self._link.wake()
            await self.until(lambda: self.closed)

    def abort(self):
        self._link.abort()


class _Recorded(Session):
    """Keeps the PDUs that came."""

    def receive(self, data, now):
        events = super().receive(data, now)
        self.news.set()
        return events

    def _take_frame(self, frame, now, events):
        self.pdus.append(pdu.decode(frame))
        super()._take_frame(frame, now, events)


@asynccontextmanager
async def bound(address, system_id, password, command=Command.BIND_TRANSCEIVER, version=0x34, tls=None):
    esme = Esme()
    await esme.connect(address, Bind(system_id=system_id, password=password, command=command, version=version), tls)
    try:
        yield esme
    finally:
        if not esme.closed:
            esme.abort()


def sm(text, to, sender="", **more):
    """A short message in GSM 7-bit between numbers."""
    values = {"source_ton": 1 if sender.startswith("+") else 0, "source_npi": 1, "destination_npi": 1}
    values["destination_ton"] = 1 if to.startswith("+") else 0
    octets = text if isinstance(text, bytes) else text.encode()
    return ShortMessage(sender.lstrip("+"), to.lstrip("+"), octets, **{**values, **more})
