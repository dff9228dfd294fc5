"""One link to an SMSC, kept up: connect, bind, and again after a pause."""

from __future__ import annotations

import asyncio
import logging
import random
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from opencpm.protocols.smpp.binding import Bind, Timers
from opencpm.protocols.smpp.command import Command
from opencpm.protocols.smpp.events import Asked, BindRefused, Bound, Closed, Event, Received
from opencpm.protocols.smpp.message_id import ReceiptIds
from opencpm.protocols.smpp.pdu import Value
from opencpm.protocols.smpp.session import Session
from opencpm.protocols.smpp.short_message import ShortMessage
from opencpm.protocols.smpp.states import SessionState
from opencpm.protocols.smpp.status import RINVCMDID, Retry, status_of
from opencpm.protocols.throttle import Throttle
from opencpm.transport.link import Link, dial

from .settings import LinkSettings, SmsSettings
from .tls import context_of

log = logging.getLogger("opencpm.sms")

_BINDS = {
    "transceiver": Command.BIND_TRANSCEIVER,
    "transmitter": Command.BIND_TRANSMITTER,
    "receiver": Command.BIND_RECEIVER,
}
_VERSIONS = {"3.3": 0x33, "3.4": 0x34, "5.0": 0x50}
_LONGEST_LOGIN_PAUSE = 900.0
_UNBIND_PATIENCE = 2.0
_NEARLY_CONGESTED, _CONGESTED = 90, 100


class Lane:
    """The work of one link (``work``: segments to send over it) and its state for the operator.

    ``on_events(lane, events)`` gets what the session says but the end of the session; ``on_change(lane)`` is called
    when the lane came up or went. ``account`` is the rate that the lanes of one account share, if there is one; ``ids``
    is what its receipts have taught. Raises ValueError for TLS files that cannot be used.
    """

    def __init__(
        self,
        settings: LinkSettings,
        common: SmsSettings,
        on_events: Callable[[Lane, Sequence[Event]], None],
        on_change: Callable[[Lane], None],
        account: Throttle | None = None,
        ids: ReceiptIds | None = None,
    ) -> None:
        self.settings = settings
        self.account = settings.account_name
        self.work: deque[Any] = deque()
        self.throttle = Throttle(settings.rate, 0.0)
        self.detail = "not connected yet"
        self._said = ""
        self.ids = ids or ReceiptIds(settings.receipt_id)
        self._account = account
        self._tls = context_of(settings)
        self._common = common
        self._on_events, self._on_change = on_events, on_change
        self._session: Session | None = None
        self._link: Link[Event] | None = None
        self._gone = asyncio.Event()
        self._up = False
        self._pause = common.reconnect_min
        self._refused = False  # the SMSC does not want us: an account that is wrong, not a moment that is bad
        self._refused_now = False

    # -- for the outbox
    # ------------------------------------------------------------------------------------------

    @property
    def open(self) -> bool:
        """Whether submits may go over it."""
        return self._session is not None and self._session.state in (SessionState.BOUND_TX, SessionState.BOUND_TRX)

    @property
    def bound(self) -> bool:
        return self._up

    @property
    def room(self) -> int:
        """Requests that the window and the socket take now."""
        return self._session.room if self._session is not None and self._link is not None and self._link.writable else 0

    def allowance(self, now: float, wanted: int) -> int:
        """How many of ``wanted`` segments the rates allow now."""
        allowed = self.throttle.allowance(now, wanted)
        return allowed if self._account is None else self._account.allowance(now, allowed)

    def sent(self, count: int, now: float) -> None:
        """Account for segments that went."""
        self.throttle.sent(count, now)
        if self._account is not None:
            self._account.sent(count, now)

    def next_time(self, now: float) -> float:
        """When the rates allow at least one more."""
        at = self.throttle.next_time(now)
        return at if self._account is None else max(at, self._account.next_time(now))

    def complained(self, now: float) -> None:
        """The SMSC says: too fast, or its queue is full."""
        self.throttle.complained(now)
        if self._account is not None:
            self._account.complained(now)

    def congestion(self, state: int, now: float) -> None:
        """congestion_state of a response (5.0 §4.8.4.18): 90 to 99 near its limit, 100 over it."""
        if state >= _CONGESTED:
            self.complained(now)
        elif state >= _NEARLY_CONGESTED:
            self.throttle.crowded(now)

    def submit(self, message: ShortMessage, context: Any, now: float) -> None:
        assert self._session is not None
        self._session.submit(message, context, now)

    def request(self, command: int, body: dict[str, Value], context: Any, now: float) -> None:
        """Ask something else than to take a message."""
        assert self._session is not None
        self._session.request(command, body, context, now)

    def key(self, message_id: str) -> str:
        """A message id in the space of this account: accounts of one network number independently."""
        return f"{self.account}:{message_id}"

    def flush(self) -> None:
        """Write, at the end of this loop turn, what the session has to send."""
        if self._link is not None:
            self._link.wake()

    def rebind(self) -> None:
        """The SMSC says we are not bound: begin a new session."""
        if self._link is not None:
            self._link.close()

    def decline(self, asked: Asked) -> None:
        """An SMSC has nothing to ask an ESME but to deliver."""
        if self._session is not None:
            self._session.answer(asked.pdu, status=RINVCMDID)

    def responder(self) -> Callable[[Received, int], None]:
        """Answers requests of the present session, and only of this one."""
        session, link = self._session, self._link

        def respond(received: Received, status: int) -> None:
            if session is not None and link is not None:
                session.respond(received, status)
                link.wake()

        return respond

    # -- keeping it up
    # -------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Stay bound until cancelled; then unbind and close."""
        try:
            while True:
                await self._once()
                pause = self._next_pause()
                self.detail += f"; next try in {pause:.0f} s" if pause >= 1 else "; trying again"
                self._on_change(self)
                await asyncio.sleep(pause)
        finally:
            await self._leave()

    async def _once(self) -> None:
        self._gone.clear()
        self._refused = self._refused_now = False
        where = f"{self.settings.host}:{self.settings.port}"
        now = asyncio.get_running_loop().time()
        session = self._new_session(now)
        try:
            self._session = session
            self._link = await dial(
                session,
                self.settings.host,
                self.settings.port,
                on_events=self._heard,
                on_lost=self._lost,
                on_writable=lambda _: self._on_events(self, ()),
                tls=self._tls,
                server_name=self.settings.tls_name,
            )
        except (OSError, TimeoutError) as error:
            self._session = None
            self._say(f"cannot connect to {where}: {error or 'no answer'}")
            return
        await self._gone.wait()

    def _new_session(self, now: float) -> Session:
        bind = Bind(
            system_id=self.settings.system_id,
            password=self.settings.password,
            system_type=self.settings.system_type,
            command=_BINDS[self.settings.bind],
            version=_VERSIONS[self.settings.version],
        )
        timers = Timers(enquire_link=self.settings.enquire_link, response=self.settings.response_timeout)
        return Session(now, bind=bind, window=self.settings.window, timers=timers, awaits_outbind=self.settings.outbind)

    def _heard(self, link: Link[Event], events: Sequence[Event]) -> None:
        rest: list[Event] = []
        for event in events:
            if isinstance(event, Bound):
                self._link = link
                self._came_up(event)
            elif isinstance(event, BindRefused):
                self._refuse(event.status)
            elif isinstance(event, Closed):
                if not self._refused_now:
                    self._say(event.reason)
            else:
                rest.append(event)
        if rest:
            self._on_events(self, rest)

    def _came_up(self, bound: Bound) -> None:
        settings = self.settings
        self._up = True
        self._refused = False
        self._pause = self._common.reconnect_min
        self.throttle = Throttle(settings.rate, asyncio.get_running_loop().time())
        self.detail = f"bound to {settings.host}:{settings.port} as {settings.system_id} ({bound.state.value})"
        log.info("%s", self.detail)
        self._on_change(self)

    def _refuse(self, status: int) -> None:
        known = status_of(status)
        self._refused_now = True
        self._refused = known.retry is Retry.LOGIN
        self._say(f"{self.settings.host}:{self.settings.port} refused the bind of {self.account}: {known.name}")

    def _lost(self, link: Link[Event], error: Exception | None) -> None:
        session, self._session, self._link = self._session, None, None
        if session is not None:
            left = session.lost()
            if left:
                self._on_events(self, left)
        if self._up:
            self._say(f"connection to {self.settings.host}:{self.settings.port} lost" + (f": {error}" if error else ""))
        self._up = False
        self._gone.set()
        self._on_change(self)

    def _say(self, detail: str) -> None:
        if detail != self._said:
            log.warning("%s", detail)
        self._said = self.detail = detail

    def _next_pause(self) -> float:
        """1, 2, 4 ... seconds with jitter; after a refused login 60 s up to 15 minutes."""
        if self._refused:
            self._pause = max(self._pause, self._common.login_retry)
        pause = self._pause
        longest = max(_LONGEST_LOGIN_PAUSE, self._common.login_retry) if self._refused else self._common.reconnect_max
        self._pause = min(2 * pause, longest)
        return pause * random.uniform(0.8, 1.2)

    async def _leave(self) -> None:
        """Unbind and wait a little for the answer."""
        session, link = self._session, self._link
        if session is None or link is None:
            return
        session.unbind(asyncio.get_running_loop().time())
        link.wake()
        try:
            async with asyncio.timeout(_UNBIND_PATIENCE):
                await self._gone.wait()
        except TimeoutError:
            link.abort()
