"""The SIP access with sessions, and devices that invite, answer and speak MSRP over real sockets."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

from opencpm.access.sip import SipConnector
from opencpm.access.sip.session import Sessions, build_sessions
from opencpm.domain.delivery import Delivery, Outcome
from opencpm.domain.errors import SendError
from opencpm.domain.message import Message, MessageKind
from opencpm.domain.report import Report
from opencpm.domain.session import CloseReason, Composing, SessionOffer
from opencpm.interfaces import NOTHING, Context, Done, Leg, LegEvents
from opencpm.protocols import cpim, sdp
from opencpm.protocols.msrp.message import Frame, Parser, request, response
from opencpm.protocols.msrp.uri import parse_uri
from opencpm.protocols.sip.message import Message as Sip
from opencpm.protocols.sip.message import encode_request, parse
from opencpm.protocols.sip.response import encode_response
from tests.access.sip.rig import ALICE, BOB, DOMAIN, RCS, Device, InboxLog, Rig, delivery

__all__ = ["BOB_URI", "EventsLog", "Media", "SessionDevice", "chat", "cpim_text", "offer_to_bob", "running_sessions"]

BOB_URI = "sip:bob@cpm.test"
_ids = itertools.count(1)


class EventsLog:
    """What a leg's side did; accepts every text unless `verdict` says otherwise."""

    def __init__(self) -> None:
        self.messages: asyncio.Queue[Message] = asyncio.Queue()
        self.outcomes: asyncio.Queue[Outcome] = asyncio.Queue()
        self.typing: asyncio.Queue[Composing] = asyncio.Queue()
        self.reports: asyncio.Queue[Report] = asyncio.Queue()
        self.ends: asyncio.Queue[tuple[CloseReason, str]] = asyncio.Queue()
        self.rang = asyncio.Event()
        self.verdict: Callable[[Message], SendError | None] = lambda message: None
        self.held: list[Callable[[], None]] | None = None

    def ringing(self) -> None:
        self.rang.set()

    def received(self, messages: Sequence[Message], done: Done) -> None:
        verdicts = [self.verdict(message) for message in messages]
        if self.held is None:
            asyncio.get_running_loop().call_soon(done, verdicts)
        else:
            self.held.append(lambda: done(verdicts))
        for message in messages:
            self.messages.put_nowait(message)

    def settled(self, outcomes: Sequence[Outcome]) -> None:
        for outcome in outcomes:
            self.outcomes.put_nowait(outcome)

    def composing(self, composing: Composing) -> None:
        self.typing.put_nowait(composing)

    def reported(self, reports: Sequence[Report], done: Callable[[], None] | None = None) -> None:
        for report in reports:
            self.reports.put_nowait(report)
        if done is not None:
            done()

    def closed(self, reason: CloseReason, detail: str = "") -> None:
        self.ends.put_nowait((reason, detail))


class SessionInbox(InboxLog):
    """Takes every invitation at once, unless `answer` does something else."""

    def __init__(self) -> None:
        super().__init__()
        self.events = EventsLog()
        self.invitations: asyncio.Queue[tuple[SessionOffer, Leg]] = asyncio.Queue()
        self.answer: Callable[[SessionOffer, Leg], Awaitable[LegEvents]] | None = None

    async def invited(self, offer: SessionOffer, leg: Leg) -> LegEvents:
        self.invitations.put_nowait((offer, leg))
        return await self.answer(offer, leg) if self.answer is not None else self.events


class SessionRig(Rig):
    sessions: Sessions

    def __init__(self, **settings) -> None:
        wanted = {"msrp_port": 0, "linger": 0.05, **settings.pop("sessions", {})}
        self.files, self.media = settings.pop("files", NOTHING), settings.pop("media", NOTHING)
        super().__init__(sessions=wanted, **settings)
        self.inbox: SessionInbox = SessionInbox()

    def _build(self, core) -> Sessions:
        self.sessions = build_sessions(core)
        return self.sessions

    async def start(self) -> None:
        context = Context(
            name="sip",
            clock=self.clock,
            ids=self.ids,
            store=self.state,
            directory=self.people,
            files=self.files,
            media=self.media,
        )
        self.sip = SipConnector(self.settings, context, build_sessions=self._build)
        self._task = asyncio.create_task(self.sip.run(self.inbox))
        started = asyncio.create_task(self.sip.started.wait())
        await asyncio.wait([self._task, started], return_when=asyncio.FIRST_COMPLETED)
        if self._task.done():
            started.cancel()
            self._task.result()

    async def device(self, user: str, transport: str = "tcp", *tags: str) -> SessionDevice:
        device = SessionDevice(user, transport, self.sip.endpoints[transport], tags or (RCS,))
        await device.connect()
        assert (await device.register(("Allow", "INVITE, ACK, BYE, CANCEL, UPDATE, MESSAGE"))).status == 200
        return device


@asynccontextmanager
async def running_sessions(**settings) -> AsyncIterator[SessionRig]:
    rig = SessionRig(**settings)
    await rig.start()
    try:
        yield rig
    finally:
        await rig.stop()


def offer_sdp(path: str, setup: str = "active", port: int = 9, /, **replaced: str) -> bytes:
    """An RCS device's offer or answer."""
    attributes = {
        "accept-types": "message/cpim application/im-iscomposing+xml",
        "accept-wrapped-types": "text/plain message/imdn+xml application/vnd.gsma.rcs-ft-http+xml",
        "path": path,
        "setup": setup,
        **{name.replace("_", "-"): value for name, value in replaced.items()},
    }
    lines = "".join(f"a={name}:{value}\r\n" for name, value in attributes.items() if value)
    head = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    return f"{head}m=message {port} TCP/MSRP *\r\n{lines}a=sendrecv\r\n".encode()


def cpim_text(text: str, message_id: str) -> bytes:
    return cpim.compose(
        text.encode(),
        "text/plain;charset=UTF-8",
        message_id=message_id,
        datetime="2026-11-23T07:28:02Z",
        dispositions=("positive-delivery", "display"),
    )


class SessionDevice(Device):
    """A device with INVITE dialogs (one at a time)."""

    def __init__(self, *args) -> None:
        super().__init__(*args)
        self.reply = lambda request: 200 if request.method in ("BYE", "UPDATE", "MESSAGE", "CANCEL") else 0
        self.path = f"msrp://127.0.0.1:9/dev{next(_ids)}x{id(self)};tcp"
        self.call = ""
        self.to_tag = ""
        self.target = ""
        self.number = 0
        self.setup = ""
        self.invite: Sip | None = None

    def took(self, data: bytes) -> None:
        """What is answered by hand waits in `requests`; the rest is answered at once."""
        message = parse(data)
        if message.status or (self.reply is not None and self.reply(message)):
            super().took(data)
        else:
            self.requests.put_nowait(message)

    # inviting

    def send_invite(self, uri: str, *fields: tuple[str, str], body: bytes = b"", kind: str = "application/sdp") -> None:
        self.call, self.to_tag, self.target = f"call{next(_ids)}-{id(self)}@device", "", uri
        self.number = 1
        self.send("INVITE", ("Contact", self.contact), ("Content-Type", kind), *fields, body=body, number=1)

    def send(self, method: str, *fields: tuple[str, str], body: bytes = b"", number: int = 0, branch: str = "") -> None:
        """A request in the current call."""
        if not number:
            self.number += 1
            number = self.number
        head = self.fields(method, BOB_URI, self.call, number)
        if branch:
            head[0] = ("Via", branch)
        if self.to_tag:
            head[3] = ("To", f"<{BOB_URI}>;tag={self.to_tag}")
        if method == "INVITE" and not self.to_tag:
            self.invite_via = head[0][1]
        self.write(encode_request(method, self.target, [*head, *fields], body))

    async def answered(self, method: str, least: int = 200) -> Sip:
        """The next response to a method with at least this status."""
        while True:
            found = await self.responses.get()
            if found.status >= least and found.get("cseq").endswith(f" {method}"):
                return found

    async def established(self, uri: str = BOB_URI, *fields: tuple[str, str], setup: str = "active") -> Sip:
        """Invite, take the 200, send ACK."""
        self.send_invite(uri, *fields, body=offer_sdp(self.path, setup))
        ok = await self.answered("INVITE")
        assert ok.status == 200, ok
        self.confirm(ok)
        return ok

    def confirm(self, ok: Sip) -> None:
        self.to_tag = ok.get("to").rpartition("tag=")[2]
        self.target = ok.get("contact").partition("<")[2].partition(">")[0]
        self.send("ACK", number=int(ok.get("cseq").split()[0]))

    # being invited

    async def invited(self) -> Sip:
        while True:
            found = await self.requests.get()
            if found.method == "INVITE":
                self.invite = found
                return found

    async def next(self, method: str) -> Sip:
        while True:
            found = await self.requests.get()
            if found.method == method:
                return found

    def respond(self, to: Sip, status: int, *fields: tuple[str, str], body: bytes = b"") -> None:
        tag = f"dev{id(self)}"
        self.write(encode_response(to, status, to_tag=tag, fields=[("Contact", self.contact), *fields], body=body))

    async def accept(self, invite: Sip, setup: str = "active", port: int = 9, *fields: tuple[str, str]) -> None:
        body = offer_sdp(self.path, setup, port)
        self.respond(invite, 200, ("Content-Type", "application/sdp"), *fields, body=body)
        await self.next("ACK")

    def say_bye(self, invite: Sip, *fields: tuple[str, str]) -> None:
        """BYE of the invited side."""
        head = self.fields("BYE", DOMAIN, invite.get("call-id"), 1)
        head[2] = ("From", f"{invite.get('to')};tag=dev{id(self)}")
        head[3] = ("To", invite.get("from"))
        target = invite.get("contact").partition("<")[2].partition(">")[0]
        self.write(encode_request("BYE", target, [*head, *fields]))


class Media:
    """One end of an MSRP path, by hand."""

    def __init__(self, local: str, remote: str) -> None:
        self.local, self.remote = local, remote
        self._parser = Parser()
        self._frames: list[Frame] = []
        self._tids = itertools.count(1000)
        self.reader: asyncio.StreamReader
        self.writer: asyncio.StreamWriter

    @classmethod
    async def to(cls, device: SessionDevice, described: bytes) -> Media:
        """Connect where an SDP body says, and open the path."""
        _, terms = sdp.msrp_media(sdp.parse(described))
        media = cls(device.path, terms.path)
        uri = parse_uri(terms.path)
        media.reader, media.writer = await asyncio.open_connection(uri.host, uri.port)
        media.put("SEND", [("Message-ID", "open"), ("Byte-Range", "1-0/0")])
        assert (await media.frame()).status == 200
        return media

    def put(self, method: str, headers: list[tuple[str, str]], body: bytes | None = None, flag: str = "$") -> str:
        tid = f"t{next(self._tids)}"
        self.writer.write(request(tid, method, self.remote, self.local, headers, body, flag))
        return tid

    def text(self, body: bytes, message_id: str = "m", kind: str = "message/cpim", **more: str) -> str:
        headers = [("Message-ID", message_id), ("Byte-Range", f"1-{len(body)}/{len(body)}")]
        headers += [(name.replace("_", "-"), value) for name, value in more.items()]
        return self.put("SEND", [*headers, ("Content-Type", kind)], body)

    async def frame(self) -> Frame:
        while not self._frames:
            data = await self.reader.read(65536)
            if not data:
                raise EOFError
            self._frames += self._parser.feed(data)
        return self._frames.pop(0)

    async def received(self, status: int = 200) -> Frame:
        """The next request, answered."""
        frame = await self.frame()
        while not frame.method:
            frame = await self.frame()
        self.writer.write(response(frame.tid, status, self.remote, self.local))
        return frame

    def close(self) -> None:
        self.writer.close()


def chat(text: str, number: int = 1, **changes) -> Delivery:
    """A text for a device in a session."""
    base = delivery(text, number=number, **changes)
    return replace(base, message=replace(base.message, kind=MessageKind.CHAT, session_id="s1"))


def offer_to_bob(**changes) -> SessionOffer:
    fields = {
        "id": "s1",
        "initiator": ALICE,
        "target": BOB,
        "origin": "web",
        "at": 0.0,
        "conversation_id": "K1",
        "contribution_id": "C1",
        **changes,
    }
    return SessionOffer(**fields)
