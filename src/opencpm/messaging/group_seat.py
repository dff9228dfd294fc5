"""Members' legs: what one of them does in a group, turned into use cases, and which of them there are."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from opencpm.domain.address import Address
from opencpm.domain.delivery import Outcome
from opencpm.domain.message import Message
from opencpm.domain.report import Report
from opencpm.domain.session import CloseReason, Composing
from opencpm.interfaces import Done, Leg

if TYPE_CHECKING:
    from opencpm.messaging.group import Focus


class Seat:
    """The events of one member's leg (:class:`opencpm.interfaces.LegEvents`)."""

    def __init__(self, focus: Focus, group_id: str, member: Address) -> None:
        self._focus = focus
        self.group_id = group_id
        self.member = member
        self.leg: Leg | None = None
        self.source: Address | None = None  # who speaks for the group on a foreign network
        self.over = False

    def ringing(self) -> None: ...

    def received(self, messages: Sequence[Message], done: Done) -> None:
        self._focus.talk.said(self.group_id, self.member, messages, done)

    def settled(self, outcomes: Sequence[Outcome]) -> None:
        self._focus.settled(outcomes)

    def composing(self, composing: Composing) -> None:
        self._focus.composing(self, composing)

    def reported(self, reports: Sequence[Report], done: Callable[[], None] | None = None) -> None:
        self._focus.talk.reported(self.group_id, reports, done)

    def closed(self, reason: CloseReason, detail: str = "") -> None:
        self._focus.closed(self, reason, detail)


class Seats:
    """All legs of members, at most one of each member of each group."""

    def __init__(self) -> None:
        self._seats: dict[tuple[str, Address], Seat] = {}
        self._tasks: set[asyncio.Task[str]] = set()

    def of(self, group_id: str, member: Address) -> Seat | None:
        return self._seats.get((group_id, member))

    def in_group(self, group_id: str) -> list[Seat]:
        return [seat for (group, _), seat in self._seats.items() if group == group_id]

    def take(self, seat: Seat) -> None:
        """A leg that the member had is closed."""
        self.end(seat.group_id, seat.member, CloseReason.REPLACED, "another session took its place")
        self._seats[seat.group_id, seat.member] = seat

    def gone(self, seat: Seat) -> bool:
        """A leg has ended by itself; whether it was the member's leg until now."""
        if seat.over or self._seats.get((seat.group_id, seat.member)) is not seat:
            return False
        del self._seats[seat.group_id, seat.member]
        return True

    def end(self, group_id: str, member: Address, reason: CloseReason, detail: str) -> None:
        """Close a member's leg, if there is one."""
        seat = self._seats.pop((group_id, member), None)
        if seat is not None and seat.leg is not None:
            seat.over = True
            self.close(seat.leg, reason, detail)

    def close(self, leg: Leg, reason: CloseReason, detail: str) -> None:
        task = asyncio.ensure_future(leg.close(reason, detail))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def shutdown(self) -> None:
        """Close every leg in good order."""
        for group_id, member in tuple(self._seats):
            self.end(group_id, member, CloseReason.SHUTDOWN, "the server is stopping")
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=5.0)
