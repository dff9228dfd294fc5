"""The link to the SMS centre, kept up: connect, log in, and again after a pause."""

from __future__ import annotations

import asyncio
import logging
import random
import ssl
from collections.abc import Callable, Sequence
from typing import Any

from opencpm.protocols.throttle import Throttle
from opencpm.protocols.ucp.codes import Retry, error_code
from opencpm.protocols.ucp.events import Closed, Event, LoginRefused, Opened, Received
from opencpm.protocols.ucp.operations import Message
from opencpm.protocols.ucp.session import Login, Session, Timers
from opencpm.transport.link import Link, dial

from .settings import UcpSettings

log = logging.getLogger("opencpm.ucp")

_LONGEST_LOGIN_PAUSE = 900.0
_PATIENCE_AT_THE_END = 2.0

Respond = Callable[[Received, int, str], None]


class CentreLink:
    """One connection at a time. ``on_events`` gets what the session says but its beginning and end; ``on_change`` is
    called when the link came up or went.
    """

    def __init__(
        self,
        settings: UcpSettings,
        on_events: Callable[[Sequence[Event]], None],
        on_change: Callable[[], None],
    ) -> None:
        self.account = settings.account
        self.throttle = Throttle(settings.rate, 0.0)
        self.detail = "not connected yet"
        self._settings = settings
        self._tls = _tls(settings)
        self._where = f"{settings.host}:{settings.port}"
        self._on_events, self._on_change = on_events, on_change
        self._session: Session | None = None
        self._link: Link[Event] | None = None
        self._gone = asyncio.Event()
        self._up = False
        self._said = ""
        self._reason = ""  # why the session ended, where it says so
        self._pause = settings.reconnect_min
        self._refused = False  # the centre does not want us: an account that is wrong, not a moment that is bad
        self._refused_now = False

    # -- for the outbox

    @property
    def up(self) -> bool:
        return self._up and self._session is not None and self._session.open

    @property
    def room(self) -> int:
        """Operations that the window and the socket take now."""
        return self._session.room if self._session is not None and self._link is not None and self._link.writable else 0

    def submit(self, message: Message, context: Any, now: float) -> None:
        assert self._session is not None
        self._session.submit(message, context, now)

    def flush(self) -> None:
        """Write, at the end of this loop turn, what the session has to send."""
        if self._link is not None:
            self._link.wake()

    def relogin(self) -> None:
        """The centre behaves as if we were not logged in: begin a new session."""
        log.warning("%s allows nothing: logging in anew", self._where)
        if self._link is not None:
            self._link.close()

    def responder(self) -> Respond:
        """Answers operations of the present session, and only of this one."""
        session, link = self._session, self._link

        def respond(received: Received, ec: int, sm: str) -> None:
            if session is not None and link is not None:
                session.respond(received, ec, sm)
                link.wake()

        return respond

    # -- keeping it up

    async def run(self) -> None:
        """Stay logged in until cancelled; then let what is under way end, and close."""
        try:
            while True:
                await self._once()
                pause = self._next_pause()
                self.detail += f"; next try in {pause:.0f} s" if pause >= 1 else "; trying again"
                self._on_change()
                await asyncio.sleep(pause)
        finally:
            await self._leave()

    async def _once(self) -> None:
        self._gone.clear()
        self._refused = self._refused_now = False
        self._reason = ""
        settings = self._settings
        session = self._new_session(asyncio.get_running_loop().time())
        try:
            self._session = session
            await dial(
                session,
                settings.host,
                settings.port,
                on_events=self._heard,
                on_lost=self._lost,
                on_ready=self._connected,
                on_writable=lambda _: self._on_events(()),
                tls=self._tls,
                server_name=settings.tls_name,
            )
        except (OSError, TimeoutError) as error:
            self._session = None
            self._say(f"cannot connect to {self._where}: {error or 'no answer'}")
            return
        await self._gone.wait()

    def _new_session(self, now: float) -> Session:
        settings = self._settings
        login = Login(
            address=settings.account,
            password=settings.password,
            oton=settings.oton,
            onpi=settings.onpi,
            opid=settings.opid,
        )
        return Session(
            now,
            login=login if settings.session else None,
            window=settings.window,
            timers=Timers(alert=settings.keep_alive, result=settings.result_timeout),
            address=settings.account,
        )

    def _connected(self, link: Link[Event]) -> None:
        self._link = link
        if not self._settings.session:
            self._came_up()

    def _heard(self, link: Link[Event], events: Sequence[Event]) -> None:
        rest: list[Event] = []
        for event in events:
            if isinstance(event, Opened):
                self._came_up()
            elif isinstance(event, LoginRefused):
                self._refused = error_code(event.ec).retry is Retry.LOGIN
                self._refused_now = True
                self._say(f"{self._where} refused the login of {self.account}: {event.ec:02} {event.text[:60]}")
            elif isinstance(event, Closed):
                self._reason = event.reason
                self._say_lost(None)
            else:
                rest.append(event)
        if rest:
            self._on_events(rest)

    def _came_up(self) -> None:
        self._up = True
        self._pause = self._settings.reconnect_min
        self.throttle = Throttle(self._settings.rate, asyncio.get_running_loop().time())
        self.detail = self._said = f"logged in to {self._where} as {self.account}"
        log.info("%s", self.detail)
        self._on_change()

    def _lost(self, link: Link[Event], error: Exception | None) -> None:
        session, self._session, self._link = self._session, None, None
        if session is not None:
            left = session.lost()
            if left:
                self._on_events(left)
        self._say_lost(error)
        self._up = False
        self._gone.set()
        self._on_change()

    def _say_lost(self, error: Exception | None) -> None:
        why = self._reason or error
        if self._up:
            self._say(f"connection to {self._where} lost" + (f": {why}" if why else ""))
        elif not self._refused_now:
            self._say(f"no login at {self._where}: {why or 'it closed the connection'}")

    def _say(self, detail: str) -> None:
        if detail != self._said:
            log.warning("%s", detail)
        self._said = self.detail = detail

    def _next_pause(self) -> float:
        """1, 2, 4 ... seconds with jitter; after a refused login 60 s up to 15 minutes."""
        settings = self._settings
        longest = settings.reconnect_max
        if self._refused:
            self._pause = max(self._pause, settings.login_retry)
            longest = max(_LONGEST_LOGIN_PAUSE, settings.login_retry)
        pause = self._pause
        self._pause = min(2 * pause, longest)
        return pause * random.uniform(0.8, 1.2)

    async def _leave(self) -> None:
        """Wait a little for the results that are due, then close."""
        session, link = self._session, self._link
        if session is None or link is None:
            return
        session.leave()
        link.wake()
        try:
            async with asyncio.timeout(_PATIENCE_AT_THE_END):
                await self._gone.wait()
        except TimeoutError:
            link.abort()


def _tls(settings: UcpSettings) -> ssl.SSLContext | None:
    """Raises ValueError for a file that cannot be used."""
    if not settings.tls:
        return None
    try:
        return ssl.create_default_context(cafile=settings.tls_ca or None)
    except OSError as error:  # ssl.SSLError is one
        raise ValueError(f"tls_ca: {settings.tls_ca}: {error.strerror or error}") from None
