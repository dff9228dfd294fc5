"""The SMS centre: accounts, messages, notifications."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections import deque
from collections.abc import Mapping
from datetime import UTC
from types import TracebackType

from opencpm.lab.smsc.happenings import Happening, Happenings
from opencpm.protocols.ucp import times
from opencpm.protocols.ucp.codes import AUTHENTICATION_FAILURE, NOT_ALLOWED
from opencpm.protocols.ucp.content import UserData, with_content
from opencpm.protocols.ucp.operations import DELIVER, NOTIFICATION, Message
from opencpm.protocols.ucp.session import Timers
from opencpm.transport.link import address_of, listen

from .connection import Connection, Mobile
from .faults import Faults
from .log import FrameLog
from .phone import Phone, SentText

_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_DELIVERED, _BUFFERED, _NOT_DELIVERED = "0", "1", "2"
_ASKED_FOR = {_DELIVERED: 1, _NOT_DELIVERED: 2, _BUFFERED: 4}


class LabUcp:
    """One SMS centre.

    ``accounts`` maps OAdC to password (None: everybody may log in). Numbers without a phone are phones that are on
    and show nothing. ``unique`` makes every SCTS of a number another second, as careful centres do.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        accounts: Mapping[str, str] | None = None,
        window: int = 50,
        unique: bool = False,
        timers: Timers | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        if host not in _LOOPBACK:
            raise ValueError("the lab listens on loopback only")
        self._tls = tls
        self.accounts = accounts
        self.faults = Faults()
        self.log = FrameLog()
        self.happenings = Happenings()
        self.phones: dict[str, Phone] = {}
        self.window = window
        self.timers = timers or Timers(alert=0.0)
        self._unique = unique
        self._host, self._port = host, port
        self._server: asyncio.Server | None = None
        self._connections: list[Connection] = []
        self._last: dict[str, int] = {}  # number -> the second of its last message
        self._waiting: deque[Mobile] = deque()  # for a terminal that is not logged in
        self._stored: dict[str, list[tuple[Connection, Message, str]]] = {}  # for phones that are off

    # -- mains

    async def __aenter__(self) -> LabUcp:
        await self.up()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.down()

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens; after ``down`` where it did."""
        return self._host, self._port

    async def up(self) -> None:
        """Listen; after ``down``, on the same port."""
        if self._server is None:
            self._server = await listen(self._accept, self._host, self._port, tls=self._tls)
            self._port = address_of(self._server)[1]

    async def down(self) -> None:
        """Stop listening and drop every connection, as a centre that fails does."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
        await self.disconnect()
        if server is not None:
            await server.wait_closed()

    async def disconnect(self) -> None:
        """Drop every connection; terminals may come back."""
        for connection in tuple(self._connections):
            connection.link.abort()
        await self.happenings.until(lambda: not self._connections)

    @property
    def sessions(self) -> int:
        """How many terminals are logged in."""
        return sum(connection.session.open for connection in self._connections)

    async def wait_session(self, count: int = 1, patience: float = 10.0) -> None:
        """Until so many terminals are logged in. Raises TimeoutError."""
        await self.happenings.until(lambda: self.sessions >= count, patience)

    # -- people

    def phone(self, number: str) -> Phone:
        """The phone with this number, made when first asked for."""
        digits = number.lstrip("+")
        if digits not in self.phones:
            self.phones[digits] = Phone("+" + digits, self.happenings, self._from_phone, self._switched)
        return self.phones[digits]

    # -- what connections ask

    def login(self, account: str, password: str) -> int:
        """The EC for a login."""
        if self.faults.refuse_login:
            return self.faults.refuse_login
        if self.accounts is not None and self.accounts.get(account) != password:
            return AUTHENTICATION_FAILURE
        return 0

    def spoiled(self, message: Message) -> int | None:
        """The fault that hits a submit: its EC, None where there shall be no result; 0: no fault."""
        faults = self.faults
        if faults.denied > 0:
            faults.denied -= 1
            return NOT_ALLOWED
        if faults.no_result > 0:
            faults.no_result -= 1
            return None
        if faults.once:
            return faults.once.pop(0)
        return faults.ec.get(message.adc, 0)

    def name(self, message: Message) -> tuple[str, str]:
        """SCTS and system message of a message that is taken."""
        second = int(time.time())
        if self._unique:
            second = max(second, self._last.get(message.adc, 0) + 1)
            self._last[message.adc] = second
        scts = times.stamp(second, UTC)
        if self.faults.nameless > 0:
            self.faults.nameless -= 1
            return scts, ""
        return scts, f"{message.adc}:{scts}"

    def carry(self, connection: Connection, message: Message, scts: str) -> None:
        """Bring a submitted message to its phone and notify."""
        phone = self.phones.get(message.adc)
        rsn = self.faults.undeliverable.get(message.adc)
        if rsn is not None:
            self._notify(connection, message, scts, _NOT_DELIVERED, rsn)
        elif phone is not None and not phone.on:
            self._stored.setdefault(message.adc, []).append((connection, message, scts))
            self._notify(connection, message, scts, _BUFFERED, "107")
        else:
            if phone is not None:
                phone.take(message)
            self._notify(connection, message, scts, _DELIVERED, "000")

    def joined(self, connection: Connection) -> None:
        """A terminal is logged in: what waited for one goes."""
        self._tell("bound", connection.account)
        while self._waiting:
            connection.deliver(self._waiting.popleft())

    def left(self, connection: Connection, undelivered: list[Mobile]) -> None:
        """A connection is gone; what it had not taken goes to another, or waits."""
        if connection in self._connections:
            self._connections.remove(connection)
        self._tell("lost", connection.account)
        for mobile in undelivered:
            self._deliver(mobile)

    def answered(self, mobile: Mobile, ec: int) -> None:
        """The terminal's verdict on a text from a phone."""
        sent = mobile.sent
        if sent is None:
            return
        sent.answered += 1
        if ec:
            sent.status = "refused"
        elif sent.answered >= sent.segments and sent.status == "sent":
            sent.status = "accepted"
        self._tell(sent.status, mobile.message.oadc, sent.to, sent.text)

    # -- inside

    def _accept(self) -> asyncio.Protocol:
        return Connection(self, asyncio.get_running_loop().time()).link

    def arrived(self, connection: Connection) -> None:
        """A connection stands, also its TLS."""
        self._connections.append(connection)

    def _from_phone(self, phone: Phone, sent: SentText, messages: list[Message]) -> None:
        scts = times.stamp(time.time(), UTC)
        for message in messages:
            self._deliver(Mobile(DELIVER, message._replace(scts=scts), sent))

    def _deliver(self, mobile: Mobile) -> None:
        for connection in self._connections:
            if connection.session.open:
                connection.deliver(mobile)
                return
        self._waiting.append(mobile)

    def _notify(self, connection: Connection, message: Message, scts: str, dst: str, rsn: str) -> None:
        wanted = int(message.nt) if message.nt.isdecimal() else 7
        if message.nrq != "1" or not wanted & _ASKED_FOR[dst]:
            return
        text = f"Message for {message.adc}, with identification {scts}: {dst}".encode()
        note = with_content(
            Message(message.oadc, message.adc, scts=scts, dst=dst, rsn=rsn, dscts=times.stamp(time.time(), UTC)),
            UserData(text),
        )
        mobile = Mobile(NOTIFICATION, note, None)
        if connection.session.open:
            connection.deliver(mobile)
        else:
            self._deliver(mobile)
        self._tell("receipt", message.adc, message.oadc, dst)

    def _switched(self, phone: Phone) -> None:
        if phone.on:
            for connection, message, scts in self._stored.pop(phone.number.lstrip("+"), []):
                self.carry(connection, message, scts)

    def _tell(self, what: str, number: str = "", peer: str = "", text: str = "") -> None:
        self.happenings.add(Happening(time.time(), what, number, peer, text))
