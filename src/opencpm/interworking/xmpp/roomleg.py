"""One side of a session: a room that one of ours is in."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from opencpm.domain.delivery import Delivery, Outcome
from opencpm.domain.errors import SendError
from opencpm.domain.message import Message
from opencpm.domain.session import CloseReason, Composing
from opencpm.interfaces import LegEvents
from opencpm.protocols.xmpp.stanza_error import StanzaError

if TYPE_CHECKING:
    from .rooms import Rooms

log = logging.getLogger("opencpm.xmpp")

RESOURCE = "cpm"
"""Of the full JID under which our people are in rooms; a room tells occupants apart by it."""


class RoomLeg:
    """See :class:`opencpm.interfaces.Leg`. ``joined``: None once we are in, or why not."""

    def __init__(self, rooms: Rooms, network: str, ours: str, room: str, nick: str) -> None:
        self.network = network
        self.ours, self.room, self.nick = ours, room, nick
        self.full = f"{ours}/{RESOURCE}"
        self.joined: asyncio.Future[StanzaError | None] = asyncio.get_running_loop().create_future()
        self.created = False  # the room was not there before
        self._rooms = rooms
        self._events: LegEvents | None = None
        self._early: list[Callable[[LegEvents], None]] = []
        self._over = False

    def ringing(self) -> None:
        """A room is not alerted."""

    def send(self, deliveries: Sequence[Delivery]) -> None:
        self._rooms.deliver(self, deliveries)

    def composing(self, composing: Composing) -> None:
        """XEP-0085 §5.5: in rooms it disturbs more than it helps."""

    async def close(self, reason: CloseReason, detail: str = "") -> str:
        return await self._rooms.close(self)

    # -- what the rooms call

    def attach(self, events: LegEvents) -> None:
        self._events = events
        early, self._early = self._early, []
        for tell in early:
            tell(events)

    def received(self, message: Message) -> None:
        self._tell(lambda events: events.received([message], _judged))

    def settled(self, outcomes: Sequence[Outcome]) -> None:
        self._tell(lambda events: events.settled(outcomes))

    def ended(self, reason: CloseReason, detail: str) -> None:
        if not self._over:
            self._over = True
            self._tell(lambda events: events.closed(reason, detail))

    def _tell(self, tell: Callable[[LegEvents], None]) -> None:
        if self._events is None:
            self._early.append(tell)
        else:
            tell(self._events)


def _judged(verdicts: Sequence[SendError | None]) -> None:
    """A room cannot be told that something was not stored."""
    for verdict in verdicts:
        if verdict is not None:
            log.warning("what was said in a room was not taken: %s", verdict.reason.value)
