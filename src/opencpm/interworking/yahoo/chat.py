"""Everything between one account and one person: their texts both ways, the session if there is one, a conference."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from opencpm.domain.delivery import Delivery
from opencpm.domain.errors import SendError
from opencpm.domain.message import Message
from opencpm.domain.presence import note_of
from opencpm.domain.profile import Availability
from opencpm.domain.session import CloseReason, Composing, SessionOffer
from opencpm.interfaces import LegEvents
from opencpm.interworking.yahoo import inbound, reasons
from opencpm.interworking.yahoo.desk import moment
from opencpm.interworking.yahoo.inbound import Taken, hand_over
from opencpm.interworking.yahoo.leg import TYPING_LAPSE, YahooLeg
from opencpm.interworking.yahoo.outbound import Settle
from opencpm.interworking.yahoo.room import Room
from opencpm.protocols.ymsg import Packet, events, requests
from opencpm.protocols.ymsg.text import is_nudge

if TYPE_CHECKING:
    from opencpm.interworking.yahoo.account import Account

log = logging.getLogger("opencpm.interworking.yahoo")


class Chat:
    """The account's talk with `peer`. Yahoo has no sessions: ours is standing from when it was asked for until one
    side leaves, the peer goes offline, or nobody has said a word for long. While a conference with the peer stands,
    it is the way: what is answered elsewhere is not shown there."""

    def __init__(self, account: Account, peer: str) -> None:
        self._account, self._desk = account, account.desk
        self.peer = peer
        self.room: Room | None = None
        self._leg: YahooLeg | None = None
        self._inviting: asyncio.Task[LegEvents] | None = None
        self._asked_into: Room | None = None  # a conference that our side is being asked about
        self._idle: asyncio.TimerHandle | None = None
        self._told_no_files = False
        self._last_word = 0.0

    @property
    def idle(self) -> bool:
        """Nothing is going on here, and nothing has to be remembered."""
        return self._leg is None and self.room is None and self._asked_into is None and not self._told_no_files

    # --- towards the person --------------------------------------------------------------------------------------

    def packet(self, text: str, ident: str) -> Packet:
        """A text to the peer, by the way that stands now."""
        user = self._account.user
        if self.room is not None and (self.peer in self.room.members or self._leg is not None):
            return requests.room_text(user, self.room.people, self.room.name, text)
        return requests.message(self._desk.settings.version, user, self.peer, text, ident)

    def deliver(self, deliveries: Sequence[Delivery], settle: Settle, leg: YahooLeg | None = None) -> None:
        """Send texts; each is settled once."""
        if leg is not None:
            self._spoke()
        self._account.send(self, deliveries, settle)

    def show_typing(self, active: bool) -> None:
        """Conferences have no typing."""
        if self.room is None:
            self._account.tell(requests.typing(self._desk.settings.version, self._account.user, self.peer, active))

    async def open(self, offer: SessionOffer, leg_events: LegEvents) -> YahooLeg:
        """Have a session with the peer: nothing is said on the wire, they only have to be there. Raises SendError."""
        self._account.check()
        await self._account.listing.know(self.peer)
        self._account.check()
        there = self._account.buddies.availability(self.peer)
        if self.room is None:
            if there is Availability.OFFLINE:
                raise reasons.offline(self.peer)
            if there is Availability.UNKNOWN:
                raise reasons.unseen(self.peer)
            if there is Availability.BUSY and self._desk.settings.busy == "refuse":
                raise reasons.busy(self.peer)
        if self._leg is not None:
            self._end_leg(CloseReason.REPLACED, "a new session took its place")
        leg = YahooLeg(self, offer.id, self._desk.name)
        leg.attach(leg_events)
        self._leg = leg
        self._spoke()
        return leg

    def close(self, leg: YahooLeg) -> str:
        """End a leg; answers with what was said on the wire."""
        if leg is not self._leg:
            return "they had left already"
        self._leg = None
        self._still()
        said = "Yahoo has no sessions: nothing to close"
        goodbye = self._desk.settings.goodbye_text
        if goodbye and self._account.tell(self.packet(goodbye, "")):
            said = "said goodbye"
        if self.room is not None:
            said = self._leave_room()
        self._account.tidy(self)
        return said

    def shut(self, reason: CloseReason, detail: str) -> None:
        """The account is signed out: conferences are over, and sessions with them."""
        self.room = self._asked_into = None
        self._end_leg(reason, detail)

    # --- from the person -----------------------------------------------------------------------------------------

    def said(self, text: events.TextReceived) -> None:
        """A text to the account alone; one of markup only says nothing."""
        if not text.text.strip():
            self._acknowledgement(text)()
            return
        message = self._heard(text.sender, text.text, text.ident, text.sent_at)
        taken = self._acknowledgement(text)
        if text.stored:
            self._page(message, taken)  # what waited belongs to no session of now
        else:
            self._take(message, taken)

    def nudged(self) -> None:
        if self._desk.settings.nudge_text:
            self._take(self._heard(self.peer, self._desk.settings.nudge_text), _nothing)

    def typed(self, active: bool) -> None:
        if self._leg is not None:
            self._leg.typed(active)
        else:
            who = self._desk.names.address(self.peer)
            self._desk.inbox.composing(who, self._account.linked.address, Composing(active, TYPING_LAPSE))

    def offered_file(self) -> None:
        """It was refused on the wire already: say why, once."""
        if self._desk.settings.no_files_text and not self._told_no_files:
            self._told_no_files = True
            self._account.tell(self.packet(self._desk.settings.no_files_text, ""))

    def linked_file(self, url: str, text: str) -> None:
        """A file that the service keeps: its address is passed on, and never followed by us."""
        if self._desk.settings.file_links:
            said = "\n".join([*([text] if text.strip() else []), f"File: {url}"])
            self._take(self._heard(self.peer, said), _nothing)

    def went_offline(self) -> None:
        """A conference with others ends by its own word."""
        self._told_no_files = False
        if self.room is not None and self.room.members == {self.peer}:
            self._leave_room()
        if self.room is None:
            self._end_leg(CloseReason.LEFT, f"{self.peer} went offline")
            self._account.tidy(self)

    def _take(self, message: Message, taken: Taken) -> None:
        self._desk.counters.received += 1
        if self._leg is None and self._desk.settings.incoming == "session":
            self._invite("")
        if self._leg is not None:
            self._spoke()
            self._leg.received(message, taken)
        else:
            self._page(message, taken)

    def _heard(self, sender: str, text: str, ident: str = "", sent_at: float = 0.0) -> Message:
        return inbound.message(self._desk, sender, self._account.linked.address, text, ident, sent_at)

    def _page(self, message: Message, taken: Taken) -> None:
        hand_over(message, self._desk.inbox.received, taken)
        self._account.tidy(self)

    def _acknowledgement(self, text: events.TextReceived) -> Taken:
        """Version 16: the server repeats a text that is not confirmed, so it is once it is kept."""
        if not text.ident:
            return _nothing
        return lambda: self._account.acknowledge(text.sender, text.ident)

    # --- a session that they start -------------------------------------------------------------------------------

    def _invite(self, subject: str, asked: Room | None = None) -> None:
        """Ask our side for a session; what is said until it has answered waits in the leg. `asked`: the conference that
        is gone into then."""
        leg = YahooLeg(self, self._desk.ids.new(), self._desk.name)
        self._leg = leg
        offer = SessionOffer(
            id=leg.session_id,
            initiator=self._desk.names.address(self.peer),
            target=self._account.linked.address,
            origin=self._desk.name,
            at=self._desk.clock.now(),
            subject=subject,
        )
        task: asyncio.Task[LegEvents] = self._desk.spawn(self._desk.inbox.invited(offer, leg))
        self._inviting = task
        task.add_done_callback(lambda task: self._answered(task, leg, asked))

    def _answered(self, task: asyncio.Task[LegEvents], leg: YahooLeg, asked: Room | None) -> None:
        if self._inviting is task:
            self._inviting = None
        if self._asked_into is asked:
            self._asked_into = None
        error = None if task.cancelled() else task.exception()
        if error is None and not task.cancelled():
            if asked is not None and self._leg is leg:
                self._enter(asked)
            leg.attach(task.result())
            return
        if error is not None and not isinstance(error, SendError):
            log.error("an invitation from %s failed", self.peer, exc_info=error)
        if self._leg is leg:
            self._leg = None
            self._still()
        if asked is not None and asked.members:
            self._decline(asked)
        leg.not_taken(self._page)
        self._account.tidy(self)

    # --- conferences ---------------------------------------------------------------------------------------------

    def invited(self, event: events.Invited) -> None:
        """Into a conference by the peer. One of two people is the talk itself, as some servers show it; to one with
        more our side is asked, unless it is in a session with the peer already."""
        room = Room(event.room, event.inviter, event.members)
        standing = self.room or self._asked_into
        if standing is not None and standing.name == room.name:
            standing.joined(*room.members)
        elif standing is not None or not self._account.takes_rooms:
            self._decline(room)
        elif room.members == {self.peer} or self._leg is not None:
            self._enter(room)
        else:
            self._asked_into = room
            self._invite(note_of(event.text)[:200], room)

    def asked_into(self, room: str) -> bool:
        """Whether our side is being asked about this conference."""
        return self._asked_into is not None and self._asked_into.name == room

    def room_event(self, event: events.Joined | events.Left | events.Declined | events.RoomText) -> None:
        """What happens in the conference (or in the one that our side is asked about)."""
        room = self.room or self._asked_into
        if room is None or room.name != event.room:
            return
        match event:
            case events.Joined(user=user) if user != self._account.user:
                room.joined(user)
            case events.Left(user=user) | events.Declined(user=user):
                self._left(room, user)
            case events.RoomText(sender=sender, text=text):
                self._said_in_room(sender, text)
            case _:
                pass

    def _said_in_room(self, sender: str, text: str) -> None:
        said = self._desk.settings.nudge_text if is_nudge(text) else text
        if not said.strip() or sender == self._account.user:
            return
        if sender != self.peer:  # a third person: named, for the session knows two
            said = f"{sender}: {said}"
        self._take(self._heard(self.peer, said), _nothing)

    def _enter(self, room: Room) -> None:
        self.room = room
        self._account.rooms[room.name] = self
        self._account.tell(requests.join(self._account.user, room.people, room.name))

    def _decline(self, room: Room) -> None:
        text = self._desk.settings.no_conference_text
        self._account.tell(requests.decline(self._account.user, room.inviter, room.name, text))

    def _left(self, room: Room, user: str) -> None:
        room.left(user)
        if room.members:
            return
        if room is self._asked_into:
            self._asked_into = None  # the invitation is withdrawn
        if room is self.room:
            self._leave_room()
        self._end_leg(CloseReason.LEFT, f"{user} left the conference")
        self._account.tidy(self)

    def _leave_room(self) -> str:
        room, self.room = self.room, None
        if room is None:
            return ""
        self._account.rooms.pop(room.name, None)
        if not room.members:
            return "nobody was in the conference any more"
        left = self._account.tell(requests.leave(self._account.user, room.people, room.name))
        return "left the conference" if left else "the conference had ended"

    # --- ends ----------------------------------------------------------------------------------------------------

    def _end_leg(self, reason: CloseReason, detail: str) -> None:
        leg, self._leg = self._leg, None
        self._still()
        inviting, self._inviting = self._inviting, None
        if inviting is not None and not inviting.done():
            inviting.cancel()  # what they said goes on as messages
        elif leg is not None:
            leg.ended(reason, detail)

    def _spoke(self) -> None:
        """Silence is counted from now on. The timer is moved only when it fires: texts cost nothing."""
        self._last_word = moment()
        if self._idle is None and self._leg is not None:
            patience = self._desk.settings.idle_timeout
            self._idle = asyncio.get_running_loop().call_later(patience, self._silent)

    def _silent(self) -> None:
        patience = self._desk.settings.idle_timeout
        left = self._last_word + patience - moment()
        if left > 0:
            self._idle = asyncio.get_running_loop().call_later(left, self._silent)
            return
        self._idle = None
        if self.room is not None:
            self._leave_room()
        self._end_leg(CloseReason.IDLE, f"nobody has said a word for {patience:.0f} s")
        self._account.tidy(self)

    def _still(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None


def _nothing() -> None:
    """Before version 16 nobody waits to hear that a text was kept."""
