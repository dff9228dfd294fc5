"""One linked account: signed in, kept signed in, with its conversations."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any

from opencpm.domain.account import AccountState, AccountStatus
from opencpm.domain.address import Address
from opencpm.domain.presence import UNKNOWN, Presence, note_of
from opencpm.domain.profile import Availability, Reach
from opencpm.domain.session import CloseReason
from opencpm.domain.subscriber import LinkedAccount
from opencpm.interworking.msn import reasons
from opencpm.interworking.msn.backoff import Cause, Ending, for_people, pause
from opencpm.interworking.msn.board import Board, Hear
from opencpm.interworking.msn.book import AddressBook
from opencpm.interworking.msn.buddies import Buddies, shown
from opencpm.interworking.msn.conversation import Conversation
from opencpm.interworking.msn.desk import Desk, moment
from opencpm.interworking.msn.line import Line
from opencpm.interworking.msn.listing import Listing
from opencpm.interworking.msn.offline import Offline
from opencpm.interworking.msn.passes import Passes
from opencpm.interworking.msn.proof import Proof
from opencpm.interworking.msn.roster import Roster
from opencpm.protocols.msnp import commands, events
from opencpm.protocols.msnp.commands import Pass
from opencpm.protocols.msnp.errors import MsnpError, Trouble
from opencpm.protocols.msnp.notification import NotificationClient

log = logging.getLogger("opencpm.interworking.msn")

_LIST_VERBS = frozenset({"ADD", "ADC", "REM", "ADL", "RML"})


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
        settings = desk.settings
        self.linked, self.desk = linked, desk
        self.address = linked.address.value
        self.state = State.CONNECTING
        self.detail = ""
        self.since = desk.clock.now()
        self.buddies = Buddies(moment)
        self.passes = Passes(self._ask_pass, settings.switchboard_interval, settings.switchboards_opening)
        self._proof = Proof(self.address, settings, desk.web, desk.clock.now)
        self._proof.password = password
        self.listing = Listing(self.buddies, self._ask, settings, AddressBook(settings, desk.web, self._proof))
        self.offline = Offline(self, desk, self._proof, lambda: self._line)
        self._roster = Roster(linked, desk, self.listing, lambda: self.buddies.contacts, self._groups)
        self._changed = changed
        self._conversations: dict[tuple[str, str], Conversation] = {}  # by peer and group
        self._line: Line | None = None
        self._published = ("", "")  # status and personal message
        self._again = asyncio.Event()
        self._server = commands.endpoint(settings.server)

    @property
    def password(self) -> str:
        return self._proof.password

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

    def conversation(self, peer: str, group: str = "") -> Conversation:
        """The talk with a buddy, made when there is none. What is said in a group has switchboards of its own: an
        answer there must not be taken for one to a message that only the two know."""
        if (peer, group) not in self._conversations:
            self._conversations[peer, group] = Conversation(self, peer, group)
        return self._conversations[peer, group]

    def conversation_for_sending(self, peer: str) -> Conversation:
        """The same, if something can be sent now: signed in, or by a switchboard that outlived it. Raises SendError."""
        standing = self.existing(peer)
        if standing is not None and standing.board is not None:
            return standing
        self.check()
        return self.conversation(peer)

    def existing(self, peer: str) -> Conversation | None:
        return self._conversations.get((peer, ""))

    def home(self, conversation: Conversation) -> Conversation:
        """The one conversation with this peer and group: the given one, unless it was forgotten and another began."""
        return self._conversations.setdefault(conversation.key, conversation)

    def tidy(self, conversation: Conversation) -> None:
        """Forget a conversation in which nothing goes on."""
        if conversation.idle and self._conversations.get(conversation.key) is conversation:
            del self._conversations[conversation.key]

    def board(self, entry: Pass, session: str, hear: Hear) -> Board:
        """A switchboard connection of this account."""
        return Board(self.address, entry, session, self.desk, self.listing.dialect, hear)

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
            self._sign_off()

    def try_again(self, password: str) -> None:
        """The password was changed, or the person wants the account back here."""
        self._proof.password = password
        self._again.set()
        if self._line is not None and self.state is not State.ONLINE:
            self._line.end(Cause.LOST, "new password")  # signed in, it counts from the next sign-on

    def follow(self) -> None:
        """The subscriber may have changed how they appear, or their contacts."""
        line = self._line
        if line is not None and line.online:
            self._publish(line)
        self._roster.follow()

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
        self._set(State.CONNECTING, "")
        self._published = self._appearance()
        line = Line(self.address, self._proof, self.desk, *self._published, self._hear)
        self._line = line
        try:
            ending = await line.run(self._server)
        finally:
            self._off()
        self._server = line.redirected or commands.endpoint(self.desk.settings.server)
        return ending

    def _off(self) -> None:
        """Signed off, for whatever reason. Switchboards live on: they are connections of their own."""
        error = reasons.down(f"{self.address} was signed out")
        self.passes.fail(error)
        self.listing.fail(error)
        self._roster.end()
        for peer in self.buddies.end():
            self._tell_presence(peer, UNKNOWN)

    def _sign_off(self) -> None:
        for conversation in tuple(self._conversations.values()):
            conversation.shut(CloseReason.SHUTDOWN, f"{self.address} is signed out")
        self._set(State.STOPPED, "")
        if self._line is not None:
            self._line.sign_off()

    async def left(self) -> None:
        """Wait until every connection is closed (after `run` was cancelled)."""
        await asyncio.gather(*(conversation.leave() for conversation in tuple(self._conversations.values())))
        if self._line is not None:
            await self._line.gone.wait()

    def _set(self, state: State, detail: str) -> None:
        if (state, detail) == (self.state, self.detail) and state is not State.CONNECTING:
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

    # --- how the subscriber appears ------------------------------------------------------------------------------

    def _appearance(self) -> tuple[str, str]:
        """Status and personal message."""
        subscriber = self.desk.directory.subscriber(self.linked.owner)
        mine = subscriber.presence if subscriber is not None else Presence(Availability.AVAILABLE)
        return shown(mine.availability), note_of(mine.note)

    def _publish(self, line: Line) -> None:
        status, note = wanted = self._appearance()
        before, self._published = self._published, wanted
        if wanted == before:
            return
        try:
            if note != before[1]:
                line.machine.personal_message(note, moment())
            if status != before[0]:
                line.machine.status(status, moment())
        except MsnpError as error:
            log.warning("%s: %s", self.address, error)
        line.wake()

    # --- what the service says -----------------------------------------------------------------------------------

    def _hear(self, event: events.NotificationEvent) -> None:
        match event:
            case events.SignedIn():
                self._signed_in(event)
            case events.PresenceChanged(presence):
                self._presence(presence)
            case events.NoteChanged(address, text):
                if self.buddies.noted(address, text) and self.buddies.status(address):
                    self._tell_presence(address, self.buddies.presence(address))
            case events.ListChanged() | events.GroupingChanged() | events.GroupChanged():
                self._list_changed(event)
            case events.SwitchboardGranted(trid, entry):
                self.passes.granted(trid, entry)
            case events.Refused(trid, verb, trouble, subject):
                self._refused(trid, verb, trouble, subject)
            case events.Rang(ring):
                self.desk.spawn(self._rung(ring.inviter).answer(ring))
            case events.OfflineWaiting(waiting, complete):
                self.offline.waiting(waiting, complete)
            case _:
                pass

    def _signed_in(self, event: events.SignedIn) -> None:
        assert self._line is not None
        self.listing.dialect = self._line.machine.dialect
        self.buddies.begin(event.contacts)
        self._set(State.ONLINE, f"signed in ({event.dialect})")
        for contact in event.contacts:
            if self.buddies.status(contact.address):
                self._tell_presence(contact.address, self.buddies.presence(contact.address))
        self._roster.begin()
        self._publish(self._line)  # what was changed while signing in

    def _presence(self, presence: commands.Presence) -> None:
        self.buddies.changed(presence)
        self._tell_presence(presence.address, self.buddies.presence(presence.address))
        if presence.state == commands.OFFLINE:
            for conversation in self._with(presence.address):
                conversation.peer_is_offline()

    def _with(self, peer: str) -> list[Conversation]:
        return [conversation for conversation in self._conversations.values() if conversation.peer == peer]

    def _rung(self, peer: str) -> Conversation:
        """Where a window that a buddy opens belongs: if just one session with them has fallen asleep, that is the one
        they write on in."""
        asleep = [conversation for conversation in self._with(peer) if conversation.asleep]
        return asleep[0] if len(asleep) == 1 else self.conversation(peer)

    def _list_changed(self, event: events.ListChanged | events.GroupingChanged | events.GroupChanged) -> None:
        match event:
            case events.ListChanged():
                before = self.buddies.status(event.contact.address)
                self.listing.changed(event)
                if before and not self.buddies.status(event.contact.address):
                    self._tell_presence(event.contact.address, UNKNOWN)
            case events.GroupingChanged(contact=contact):
                self.buddies.listed(contact)
            case _:
                pass
        self._roster.changed()

    def _refused(self, trid: int, verb: str, trouble: Trouble | None, subject: str) -> None:
        if verb == "XFR":
            error = reasons.refused(trouble, self.address) if trouble else reasons.down("no switchboard was given")
            self.passes.refused(trid, error)
        elif verb in _LIST_VERBS:
            self.listing.refused(trid, trouble, subject, verb)

    # --- small things --------------------------------------------------------------------------------------------

    def _ask(self, act: Callable[[NotificationClient, float], int]) -> int:
        self.check()
        if self._line is None:
            raise reasons.down(f"{self.address} is not signed in")
        return self._line.ask(act)

    def _ask_pass(self) -> int:
        return self._ask(lambda machine, now: machine.switchboard(now))

    def _groups(self) -> dict[str, str]:
        return self._line.machine.groups if self._line is not None else {}

    def _tell_presence(self, peer: str, presence: Presence) -> None:
        inbox, linked = self.desk.inbox, self.linked
        inbox.presence_changed(self.desk.name, linked.owner, Address("msn", peer), presence, linked.address)
