"""The SMS centre: accounts, messages, receipts."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections import deque
from collections.abc import Callable, Mapping
from types import TracebackType

from opencpm.protocols.smpp.binding import Timers
from opencpm.protocols.smpp.command import Command
from opencpm.protocols.smpp.pdu import Pdu
from opencpm.protocols.smpp.receipt import State
from opencpm.protocols.smpp.short_message import ShortMessage
from opencpm.protocols.smpp.status import RCANCELFAIL, RINVPASWD, RMSGQFUL, RREPLACEFAIL, RTHROTTLED
from opencpm.transport.link import address_of, listen

from .connection import Connection, Mobile
from .faults import Faults
from .handset import Coverage, Handset, SentText
from .happenings import Happening, Happenings
from .log import PduLog
from .receipts import ReceiptStyle, receipt_of, written

_FIRST_NUMBER = 0x1A2B3C
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


class LabSmsc:
    """One SMS centre.

    ``accounts`` maps system_id to password (None: everybody may bind). Numbers without a handset are
    phones that are on and show nothing. ``record`` False keeps no log: for load. ``tls`` is for those who connect,
    ``client_tls`` for :meth:`outbind`.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        accounts: Mapping[str, str] | None = None,
        style: ReceiptStyle | None = None,
        window: int = 100,
        timers: Timers | None = None,
        record: bool = True,
        tls: ssl.SSLContext | None = None,
        client_tls: ssl.SSLContext | None = None,
    ) -> None:
        if host not in _LOOPBACK:
            raise ValueError("the lab listens on loopback only")
        self.accounts = accounts
        self.style = style or ReceiptStyle()
        self.faults = Faults()
        self.log = PduLog()
        self.happenings = Happenings()
        self.handsets: dict[str, Handset] = {}
        self.states: dict[str, State] = {}
        self.taken = 0
        self.window = window
        self.timers = timers or Timers(session_init=30.0, enquire_link=60.0)
        self.record = record
        self._host, self._port = host, port
        self._tls, self._client_tls = tls, client_tls
        self._server: asyncio.Server | None = None
        self._connections: list[Connection] = []
        self._number = _FIRST_NUMBER
        self._serial = 0
        self._waiting: deque[Mobile] = deque()  # for an ESME that is not bound
        self._stored: dict[str, list[tuple[Connection, ShortMessage, int]]] = {}  # for phones that are off

    # -- mains
    # ---------------------------------------------------------------------------------------------------

    async def __aenter__(self) -> LabSmsc:
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
        """Drop every connection; ESMEs may come back."""
        for connection in tuple(self._connections):
            connection.abort()
        await self.happenings.until(lambda: not self._connections)

    async def outbind(self, host: str, port: int, system_id: str = "lab-smsc", password: str = "") -> Connection:
        """Connect to an ESME that listens, and ask it to bind. Raises OSError."""
        if host not in _LOOPBACK:
            raise ValueError("the lab connects to loopback only")
        connection = self._new_connection()
        loop = asyncio.get_running_loop()
        await loop.create_connection(
            lambda: connection.link,
            host,
            port,
            ssl=self._client_tls,
            server_hostname=host if self._client_tls else None,
        )
        connection.outbind(system_id, password)
        return connection

    @property
    def bound(self) -> int:
        """How many connections are bound."""
        return sum(connection.session.bound for connection in self._connections)

    async def wait_bound(self, count: int = 1, patience: float = 10.0) -> None:
        """Until so many connections are bound. Raises TimeoutError."""
        await self.happenings.until(lambda: self.bound >= count, patience)

    # -- people
    # --------------------------------------------------------------------------------------------------

    def handset(self, number: str) -> Handset:
        """The phone with this number, made when first asked for."""
        digits = number.lstrip("+")
        if digits not in self.handsets:
            self.handsets[digits] = Handset("+" + digits, self.happenings, self._from_handset, self._coverage_changed)
        return self.handsets[digits]

    def undeliverable(self, number: str) -> None:
        """Messages to this number are taken and then reported UNDELIV."""
        self.faults.undeliverable.add(number.lstrip("+"))

    def refuse(self, number: str, status: int) -> None:
        """Submits to this number get a command_status."""
        self.faults.refused[number.lstrip("+")] = status

    def subscribe(self, heard: Callable[[Happening], None]) -> Callable[[], None]:
        """Call ``heard`` with everything that happens; returns what ends it."""
        return self.happenings.subscribe(heard)

    # -- what connections ask
    # ------------------------------------------------------------------------------------

    def login(self, system_id: str, password: str) -> int:
        """The command_status for a bind."""
        if self.faults.refuse_bind:
            return self.faults.refuse_bind
        if self.accounts is not None and self.accounts.get(system_id) != password:
            return RINVPASWD
        return 0

    def spoiled(self, sm: ShortMessage) -> int | None:
        """The fault that hits a submit: a command_status, or 0 where there shall be no answer; None: no
        fault.
        """
        faults = self.faults
        if faults.throttle > 0:
            faults.throttle -= 1
            return RTHROTTLED
        if faults.queue_full > 0:
            faults.queue_full -= 1
            return RMSGQFUL
        if faults.no_response > 0:
            faults.no_response -= 1
            return 0
        return faults.refused.get(sm.destination)

    def number(self) -> int:
        """A new message's number."""
        self._number += 1
        self.taken += 1
        return self._number

    def carry(self, connection: Connection, sm: ShortMessage, number: int) -> None:
        """Bring a submitted message to its phone and send the receipt."""
        digits = sm.destination
        handset = self.handsets.get(digits) if self.handsets else None
        if digits in self.faults.undeliverable or (handset and handset.coverage is Coverage.ABSENT):
            self._report(connection, sm, number, State.UNDELIVERABLE)
            return
        if handset is not None and handset.coverage is Coverage.OFF:
            self._stored.setdefault(digits, []).append((connection, sm, number))
            return
        if handset is not None:
            handset.take(sm)
        if self.style.enroute:
            self._report(connection, sm, number, State.ENROUTE)
        self._report(connection, sm, number, State.DELIVERED)

    def changed(self, request: Pdu) -> int:
        """Take back or replace a message that waits for its phone, asked for by who submitted it; the status."""
        message_id, cancels = str(request.body["message_id"]), request.command == Command.CANCEL_SM
        source = request.body["source_addr"]
        for waiting in self._stored.values():
            for at, (connection, sm, number) in enumerate(waiting):
                if written(number, self.style.response) != message_id or source not in ("", sm.source):
                    continue
                if cancels:
                    del waiting[at]
                    self._report(connection, sm, number, State.DELETED)
                else:
                    text = request.body["short_message"]
                    assert isinstance(text, bytes)
                    waiting[at] = (connection, sm._replace(message=text), number)
                return 0
        return RCANCELFAIL if cancels else RREPLACEFAIL

    def arrived(self, connection: Connection) -> None:
        """A connection stands, also its TLS."""
        self._connections.append(connection)

    def joined(self, connection: Connection) -> None:
        """A connection is bound: what waited for one goes."""
        self._tell("bound", connection.account)
        while self._waiting and connection.receives:
            connection.deliver(self._waiting.popleft())

    def left(self, connection: Connection, undelivered: list[Mobile]) -> None:
        """A connection is gone; what it had not taken goes to another, or waits."""
        if connection in self._connections:
            self._connections.remove(connection)
        self._tell("lost", connection.account)
        for mobile in undelivered:
            self._deliver(mobile)

    def answered(self, mobile: Mobile, status: int) -> None:
        """The ESME's verdict on a text from a handset."""
        sent = mobile.sent
        if sent is None:
            return
        sent.answered += 1
        if status:
            sent.status = "refused"
        elif sent.answered >= sent.segments and sent.status == "sent":
            sent.status = "accepted"
        if sent.status != "sent":
            what = "refused" if status else "sent"
            self._tell(what, mobile.number, sent.to, sent.text)

    # -- inside
    # --------------------------------------------------------------------------------------------------

    def _accept(self) -> asyncio.Protocol:
        return self._new_connection().link

    def _new_connection(self) -> Connection:
        self._serial += 1
        return Connection(self, self._serial, asyncio.get_running_loop().time())

    def _from_handset(self, handset: Handset, sent: SentText, messages: list[ShortMessage]) -> None:
        for message in messages:
            self._deliver(Mobile(message, handset.number, sent))

    def _deliver(self, mobile: Mobile) -> None:
        for connection in self._connections:
            if connection.receives:
                connection.deliver(mobile)
                return
        self._waiting.append(mobile)

    def _report(self, connection: Connection, sm: ShortMessage, number: int, state: State) -> None:
        if self.record:
            self.states[written(number, self.style.response)] = state
        wanted = sm.registered_delivery & 3
        if not wanted or (wanted == 2 and state is State.DELIVERED):
            return
        mobile = Mobile(receipt_of(sm, number, state, self.style), "", None)
        if connection.receives:
            connection.deliver(mobile)
        else:
            self._deliver(mobile)
        if self.record:
            self._tell("receipt", sm.destination, sm.source, state.name)

    def _coverage_changed(self, handset: Handset) -> None:
        if handset.coverage is not Coverage.OFF:
            for connection, sm, number in self._stored.pop(handset.number.lstrip("+"), []):
                self.carry(connection, sm, number)
                connection.link.wake()

    def _tell(self, what: str, number: str = "", peer: str = "", text: str = "") -> None:
        self.happenings.add(Happening(time.time(), what, number, peer, text))
