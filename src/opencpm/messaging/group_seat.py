"""What one member's leg does in a group, turned into use cases."""

from __future__ import annotations

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
