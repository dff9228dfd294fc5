"""One linked account: signed in, kept signed in, with its talks."""

from __future__ import annotations

import logging
import random
from asyncio import Event, timeout
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum
from typing import Any

from opencpm.domain.account import AccountState, AccountStatus
from opencpm.domain.delivery import Delivery
from opencpm.domain.errors import SendError
from opencpm.domain.presence import UNKNOWN, Presence
from opencpm.domain.profile import Availability, Reach
from opencpm.domain.report import Report, Status
from opencpm.domain.session import CloseReason
from opencpm.domain.subscriber import LinkedAccount
from opencpm.interworking.yahoo import adapt, reasons
from opencpm.interworking.yahoo.backoff import Cause, Ending, for_people, pause
from opencpm.interworking.yahoo.buddies import Buddies
from opencpm.interworking.yahoo.chat import Chat
from opencpm.interworking.yahoo.desk import Desk
from opencpm.interworking.yahoo.line import Line
from opencpm.interworking.yahoo.listing import Listing
from opencpm.interworking.yahoo.names import possible
from opencpm.interworking.yahoo.outbound import Outbound, Settle, outcome
from opencpm.interworking.yahoo.room import MOST_ROOMS
from opencpm.interworking.yahoo.roster import Roster
from opencpm.protocols.ymsg import Packet, events, requests, services

log = logging.getLogger("opencpm.interworking.yahoo")

_MAX_CHATS = 5000  # with people who are talked with; beyond that, what strangers say is still a message


class State(Enum):
    """How the account is; the value is what people read."""

    CONNECTING = "signing in"
    ONLINE = "signed in"
    WAITING = "waiting to sign in again"
    CREDENTIALS = "wrong id or password"
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
    """Signs in, stays signed in, and keeps the account's talks. `user` is its id on the wire."""

    def __init__(
        self, linked: LinkedAccount, user: str, password: str, desk: Desk, changed: Callable[[], None]
    ) -> None:
        self.linked, self.user, self.password, self.desk = linked, user, password, desk
        self.address = linked.address.value
        self.state = State.CONNECTING
        self.detail = ""
        self.since = desk.clock.now()
        self.buddies = Buddies()
        self.listing = Listing(user, self.buddies, self._put, desk.settings)
        self.rooms: dict[str, Chat] = {}
        self._out = Outbound(desk, lambda: self._line)
        self._roster = Roster(linked, desk, self.listing, self.buddies)
        self._changed = changed
        self._chats: dict[str, Chat] = {}
        self._held: dict[str, list[tuple[Sequence[Delivery], Settle]]] = {}  # until its receiver is known
        self._line: Line | None = None
        self._published = (services.AVAILABLE, "", 0)
        self._again = Event()

    # --- what others ask -----------------------------------------------------------------------------------------

    def check(self) -> None:
        """Raises SendError with the reason why nothing can be sent now."""
        match self.state:
            case State.ONLINE if self._line is not None and self._line.online:
                return
            case State.CREDENTIALS:
                raise reasons.wrong_password(self.address)
            case State.ELSEWHERE:
                raise reasons.elsewhere(self.address)
            case _:
                raise reasons.down(f"{self.address} is not signed in")

    def reach(self, user: str) -> Reach:
        """What is known of somebody."""
        if self.state is not State.ONLINE:
            return Reach(Availability.UNKNOWN, detail=f"{self.address}: {self.describe_state()}")
        return self.buddies.reach(user)

    def chat(self, peer: str) -> Chat:
        """The talk with somebody, made when there is none."""
        if peer not in self._chats:
            self._chats[peer] = Chat(self, peer)
        return self._chats[peer]

    @property
    def takes_rooms(self) -> bool:
        """Whether another conference can be gone into."""
        return self.desk.settings.conferences == "join" and len(self.rooms) < MOST_ROOMS

    def tidy(self, chat: Chat) -> None:
        """Forget a talk in which nothing goes on."""
        if chat.idle and self._chats.get(chat.peer) is chat:
            del self._chats[chat.peer]

    def send(self, chat: Chat, deliveries: Sequence[Delivery], settle: Settle) -> None:
        """Send texts to somebody; each is settled once."""
        try:
            self.check()
            self._check_there(chat)
        except SendError as error:
            settle([outcome(delivery, self.desk, error, "Yahoo") for delivery in deliveries])
            return
        if chat.peer in self._held:
            self._held[chat.peer].append((deliveries, settle))
        elif self.desk.settings.add_contacts and self.buddies.contact(chat.peer) is None:
            self._held[chat.peer] = [(deliveries, settle)]
            self.desk.spawn(self._known_first(chat))
        else:
            self._out.take(deliveries, chat, settle)

    def _check_there(self, chat: Chat) -> None:
        if self.desk.settings.offline_messages or chat.room is not None:
            return
        if self.buddies.availability(chat.peer) is Availability.OFFLINE:
            raise reasons.offline(chat.peer)

    async def _known_first(self, chat: Chat) -> None:
        """What is written to somebody waits, in order, until they are on the list, or known not to exist."""
        refused: SendError | None = reasons.down(f"{self.address} was signed out")
        try:
            await self.listing.know(chat.peer)
            self.check()
            refused = None
        except SendError as error:
            refused = error
        finally:
            for deliveries, settle in self._held.pop(chat.peer):
                if refused is None:
                    self._out.take(deliveries, chat, settle)
                else:
                    settle([outcome(delivery, self.desk, refused, "Yahoo") for delivery in deliveries])

    def tell(self, packet: Packet) -> bool:
        """Say something that nobody waits for; whether it could be said."""
        try:
            self._put(packet)
        except SendError:
            return False
        return True

    def acknowledge(self, peer: str, ident: str) -> None:
        """A text of version 16 is kept."""
        self.tell(requests.acknowledge(self.user, peer, ident))

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
            "talks": len(self._chats),
            "conferences": len(self.rooms),
        }

    # --- staying signed in ---------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Be signed in until cancelled; then leave in good order."""
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
        self.password = password
        self._again.set()
        if self._line is not None and self.state is State.CONNECTING:
            self._line.end(Cause.LOST, "new password")  # signed in, it counts from the next sign-on

    def follow(self) -> None:
        """The subscriber may have changed how they appear, or their contacts."""
        if self.state is State.ONLINE:
            self._publish()
        self._roster.follow()

    async def left(self) -> None:
        """Wait until the connection is closed (after `run` was cancelled)."""
        if self._line is not None:
            await self._line.gone.wait()

    async def _rest(self, ending: Ending, failures: int) -> None:
        wait = pause(ending, failures, self.desk.settings, random.random())
        waiting = {Cause.CREDENTIALS: State.CREDENTIALS, Cause.ELSEWHERE: State.ELSEWHERE}
        when = f"; next try in {wait:.0f} s" if wait else ""
        self._set(waiting.get(ending.cause, State.WAITING), for_people(ending) + when)
        try:
            async with timeout(wait):
                await self._again.wait()
        except TimeoutError:
            pass

    async def _sign_on(self) -> Ending:
        """One sign-on, from connecting to its end."""
        self._again.clear()
        self._set(State.CONNECTING, "")
        invisible = self._appearance()[0] == services.INVISIBLE
        self._published = (services.INVISIBLE if invisible else services.AVAILABLE, "", 0)
        line = Line(self.user, self.password, self.desk, invisible, self._hear)
        self._line = line
        ending = Ending(Cause.LOST, "stopped")
        try:
            ending = await line.run()
        finally:
            self._off(for_people(ending))
        return ending

    def _off(self, why: str) -> None:
        """Signed off, for whatever reason: whatever hung on the connection is over."""
        self.listing.fail(reasons.down(f"{self.address} was signed out"))
        self._roster.end()
        self._out.lost(why)
        self.rooms.clear()
        for chat in tuple(self._chats.values()):
            chat.shut(CloseReason.LOST, f"{self.address} was signed out: {why}")
        self._chats = {peer: chat for peer, chat in self._chats.items() if not chat.idle}
        for user in self.buddies.end():
            self._tell_presence(user, UNKNOWN)

    def _sign_off(self) -> None:
        self._set(State.STOPPED, "")
        if self._line is not None:
            self._line.sign_off()

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

    def _appearance(self) -> tuple[int, str, int]:
        """State, note, and the flag that goes with a note."""
        subscriber = self.desk.directory.subscriber(self.linked.owner)
        return adapt.shown(subscriber.presence if subscriber is not None else Presence(Availability.AVAILABLE))

    def _publish(self) -> None:
        wanted = self._appearance()
        if wanted == self._published:
            return
        self._published = wanted
        for packet in requests.status(self.desk.settings.version, *wanted):
            self.tell(packet)

    # --- what the service says -----------------------------------------------------------------------------------

    def _hear(self, event: events.Event) -> None:
        match event:
            case events.KeptAlive(number):
                self._out.answered(number)
            case events.SignedIn(contacts):
                self.buddies.listed(contacts)
                self._set(State.ONLINE, f"signed in (version {self.desk.settings.version})")
                self._out.begin()
                self._roster.begin()
                self._publish()
            case events.PresenceChanged(presences, all_others_offline):
                self._presences(self.buddies.changed(presences, all_others_offline))
            case events.TextAcknowledged(_, ident):
                self._confirmed(ident)
            case events.Notice():
                log.info("%s: a notice of the service to everybody", self.address)
            case _:
                self._hear_list(event)

    def _hear_list(self, event: events.Event) -> None:
        match event:
            case events.ListChanged(contacts):
                for user in self.buddies.listed(contacts):
                    self._tell_presence(user, UNKNOWN)
                self._roster.changed()
            case events.ContactSettled():
                self.listing.settled(event)
                self._roster.changed()
            case events.ContactAsked(user, text) if possible(user):
                self._roster.asked(user, text)
            case events.ContactRefused(user):
                self.listing.refused.add(user)
                self._roster.changed()
            case _:
                self._hear_people(event)

    def _hear_people(self, event: events.Event) -> None:
        match event:
            case events.TextReceived(sender):
                self._talk(sender, lambda chat: chat.said(event))
            case events.NudgeReceived(sender):
                self._talk(sender, lambda chat: chat.nudged())
            case events.Typing(sender, active):
                self._talk(sender, lambda chat: chat.typed(active))
            case events.FileOffered(sender):
                self._talk(sender, lambda chat: chat.offered_file())
            case events.FileLinked(sender, url, text):
                self._talk(sender, lambda chat: chat.linked_file(url, text))
            case events.Invited(inviter=inviter):
                self._talk(inviter, lambda chat: chat.invited(event))
            case events.TextFailed(peer):
                log.warning("%s: the service refused a text to %s", self.address, peer)
            case events.Joined(room=room) | events.Left(room=room) | events.Declined(room=room):
                self._in_room(room, event)
            case events.RoomText(room=room):
                self._in_room(room, event)
            case _:
                pass

    def _talk(self, peer: str, act: Callable[[Chat], None]) -> None:
        """Whatever somebody does; a talk in which nothing goes on is not kept."""
        if not possible(peer):
            return
        chat = self._chats.get(peer) or Chat(self, peer)
        if peer not in self._chats and len(self._chats) < _MAX_CHATS:
            self._chats[peer] = chat
        act(chat)
        self.tidy(chat)

    def _in_room(self, room: str, event: events.Joined | events.Left | events.Declined | events.RoomText) -> None:
        chat = self.rooms.get(room) or next((c for c in self._chats.values() if c.asked_into(room)), None)
        if chat is not None:
            chat.room_event(event)
        elif isinstance(event, events.RoomText):  # said behind our back in a conference that we have left: not lost
            text = events.TextReceived(event.sender, event.text)
            self._talk(event.sender, lambda chat: chat.said(text))

    def _presences(self, users: Iterable[str]) -> None:
        for user in users:
            self._tell_presence(user, self.buddies.presence(user))
            chat = self._chats.get(user)
            if chat is not None and self.buddies.availability(user) is Availability.OFFLINE:
                chat.went_offline()

    def _confirmed(self, ident: str) -> None:
        """The receiver's client has a text of ours (version 16)."""
        desk = self.desk
        desk.counters.confirmed += 1
        said = Report(
            status=Status.DELIVERED,
            network=desk.name,
            source="the receiver's client",
            at=desk.clock.now(),
            key=ident[:100],
        )
        desk.inbox.reported([said])

    # --- small things --------------------------------------------------------------------------------------------

    def _put(self, *packets: Packet | None) -> None:
        if self._line is None:
            raise reasons.down(f"{self.address} is not signed in")
        self._line.put(*packets)

    def _tell_presence(self, user: str, presence: Presence) -> None:
        inbox, linked, desk = self.desk.inbox, self.linked, self.desk
        inbox.presence_changed(desk.name, linked.owner, desk.names.address(user), presence, linked.address)
