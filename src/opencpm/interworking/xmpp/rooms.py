"""Rooms (XEP-0045, RFC 7702): a session with a room joins it; what its people say comes with their names.

Our person is one occupant under their own name. Nothing is kept: who leaves the session leaves the room.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from opencpm.domain.delivery import Delivery
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import Message, MessageKind, message_ident, text_part
from opencpm.domain.session import CloseReason, SessionOffer
from opencpm.interfaces import Context, LegEvents
from opencpm.protocols.xmpp import iq, jid, presence
from opencpm.protocols.xmpp.errors import XmppError
from opencpm.protocols.xmpp.message import MessageStanza
from opencpm.protocols.xmpp.presence import PresenceStanza

from . import adapt, reasons
from .adapt import Terms
from .link import Link
from .names import Names
from .outbox import Entry, Outbox
from .roomleg import RoomLeg

_SELF, _CREATED = "110", "201"
_PUT_OUT = {"301": "banned", "307": "put out", "321": "no longer a member", "322": "no member", "332": "shut down"}
_NAMES_TRIED = 5
_OWNER = "http://jabber.org/protocol/muc#owner"
_FORM = f"<query xmlns='{_OWNER}'><x xmlns='jabber:x:data' type='submit'/></query>"

Deliver = Callable[[RoomLeg, Sequence[Delivery]], None]


class Rooms:
    """All rooms our people are in, by who is in which."""

    def __init__(
        self,
        context: Context,
        own: Names,
        link: Link,
        outbox: Outbox,
        terms: Terms,
        domains: Sequence[str],
        wait: float,
    ) -> None:
        self._context, self._names, self._link, self._outbox, self._terms = context, own, link, outbox, terms
        self._domains = frozenset(domains)
        self._wait = wait
        self._legs: dict[tuple[str, str], RoomLeg] = {}  # (our bare JID, the room's)
        self.deliver: Deliver = lambda leg, deliveries: None

    def __len__(self) -> int:
        return len(self._legs)

    def is_room(self, address: str) -> bool:
        return address.partition("/")[0].rpartition("@")[2] in self._domains

    # -- in and out

    async def open(self, offer: SessionOffer, events: LegEvents) -> RoomLeg:
        """Join, under another name where the first is taken. Raises SendError."""
        if not self._link.up:
            raise reasons.no_link(self._link.detail)
        room = self._names.theirs(offer.target)
        ours = self._names.ours(offer.initiator, room)
        if (ours, room) in self._legs:
            raise SendError(Reason.NOT_ACCEPTABLE, detail=f"You are in {room} already.")
        owner = self._context.directory.owner_of(offer.initiator)
        leg = RoomLeg(self, self._context.name, ours, room, owner.name if owner is not None else offer.initiator.value)
        self._legs[ours, room] = leg
        try:
            async with asyncio.timeout(self._wait):
                await self._join(leg)
        except TimeoutError:
            self._leave(leg)
            raise SendError(Reason.NO_ANSWER, retryable=True, detail=f"{room} did not answer.") from None
        except BaseException:
            self._leave(leg)
            raise
        leg.attach(events)
        return leg

    async def _join(self, leg: RoomLeg) -> None:
        name = leg.nick
        for number in range(1, _NAMES_TRIED + 1):
            leg.nick = name if number == 1 else f"{name} {number}"
            leg.joined = asyncio.get_running_loop().create_future()
            self._presence(leg, join=True)
            error = await leg.joined
            if error is None:
                if leg.created:
                    await self._proven(f"{leg.full} opens {leg.room}", leg)
                return
            if error.condition != "conflict" or number == _NAMES_TRIED:
                raise reasons.refused(error, leg.room)

    async def close(self, leg: RoomLeg) -> str:
        """Leave; returns once the server has it."""
        if self._legs.get((leg.ours, leg.room)) is not leg:
            return "was not in the room any more"
        self._leave(leg)
        try:
            await self._proven(f"{leg.full} leaves {leg.room}", leg)
        except SendError as error:
            return f"leaving was not taken: {error.detail}"
        return "left the room, taken by the server"

    async def _proven(self, what: str, leg: RoomLeg) -> None:
        """Wait until the server has what was written. Raises SendError."""
        if not self._link.up:
            raise reasons.no_link(self._link.detail)
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._outbox.add(Entry(what, leg.room, waiter=waiter))
        self._outbox.confirm()
        await waiter

    def link_down(self) -> None:
        """The server puts out whoever was there by us."""
        legs, self._legs = list(self._legs.values()), {}
        for leg in legs:
            if not leg.joined.done():
                leg.joined.set_exception(reasons.lost())
            else:
                leg.ended(CloseReason.LOST, "the link to the XMPP server broke")

    def _leave(self, leg: RoomLeg) -> None:
        if self._legs.pop((leg.ours, leg.room), None) is not None:
            self._presence(leg, kind="unavailable")

    def _presence(self, leg: RoomLeg, *, kind: str = "", join: bool = False) -> None:
        stanza = PresenceStanza(sender=leg.full, to=f"{leg.room}/{leg.nick}", type=kind, join=join)
        self._link.write(presence.write(stanza))

    # -- what the room says

    def present(self, stanza: PresenceStanza) -> bool:
        """A presence; whether it came from a room."""
        leg, nick = self._of(stanza.sender, stanza.to)
        if leg is None:
            return self.is_room(stanza.sender)
        if stanza.type == "error":
            if not leg.joined.done():
                leg.joined.set_result(stanza.error)
        elif nick != leg.nick and _SELF not in stanza.room_codes:
            pass  # others come and go; there is nothing yet that could show them
        elif stanza.type == "unavailable":
            self._put_out(leg, stanza)
        elif not leg.joined.done():
            leg.nick = nick or leg.nick  # 210: the room may give another
            if _CREATED in stanza.room_codes:  # locked until its owner says how it shall be (§10.1.2)
                leg.created = True
                self._link.write(iq.write("set", f"room-{self._context.ids.new()}", leg.full, leg.room, _FORM))
            leg.joined.set_result(None)
        return True

    def _put_out(self, leg: RoomLeg, stanza: PresenceStanza) -> None:
        self._legs.pop((leg.ours, leg.room), None)
        why = next((word for code, word in _PUT_OUT.items() if code in stanza.room_codes), "no longer in the room")
        leg.ended(CloseReason.LEFT, f"{leg.room}: {why}")

    def said(self, stanza: MessageStanza) -> bool:
        """A message; whether it came from a room. An error about one of ours is the outbox's business."""
        if not self.is_room(stanza.sender) or stanza.type == "error" or stanza.invited_to:
            return False
        leg, nick = self._of(stanza.sender, stanza.to)
        if leg is not None and leg.joined.done() and nick and nick != leg.nick:
            text = self._shown(stanza, nick)
            if text:
                leg.received(self._message(leg, text))
        return True

    def _shown(self, stanza: MessageStanza, nick: str) -> str:
        if stanza.type == "groupchat" and stanza.subject and not stanza.body:
            return f"{nick} has set the subject: {stanza.subject}"
        parts = adapt.parts_of(stanza, self._terms)
        whom = nick if stanza.type == "groupchat" else f"{nick} (to you only)"
        return f"{whom}: {parts[0].text}" if parts else ""

    def _message(self, leg: RoomLeg, text: str) -> Message:
        now = self._context.clock.now()
        sender, ident = self._names.person(jid.parse(leg.room)), self._context.ids.new()
        return Message(
            id=message_ident(sender, ident),
            message_id=ident,
            sender=sender,
            recipients=(self._names.address(jid.parse(leg.ours)),),
            parts=(text_part(text),),
            sent_at=now,
            received_at=now,
            origin=self._context.name,
            kind=MessageKind.CHAT,
        )

    def _of(self, sender: str, to: str) -> tuple[RoomLeg | None, str]:
        try:
            room, ours = jid.parse(sender), jid.parse(to)
        except XmppError:
            return None, ""
        return self._legs.get((ours.bare, room.bare)), room.resource

    # -- what ours say

    def compose(self, leg: RoomLeg, delivery: Delivery) -> MessageStanza:
        """Raises SendError."""
        if delivery.notice is not None:
            raise SendError(Reason.NOT_ACCEPTABLE, detail="a room is not told what became of its messages")
        text = adapt.text_of(delivery.message, self._terms)
        return MessageStanza(id=delivery.id, type="groupchat", sender=leg.full, to=leg.room, body=text)
