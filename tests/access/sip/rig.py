"""A running SIP access with its surroundings in memory, and devices on real sockets to talk to it."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager

from opencpm.access.sip import SipConnector
from opencpm.access.sip.settings import SipSettings
from opencpm.domain.address import Address
from opencpm.domain.contact import Contact
from opencpm.domain.delivery import Delivery, Outcome
from opencpm.domain.errors import SendError
from opencpm.domain.message import Disposition, Message, message_ident, text_part
from opencpm.domain.profile import Reach
from opencpm.domain.report import Report
from opencpm.domain.session import Composing
from opencpm.domain.subscriber import LinkedAccount, Subscriber
from opencpm.interfaces import Context, Done
from opencpm.protocols.sip import digest
from opencpm.protocols.sip.headers import parse_auth
from opencpm.protocols.sip.message import Message as Sip
from opencpm.protocols.sip.message import encode_request, parse
from opencpm.protocols.sip.response import encode_response

DOMAIN = "cpm.test"
ALICE, BOB = Address("sip", "alice@cpm.test"), Address("sip", "bob@cpm.test")
ALICE_TEL, BOB_TEL = Address("tel", "+12025550100"), Address("tel", "+12025550101")
PASSWORDS = {"alice": "alicepw", "bob": "bobpw"}
MSG = "urn%3Aurn-7%3A3gpp-service.ims.icsi.oma.cpm.msg"
RCS = f'+g.3gpp.icsi-ref="urn%3Aurn-7%3A3gpp-service.ims.icsi.oma.cpm.session,{MSG}"'


class Clock:
    def __init__(self) -> None:
        self.shift = 0.0

    def now(self) -> float:
        return time.time() + self.shift


class Ids:
    def __init__(self) -> None:
        self._numbers = itertools.count(1)

    def new(self) -> str:
        return f"{next(self._numbers):024x}"


class State:
    """Keyed state that commits at the next loop turn."""

    def __init__(self) -> None:
        self.rooms: dict[str, dict[str, bytes]] = {}

    def put_state(self, room: str, key: str, value: bytes | None, done: Callable[[], None] | None = None) -> None:
        if value is None:
            self.rooms.get(room, {}).pop(key, None)
        else:
            self.rooms.setdefault(room, {})[key] = value
        if done is not None:
            asyncio.get_running_loop().call_soon(done)

    def get_state(self, room: str, key: str) -> bytes | None:
        return self.rooms.get(room, {}).get(key)

    def all_state(self, room: str) -> Mapping[str, bytes]:
        return dict(self.rooms.get(room, {}))


class People:
    """The directory: Alice and Bob, each with a SIP and a telephone address."""

    def __init__(self) -> None:
        self.people = [
            Subscriber(id="alice", name="Alice", addresses=(ALICE, ALICE_TEL)),
            Subscriber(id="bob", name="Bob", addresses=(BOB, BOB_TEL)),
        ]

    def subscriber(self, subscriber_id: str) -> Subscriber | None:
        return next((p for p in self.people if p.id == subscriber_id), None)

    def owner_of(self, address: Address) -> Subscriber | None:
        return next((p for p in self.people if address in p.addresses), None)

    def ha1(self, username: str, realm: str, algorithm: str) -> str | None:
        password = PASSWORDS.get(username.partition("@")[0])
        return digest.ha1(username, realm, password, algorithm) if password and realm == DOMAIN else None

    def contact(self, owner: str, address: Address) -> Contact:
        raise NotImplementedError

    def linked(self, network: str) -> Sequence[LinkedAccount]:
        return ()

    def password(self, account: LinkedAccount) -> str:
        raise NotImplementedError

    def watch(self, changed: Callable[[], None]) -> None:
        pass


class InboxLog:
    """Messaging as the access sees it: keeps everything, answers by `verdict`."""

    def __init__(self) -> None:
        self.messages: asyncio.Queue[Message] = asyncio.Queue()
        self.outcomes: asyncio.Queue[Outcome] = asyncio.Queue()
        self.reports: asyncio.Queue[Report] = asyncio.Queue()
        self.typing: asyncio.Queue[tuple[Address, Address, Composing]] = asyncio.Queue()
        self.reaches: asyncio.Queue[tuple[str, Reach]] = asyncio.Queue()
        self.batches: list[int] = []
        self.verdict: Callable[[Message], SendError | None] = lambda message: None
        self.groups = self.presences = None
        self.held: list[Callable[[], None]] | None = None

    def received(self, messages: Sequence[Message], done: Done) -> None:
        self.batches.append(len(messages))
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

    def reported(self, reports: Sequence[Report], done: Callable[[], None] | None = None) -> None:
        for report in reports:
            self.reports.put_nowait(report)
        if done is not None:
            done()

    async def invited(self, offer, leg):
        raise NotImplementedError

    def composing(self, sender: Address, recipient: Address, composing: Composing) -> None:
        self.typing.put_nowait((sender, recipient, composing))

    def turned_away(self, who: str, reason: str, what: str) -> None:
        self.away = [*getattr(self, "away", []), (who, reason, what)]

    def reach_changed(self, network: str, subscriber: str, reach: Reach) -> None:
        self.reaches.put_nowait((subscriber, reach))

    def presence_changed(self, *args) -> None:
        pass

    def health_changed(self, *args) -> None:
        pass


class Rig:
    def __init__(self, **settings) -> None:
        listen = settings.pop("listen", ({"transport": "udp"}, {"transport": "tcp"}, {"transport": "ws"}))
        settings.setdefault("domain", DOMAIN)
        self.settings = SipSettings(listen=listen, **settings)
        self.clock, self.ids, self.state, self.people = Clock(), Ids(), State(), People()
        self.inbox = InboxLog()
        self.sip: SipConnector
        self._task: asyncio.Task | None = None

    async def start(self) -> None:
        context = Context(name="sip", clock=self.clock, ids=self.ids, store=self.state, directory=self.people)
        self.sip = SipConnector(self.settings, context)
        self._task = asyncio.create_task(self.sip.run(self.inbox))
        started = asyncio.create_task(self.sip.started.wait())
        await asyncio.wait([self._task, started], return_when=asyncio.FIRST_COMPLETED)
        if self._task.done():
            started.cancel()
            self._task.result()

    async def stop(self) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def device(self, user: str, transport: str = "udp", *tags: str, tls=None) -> Device:
        device = Device(user, transport, self.sip.endpoints[transport], tags, tls)
        await device.connect()
        return device


@asynccontextmanager
async def running(**settings) -> AsyncIterator[Rig]:
    rig = Rig(**settings)
    await rig.start()
    try:
        yield rig
    finally:
        await rig.stop()


class Device:
    """A small SIP client over UDP or TCP."""

    def __init__(self, user: str, transport: str, server: tuple[str, int], tags: Sequence[str], tls=None) -> None:
        self.user, self.transport, self.server, self.tags, self.tls = user, transport, server, tags, tls
        self.cseq = itertools.count(1)
        self.names = itertools.count(1)
        self.call_id = f"reg-{user}-{id(self)}@device"
        self.requests: asyncio.Queue[Sip] = asyncio.Queue()
        self.responses: asyncio.Queue[Sip] = asyncio.Queue()
        self.local = ("127.0.0.1", 0)
        self.reply: Callable[[Sip], int] | None = lambda request: 200
        self.reply_fields: list[tuple[str, str]] = []

    async def connect(self) -> None:
        loop = asyncio.get_running_loop()
        if self.transport == "udp":
            self._udp, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(self), remote_addr=self.server)
            self.local = self._udp.get_extra_info("sockname")[:2]
            self.write, self.close = self._udp.sendto, self._udp.close
        else:
            self._tcp, _ = await loop.create_connection(lambda: _Stream(self), *self.server, ssl=self.tls)
            self.local = self._tcp.get_extra_info("sockname")[:2]
            self.write, self.close = self._tcp.write, self._tcp.close

    def took(self, data: bytes) -> None:
        message = parse(data)
        if message.status:
            self.responses.put_nowait(message)
            return
        self.requests.put_nowait(message)
        if self.reply is not None:
            status = self.reply(message)
            self.write(encode_response(message, status, to_tag="dev", fields=self.reply_fields))

    @property
    def contact(self) -> str:
        uri = f"<sip:{self.user}@{self.local[0]}:{self.local[1]};transport={self.transport}>"
        return ";".join([uri, *self.tags])

    def fields(self, method: str, to: str, call_id: str, number: int) -> list[tuple[str, str]]:
        branch = f"z9hG4bK{method}{next(self.names)}{id(self)}"
        return [
            ("Via", f"SIP/2.0/{self.transport.upper()} {self.local[0]}:{self.local[1]};branch={branch};rport"),
            ("Max-Forwards", "70"),
            ("From", f"<sip:{self.user}@{DOMAIN}>;tag=f{self.user}"),
            ("To", f"<{to}>"),
            ("Call-ID", call_id),
            ("CSeq", f"{number} {method}"),
        ]

    async def ask(self, method: str, uri: str, *fields: tuple[str, str], body: bytes = b"", to: str = "") -> Sip:
        """Send a request in a call of its own and wait for its final response."""
        call_id = self.call_id if method == "REGISTER" else f"c{next(self.names)}-{id(self)}@device"
        number = next(self.cseq)
        self.write(encode_request(method, uri, [*self.fields(method, to or uri, call_id, number), *fields], body))
        while True:
            response = await self.responses.get()
            if response.status >= 200 and response.get("cseq") == f"{number} {method}":
                return response

    async def ask_with_digest(
        self, method: str, uri: str, *fields: tuple[str, str], body: bytes = b"", to: str = "", password: str = ""
    ) -> Sip:
        """The same, answering one challenge."""
        first = await self.ask(method, uri, *fields, body=body, to=to)
        if first.status != 401:
            return first
        value = authorization(
            first.fields("www-authenticate")[0], self.user, password or PASSWORDS[self.user], method, uri
        )
        return await self.ask(method, uri, *fields, ("Authorization", value), body=body, to=to)

    async def register(self, *fields: tuple[str, str], expires: int = 3600, password: str = "") -> Sip:
        return await self.ask_with_digest(
            "REGISTER",
            f"sip:{DOMAIN}",
            ("Contact", self.contact),
            ("Expires", str(expires)),
            *fields,
            to=f"sip:{self.user}@{DOMAIN}",
            password=password,
        )

    async def message(self, uri: str, text: bytes, content_type: str = "text/plain", *fields) -> Sip:
        return await self.ask_with_digest("MESSAGE", uri, *fields, ("Content-Type", content_type), body=text)


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, device: Device) -> None:
        self.device = device

    def datagram_received(self, data: bytes, addr) -> None:
        self.device.took(data)


class _Stream(asyncio.Protocol):
    def __init__(self, device: Device) -> None:
        self.device, self.buffer = device, b""

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while b"\r\n\r\n" in self.buffer:
            head, _, rest = self.buffer.partition(b"\r\n\r\n")
            if not head.strip():
                self.buffer = rest
                continue
            length = int(next(line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length"))[15:])
            if len(rest) < length:
                return
            self.buffer = rest[length:]
            self.device.took(head + b"\r\n\r\n" + rest[:length])


def authorization(challenge: str, user: str, password: str, method: str, uri: str, *, qop: bool = True) -> str:
    """A client's answer, computed with hashlib alone so that it does not agree with our own code by construction."""
    asked = parse_auth(challenge)
    h = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}[asked.get("algorithm") or "MD5"]

    def digest_of(text: str) -> str:
        return h(text.encode()).hexdigest()

    one = digest_of(f"{user}:{asked.get('realm')}:{password}")
    two = digest_of(f"{method}:{uri}")
    nonce = asked.get("nonce")
    middle = f"{nonce}:00000001:abc:auth" if qop else nonce
    tail = ', qop=auth, nc=00000001, cnonce="abc"' if qop else ""
    return (
        f'Digest username="{user}", realm="{asked.get("realm")}", nonce="{nonce}", uri="{uri}", '
        f'response="{digest_of(f"{one}:{middle}:{two}")}", algorithm={asked.get("algorithm") or "MD5"}{tail}'
    )


def delivery(
    text: str = "hello", *, sender: Address = ALICE, target: Address = BOB, number: int = 1, **changes
) -> Delivery:
    """A delivery as messaging makes it."""
    now = time.time()
    message = Message(
        id=message_ident(sender, f"m{number}"),
        message_id=f"m{number}",
        sender=sender,
        recipients=(target,),
        parts=(text_part(text),),
        sent_at=now,
        received_at=changes.pop("received_at", now),
        origin="test",
        conversation_id="conv-1",
        contribution_id=f"contr-{number}",
        wants=Disposition.POSITIVE_DELIVERY | Disposition.DISPLAY,
    )
    base = {
        "id": f"{message.id}.0",
        "message": message,
        "recipient": target,
        "network": "sip",
        "source": sender,
        "target": target,
        "attempt": 1,
        "token": 1,
        "deadline": now + 290,
        "expires_at": now + 3600,
    }
    return Delivery(**{**base, **changes})
