"""One sign-on of an account: the connection to the server, from dialing to its end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from opencpm.interworking.yahoo import reasons
from opencpm.interworking.yahoo.backoff import Cause, Ending
from opencpm.interworking.yahoo.desk import Desk, moment
from opencpm.protocols.ymsg import Packet, SignOn, YmsgClient, YmsgError, events
from opencpm.protocols.ymsg.client import State
from opencpm.protocols.ymsg.errors import Kind, Trouble
from opencpm.protocols.ymsg.weblogin import LoginRefused
from opencpm.transport.link import Link, dial

Hear = Callable[[events.Event], None]

_CAUSES = {
    Kind.CREDENTIALS: Cause.CREDENTIALS,
    Kind.ELSEWHERE: Cause.ELSEWHERE,
    Kind.UNSUPPORTED: Cause.UNSUPPORTED,
    Kind.TEMPORARY: Cause.LOST,
}


class Line:
    """`hear` gets what the service says, from `SignedIn` on, and never after the end."""

    def __init__(self, user: str, password: str, desk: Desk, invisible: bool, hear: Hear) -> None:
        settings = desk.settings
        self.machine = YmsgClient(
            SignOn(
                user,
                password,
                settings.version,
                invisible=invisible,
                build=settings.build,
                step_timeout=settings.step_timeout,
            )
        )
        self.gone = asyncio.Event()
        self._user, self._password, self._desk, self._hear = user, password, desk, hear
        self._link: Link[events.Event] | None = None
        self._ended: asyncio.Future[Ending] = asyncio.get_running_loop().create_future()
        self._settled = asyncio.Event()  # the login has come to an end, good or bad
        self._signed_in_at = 0.0

    @property
    def online(self) -> bool:
        return self.machine.state is State.ONLINE and self._link is not None and not self._ended.done()

    async def run(self) -> Ending:
        """Sign in and stay signed in."""
        host, port = self._desk.settings.endpoint
        async with self._desk.gate.place():
            try:
                await self._connect(host, port)
            except OSError as error:
                self.gone.set()
                return Ending(Cause.LOST, f"{host}:{port} cannot be reached ({_short(error)})")
            await self._settled.wait()
        return await self._ended

    def end(self, cause: Cause, text: str) -> None:
        """This sign-on is over."""
        self._settled.set()
        if not self._ended.done():
            lasted = moment() - self._signed_in_at if self._signed_in_at else 0.0
            self._ended.set_result(Ending(cause, text, lasted))
        if self._link is not None:
            self._link.close()

    def sign_off(self) -> None:
        """Leave in good order; `gone` is set when the connection is closed."""
        if self._link is None:
            self.gone.set()
        else:
            self.machine.sign_off()
            self._link.wake()

    def put(self, *packets: Packet | None) -> None:
        """Send requests. Raises SendError when that cannot be."""
        if not self.online:
            raise reasons.down(f"{self._user} is not signed in")
        try:
            self.machine.put(*packets)
        except YmsgError as error:
            raise reasons.down(str(error)) from error
        self._wake()

    def ask(self) -> int:
        """Ask for a sign of life behind everything put; its number. Raises SendError."""
        if not self.online:
            raise reasons.down(f"{self._user} is not signed in")
        number = self.machine.keepalive(moment())
        self._wake()
        return number

    def _wake(self) -> None:
        if self._link is not None:
            self._link.wake()

    # --- the connection ------------------------------------------------------------------------------------------

    async def _connect(self, host: str, port: int) -> None:
        self._link = await dial(
            self.machine,
            host,
            port,
            on_events=self._on_events,
            on_lost=self._on_lost,
            on_ready=lambda link: self.machine.start(moment()),
            patience=self._desk.settings.connect_timeout,
        )
        if self.gone.is_set():  # lost before `dial` had returned
            self._link = None

    def _on_events(self, link: Link[events.Event], found: Sequence[events.Event]) -> None:
        for event in found:
            if not self._ended.done() and not self._of_login(event):
                self._hear(event)

    def _on_lost(self, link: Link[events.Event], error: Exception | None) -> None:
        self._link = None
        self.gone.set()
        if not self._ended.done():
            for event in self.machine.lost():
                self._of_login(event)
        self.end(Cause.LOST, _short(error) if error else "the server closed the connection")

    def _of_login(self, event: events.Event) -> bool:
        match event:
            case events.TokenWanted(challenge):
                self._desk.spawn(self._prove(challenge))
            case events.SignedIn():
                self._signed_in_at = moment()
                self._settled.set()
                return False
            case events.Failed(step, trouble):
                self._failed(step, trouble)
            case events.Closed():
                said = "the server closed the connection" if self.gone.is_set() else ""
                self.end(Cause.LOST if said else Cause.GOING_DOWN, said)
            case _:
                return False
        return True

    def _failed(self, step: str, trouble: Trouble) -> None:
        code = f" ({trouble.code})" if trouble.code else ""
        said = trouble.text if trouble.kind is Kind.CREDENTIALS else f"{step}: {trouble.text}"
        self.end(_CAUSES[trouble.kind], f"{said}{code}")

    async def _prove(self, challenge: str) -> None:
        try:
            proof = await self._desk.web.prove(self._user, self._password, challenge)
        except LoginRefused as refused:
            self._failed("web login", refused.trouble)
            return
        if self._link is None or self._ended.done():
            return
        try:
            self.machine.token(proof.crumb, proof.cookies, moment())
        except YmsgError as error:
            self.end(Cause.LOST, str(error))
        self._wake()


def _short(error: BaseException | None) -> str:
    return (str(error) or type(error).__name__)[:120]
