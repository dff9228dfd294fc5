"""One sign-on of an account: the connection to the notification server, from dialing to its end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from opencpm.interworking.msn import reasons
from opencpm.interworking.msn.backoff import Cause, Ending
from opencpm.interworking.msn.book import AddressBook, BookError
from opencpm.interworking.msn.desk import Desk, machine_of, moment
from opencpm.interworking.msn.proof import Denied, Proof
from opencpm.protocols.msnp import events
from opencpm.protocols.msnp.commands import Endpoint
from opencpm.protocols.msnp.errors import Kind, MsnpError, Trouble
from opencpm.protocols.msnp.notification import NotificationClient, SignOn, State
from opencpm.transport.link import Link, dial

Hear = Callable[[events.NotificationEvent], None]


class Line:
    """`hear` gets what the service says, from `SignedIn` on."""

    def __init__(self, address: str, proof: Proof, desk: Desk, status: str, note: str, hear: Hear) -> None:
        settings = desk.settings
        self.machine = NotificationClient(
            SignOn(
                address,
                settings.offered,
                status,
                product=settings.product,
                step_timeout=settings.step_timeout,
                machine=machine_of(address, desk.name),
                message=note,
            )
        )
        self.redirected: Endpoint | None = None
        self.gone = asyncio.Event()
        self._address, self._proof, self._desk, self._hear = address, proof, desk, hear
        self._link: Link[events.NotificationEvent] | None = None
        self._ended: asyncio.Future[Ending] = asyncio.get_running_loop().create_future()
        self._settled = asyncio.Event()  # the login has come to an end, good or bad
        self._signed_in_at = 0.0

    @property
    def online(self) -> bool:
        return self.machine.state is State.ONLINE and self._link is not None

    async def run(self, server: Endpoint) -> Ending:
        """Sign in and stay signed in."""
        async with self._desk.gate.place():
            try:
                await self._connect(server)
            except OSError as error:
                self.gone.set()
                return Ending(Cause.LOST, f"{server.host}:{server.port} cannot be reached ({_short(error)})")
            await self._settled.wait()
        return await self._ended

    def end(self, cause: Cause, text: str, wait: float = 0.0) -> None:
        """This sign-on is over."""
        self._settled.set()
        if not self._ended.done():
            lasted = moment() - self._signed_in_at if self._signed_in_at else 0.0
            self._ended.set_result(Ending(cause, text, wait, lasted))
        if self._link is not None:
            self._link.close()

    def sign_off(self) -> None:
        """Leave in good order; `gone` is set when the connection is closed."""
        if self._link is None:
            self.gone.set()
        else:
            self.machine.sign_off(moment())
            self._link.wake()

    def ask(self, act: Callable[[NotificationClient, float], int]) -> int:
        """Have the machine ask for something; returns the transaction id. Raises SendError when that cannot be."""
        if not self.online:
            raise reasons.down(f"{self._address} is not signed in")
        try:
            trid = act(self.machine, moment())
        except MsnpError as error:
            raise reasons.down(str(error)) from error
        self.wake()
        return trid

    def wake(self) -> None:
        if self._link is not None:
            self._link.wake()

    # --- the connection ------------------------------------------------------------------------------------------

    async def _connect(self, server: Endpoint) -> None:
        self._link = await dial(
            self.machine,
            *server,
            on_events=self._on_events,
            on_lost=self._on_lost,
            on_ready=lambda link: self.machine.start(moment()),
            tls=self._desk.tls,
            patience=self._desk.settings.connect_timeout,
        )
        if self.gone.is_set():  # lost before `dial` had returned
            self._link = None

    def _on_events(self, link: Link[events.NotificationEvent], found: Sequence[events.NotificationEvent]) -> None:
        for event in found:
            if not self._of_login(event):
                self._hear(event)

    def _on_lost(self, link: Link[events.NotificationEvent], error: Exception | None) -> None:
        self._link = None
        self.gone.set()
        self.end(Cause.LOST, _short(error) if error else "the server closed the connection")

    def _of_login(self, event: events.NotificationEvent) -> bool:
        match event:
            case events.TicketWanted():
                self._desk.spawn(self._prove(event))
            case events.ListsWanted():
                self._desk.spawn(self._give_lists())
            case events.SignedIn():
                self._signed_in_at = moment()
                self._settled.set()
                self._hear(event)
            case events.Redirected(endpoint):
                self.redirected = endpoint
                self.end(Cause.REDIRECTED, f"sent on to {endpoint.host}")
            case events.SignedOff("OTH"):
                self.end(Cause.ELSEWHERE, "")
            case events.SignedOff(_, minutes):
                self.end(Cause.GOING_DOWN, "", minutes * 60.0)
            case events.Failed(step, text, trouble):
                self._failed(step, text, trouble)
            case _:
                return False
        return True

    def _failed(self, step: str, text: str, trouble: Trouble | None) -> None:
        kind = trouble.kind if trouble else Kind.TEMPORARY
        said = f"{step or 'service'}: {text}" + (f" ({trouble.code})" if trouble else "")
        if kind is Kind.AUTHENTICATION:
            self.end(Cause.CREDENTIALS, said)
        elif kind is Kind.BUSY and trouble:
            self.end(Cause.BUSY, said, trouble.retry_after)
        else:
            self.end(Cause.LOST, said)

    # --- what the login asks for ---------------------------------------------------------------------------------

    async def _prove(self, wanted: events.TicketWanted) -> None:
        try:
            ticket, response = await self._proof.answer(wanted)
        except Denied as denied:
            self.end(Cause.CREDENTIALS if denied.credentials else Cause.LOST, str(denied))
            return
        self._go_on(lambda: self.machine.ticket(ticket, moment(), response))

    async def _give_lists(self) -> None:
        settings = self._desk.settings
        try:
            book, contacts = await AddressBook(settings, self._desk.web, self._proof).read()
        except BookError as error:
            self.end(Cause.LOST, str(error))
            return
        self._go_on(
            lambda: self.machine.lists(
                contacts, moment(), groups=book.groups, privacy=book.privacy, name=book.name or self._address
            )
        )

    def _go_on(self, step: Callable[[], None]) -> None:
        """The next step of the login, unless this sign-on is over meanwhile."""
        if self._link is None or self._ended.done():
            return
        try:
            step()
        except MsnpError as error:
            self.end(Cause.LOST, str(error))
        self.wake()


def _short(error: BaseException | None) -> str:
    return (str(error) or type(error).__name__)[:120]
