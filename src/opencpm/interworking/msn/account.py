"""One signed-on account: its connection to the notification server, kept up."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import Any

from opencpm.domain.account import AccountState, AccountStatus
from opencpm.domain.address import Address
from opencpm.domain.presence import UNKNOWN, Presence
from opencpm.domain.profile import Availability, Reach
from opencpm.domain.session import CloseReason
from opencpm.domain.subscriber import LinkedAccount
from opencpm.interworking.msn import passport, reasons
from opencpm.interworking.msn.backoff import Cause, Ending, for_people, pause
from opencpm.interworking.msn.buddies import Buddies
from opencpm.interworking.msn.conversation import Conversation
from opencpm.interworking.msn.desk import Desk, moment
from opencpm.interworking.msn.listing import Listing
from opencpm.interworking.msn.passes import Passes
from opencpm.protocols.msnp import commands, events
from opencpm.protocols.msnp.commands import Endpoint, Lists
from opencpm.protocols.msnp.errors import Kind, MsnpError, Trouble
from opencpm.protocols.msnp.notification import NotificationClient, SignOn
from opencpm.protocols.msnp.passport import PassportLogin, Ticket
from opencpm.transport.link import Link, dial

log = logging.getLogger("opencpm.interworking.msn")


class State(Enum):
    """How the account is; the value is what people read."""

    CONNECTING = "signing in"
    ONLINE = "signed in"
    WAITING = "waiting to sign in again"
    CREDENTIALS = "wrong password"
    ELSEWHERE = "signed in elsewhere"
    STOPPED = "stopped"


_TOLD = {
    State.CONNECTING: AccountState.CONNECTING,
    State.ONLINE: AccountState.CONNECTED,
    State.WAITING: AccountState.UNREACHABLE,
    State.CREDENTIALS: AccountState.BAD_CREDENTIALS,
    State.ELSEWHERE: AccountState.ELSEWHERE,
}


class Account:
    """Signs in, stays signed in, and keeps the account's conversations."""

    def __init__(self, linked: LinkedAccount, password: str, desk: Desk, changed: Callable[[], None]) -> None:
        self.linked, self.desk = linked, desk
        self.address = linked.address.value
        self.password = password
        self.state = State.CONNECTING
        self.detail = ""
        self.since = desk.clock.now()
        self.buddies = Buddies(moment)
        self.passes = Passes(self._ask_pass, desk.settings.switchboard_interval, desk.settings.switchboards_opening)
        self.listing = Listing(self.buddies, self._add, desk.settings)
        self._changed = changed
        self._conversations: dict[str, Conversation] = {}
        self._machine: NotificationClient | None = None
        self._link: Link[events.NotificationEvent] | None = None
        self._ended: asyncio.Future[Ending] | None = None
        self._signed_in_at = 0.0
        self._again = asyncio.Event()
        self._closed = asyncio.Event()  # the connection of the last sign-on is gone
        self._settled = asyncio.Event()  # the login has come to an end, good or bad
        self._login_url = desk.settings.login_url
        self._server = commands.endpoint(desk.settings.server)

    # --- what others ask -----------------------------------------------------------------------------------------

    def check(self) -> None:
        """Raises SendError with the reason why nothing can be sent now."""
        match self.state:
            case State.ONLINE:
                return
            case State.CREDENTIALS:
                raise reasons.wrong_password(self.address)
            case State.ELSEWHERE:
                raise reasons.elsewhere(self.address)
            case _:
                raise reasons.down(f"{self.address} is not signed in")

    def reach(self, peer: str) -> Reach:
        """What is known of a buddy."""
        if self.state is not State.ONLINE:
            return Reach(Availability.UNKNOWN, detail=f"{self.address}: {self.describe_state()}")
        return self.buddies.reach(peer)

    def conversation(self, peer: str) -> Conversation:
        """The talk with a buddy, made when there is none."""
        if peer not in self._conversations:
            self._conversations[peer] = Conversation(self, peer)
        return self._conversations[peer]

    def conversation_for_sending(self, peer: str) -> Conversation:
        """The same, if something can be sent now: signed in, or by a switchboard that outlived it. Raises SendError."""
        standing = self._conversations.get(peer)
        if standing is not None and standing.board is not None:
            return standing
        self.check()
        return self.conversation(peer)

    def existing(self, peer: str) -> Conversation | None:
        return self._conversations.get(peer)

    def home(self, conversation: Conversation) -> Conversation:
        """The one conversation with this peer: the given one, unless it was forgotten and another has begun."""
        return self._conversations.setdefault(conversation.peer, conversation)

    def tidy(self, conversation: Conversation) -> None:
        """Forget a conversation in which nothing goes on."""
        if conversation.idle and self._conversations.get(conversation.peer) is conversation:
            del self._conversations[conversation.peer]

    def describe_state(self) -> str:
        """For the operator."""
        return self.detail or self.state.value

    def describe(self) -> Mapping[str, Any]:
        contacts, online = self.buddies.counts()
        return {
            "owner": self.linked.owner,
            "address": str(self.linked.address),
            "state": self.state.value,
            "detail": self.detail,
            "since": self.since,
            "contacts": contacts,
            "online": online,
            "switchboards": sum(conversation.boards for conversation in self._conversations.values()),
        }

    # --- staying signed in ---------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Be signed in until cancelled; then leave everything in good order."""
        failures = 0
        try:
            while True:
                ending = await self._sign_on()
                failures = 1 if ending.lasted >= self.desk.settings.stable_after else failures + 1
                await self._rest(ending, failures)
                if self._again.is_set():
                    failures = 0
        finally:
            await self._sign_off()

    def try_again(self, password: str) -> None:
        """The password was changed, or the person wants the account back here."""
        self.password = password
        self._again.set()
        if self._ended is not None and not self._ended.done() and self.state is State.ONLINE:
            return  # the new password counts from the next sign-on
        self._end(Cause.LOST, "new password")

    async def _rest(self, ending: Ending, failures: int) -> None:
        wait = pause(ending, failures, self.desk.settings, random.random())
        waiting = {Cause.CREDENTIALS: State.CREDENTIALS, Cause.ELSEWHERE: State.ELSEWHERE}
        when = f"; next try in {wait:.0f} s" if wait else ""
        self._set(waiting.get(ending.cause, State.WAITING), for_people(ending) + when)
        self._again.clear()
        try:
            async with asyncio.timeout(wait):
                await self._again.wait()
        except TimeoutError:
            pass

    async def _sign_on(self) -> Ending:
        """One sign-on, from connecting to its end."""
        settings = self.desk.settings
        self._set(State.CONNECTING, "")
        self._signed_in_at = 0.0
        ended: asyncio.Future[Ending] = asyncio.get_running_loop().create_future()
        machine = NotificationClient(SignOn(self.address, settings.dialects, step_timeout=settings.step_timeout))
        self._ended, self._machine = ended, machine
        self._closed.clear()
        self._settled.clear()
        try:
            async with self.desk.gate:
                await self._connect(machine)
                await self._settled.wait()
        except OSError as error:
            self._server = commands.endpoint(settings.server)
            return Ending(Cause.LOST, f"{settings.server} cannot be reached ({_short(error)})")
        try:
            return await ended
        finally:
            self._off()

    async def _connect(self, machine: NotificationClient) -> None:
        self._link = await dial(
            machine,
            *self._server,
            on_events=self._on_events,
            on_lost=self._on_lost,
            on_ready=lambda link: machine.start(moment()),
            patience=self.desk.settings.connect_timeout,
        )

    def _off(self) -> None:
        """Signed off, for whatever reason. Switchboards live on: they are connections of their own."""
        error = reasons.down(f"{self.address} was signed out")
        self.passes.fail(error)
        self.listing.fail(error)
        for peer in self.buddies.end():
            self._tell_presence(peer, UNKNOWN)

    async def _sign_off(self) -> None:
        for conversation in tuple(self._conversations.values()):
            conversation.shut(CloseReason.SHUTDOWN, f"{self.address} is signed out")
        link, machine = self._link, self._machine
        self._set(State.STOPPED, "")
        if link is not None and machine is not None:
            machine.sign_off(moment())
            link.wake()

    async def left(self) -> None:
        """Wait until every connection is closed (after `run` was cancelled)."""
        await asyncio.gather(*(conversation.leave() for conversation in tuple(self._conversations.values())))
        if self._link is not None:
            await self._closed.wait()

    def _end(self, cause: Cause, text: str, wait: float = 0.0) -> None:
        self._settled.set()
        if self._ended is not None and not self._ended.done():
            lasted = moment() - self._signed_in_at if self._signed_in_at else 0.0
            self._ended.set_result(Ending(cause, text, wait, lasted))
        if self._link is not None:
            self._link.close()

    def _set(self, state: State, detail: str) -> None:
        if (state, detail) == (self.state, self.detail):
            return
        if state is not self.state:
            self.since = self.desk.clock.now()
            level = logging.INFO if state in (State.CONNECTING, State.ONLINE, State.STOPPED) else logging.WARNING
            log.log(level, "%s: %s", self.address, detail or state.value)
        self.state, self.detail = state, detail
        if state in _TOLD:
            status = AccountStatus(_TOLD[state], self.describe_state(), self.since)
            self.desk.inbox.account_changed(self.desk.name, self.linked.owner, self.linked.address, status)
        self._changed()

    # --- what the machine says -----------------------------------------------------------------------------------

    def _on_events(self, link: Link[events.NotificationEvent], found: Sequence[events.NotificationEvent]) -> None:
        for event in found:
            if not self._of_login(event):
                self._of_service(event)

    def _on_lost(self, link: Link[events.NotificationEvent], error: Exception | None) -> None:
        if link is self._link or self._link is None:
            self._link = None
            self._closed.set()
            self._end(Cause.LOST, _short(error) if error else "the server closed the connection")

    def _of_login(self, event: events.NotificationEvent) -> bool:
        match event:
            case events.TicketWanted(parameters):
                self.desk.spawn(self._fetch_ticket(parameters))
            case events.SignedIn(dialect, contacts):
                self._signed_in(dialect, contacts)
            case events.Redirected(endpoint):
                self._redirected(endpoint)
            case events.SignedOff(reason, minutes):
                self._signed_off(reason, minutes)
            case events.Failed(step, text, trouble):
                self._failed(step, text, trouble)
            case _:
                return False
        return True

    def _of_service(self, event: events.NotificationEvent) -> None:
        match event:
            case events.PresenceChanged(presence):
                self.buddies.changed(presence)
                self._tell_presence(presence.address, self.buddies.presence(presence.address))
            case events.ListChanged():
                self.listing.changed(event)
            case events.SwitchboardGranted(trid, entry):
                self.passes.granted(trid, entry)
            case events.Refused(trid, verb, trouble, subject):
                self._refused(trid, verb, trouble, subject)
            case events.Rang(ring):
                self.desk.spawn(self.conversation(ring.inviter).answer(ring))
            case _:
                pass

    async def _fetch_ticket(self, parameters: str) -> None:
        machine, settings = self._machine, self.desk.settings
        try:
            login = PassportLogin(self.address, self.password, parameters, settings.nexus_url, self._login_url)
        except MsnpError as error:
            self._end(Cause.LOST, str(error))
            return
        result = await passport.fetch(login, self.desk.tls, settings.step_timeout)
        if machine is not self._machine or machine is None or self._link is None:
            return  # that sign-on is over
        if isinstance(result, Ticket):
            self._login_url = result.login_url
            try:
                machine.ticket(result.ticket, moment())
            except MsnpError as error:
                self._end(Cause.LOST, str(error))
            self._wake()
        else:
            self._login_url = settings.login_url
            self._end(Cause.CREDENTIALS if result.credentials else Cause.LOST, result.text)

    def _signed_in(self, dialect: str, contacts: Sequence[commands.Contact]) -> None:
        self._signed_in_at = moment()
        self._settled.set()
        self.buddies.begin(contacts)
        self._set(State.ONLINE, f"signed in ({dialect})")
        for contact in contacts:
            if self.buddies.status(contact.address):
                self._tell_presence(contact.address, self.buddies.presence(contact.address))
        self.listing.allow(self.buddies.undecided())

    def _redirected(self, endpoint: Endpoint) -> None:
        self._server = endpoint
        self._end(Cause.REDIRECTED, f"sent on to {endpoint.host}")

    def _signed_off(self, reason: str, minutes: int) -> None:
        if reason == "OTH":
            self._end(Cause.ELSEWHERE, "")
        else:
            self._end(Cause.GOING_DOWN, "", minutes * 60.0)

    def _failed(self, step: str, text: str, trouble: Trouble | None) -> None:
        kind = trouble.kind if trouble else Kind.TEMPORARY
        said = f"{step or 'service'}: {text}" + (f" ({trouble.code})" if trouble else "")
        if kind is Kind.AUTHENTICATION:
            self._end(Cause.CREDENTIALS, said)
        elif kind is Kind.BUSY and trouble:
            self._end(Cause.BUSY, said, trouble.retry_after)
        else:
            self._end(Cause.LOST, said)

    def _refused(self, trid: int, verb: str, trouble: Trouble | None, subject: str) -> None:
        if verb == "XFR":
            error = reasons.refused(trouble, self.address) if trouble else reasons.down("no switchboard was given")
            self.passes.refused(trid, error)
        elif verb in ("ADD", "ADC"):
            self.listing.refused(trid, trouble, subject)

    # --- small things --------------------------------------------------------------------------------------------

    def _online(self) -> NotificationClient:
        self.check()
        if self._machine is None:
            raise reasons.down(f"{self.address} is not signed in")
        return self._machine

    def _add(self, which: Lists, peer: str, name: str) -> int:
        try:
            trid = self._online().add(which, peer, name, moment())
        except MsnpError as error:
            raise reasons.down(str(error)) from error
        self._wake()
        return trid

    def _ask_pass(self) -> int:
        try:
            trid = self._online().switchboard(moment())
        except MsnpError as error:
            raise reasons.down(str(error)) from error
        self._wake()
        return trid

    def _wake(self) -> None:
        if self._link is not None:
            self._link.wake()

    def _tell_presence(self, peer: str, presence: Presence) -> None:
        inbox, linked = self.desk.inbox, self.linked
        inbox.presence_changed(self.desk.name, linked.owner, Address("msn", peer), presence, linked.address)


def _short(error: BaseException | None) -> str:
    return (str(error) or type(error).__name__)[:120]
