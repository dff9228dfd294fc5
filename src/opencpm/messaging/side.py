"""What one side of a session does, turned into use cases."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from opencpm.domain.delivery import Outcome
from opencpm.domain.message import Message, MessageKind
from opencpm.domain.report import Report
from opencpm.domain.session import CloseReason, Composing, SessionOffer
from opencpm.interfaces import Done
from opencpm.messaging.typing_hints import tell_page

if TYPE_CHECKING:
    from opencpm.messaging.accept import Accept
    from opencpm.messaging.ground import Ground
    from opencpm.messaging.session import Session

NEAR = 0  # the inviting side


class Side:
    """The events of one leg of a standing session (:class:`opencpm.interfaces.LegEvents`)."""

    __slots__ = ("_index", "_session")

    def __init__(self, session: Session, index: int) -> None:
        self._session = session
        self._index = index

    def ringing(self) -> None:
        self._session.ringing()

    def received(self, messages: Sequence[Message], done: Done) -> None:
        self._session.house.take(self._session, self._index, messages, done)

    def settled(self, outcomes: Sequence[Outcome]) -> None:
        self._session.house.dispatch.settled(outcomes)

    def composing(self, composing: Composing) -> None:
        leg = self._session.other(self._index)
        if leg is not None:
            leg.composing(composing)
        offer = self._session.offer
        pair = (offer.initiator, offer.target) if self._index == NEAR else (offer.target, offer.initiator)
        tell_page(self._session.house.ground, *pair, composing)

    def reported(self, reports: Sequence[Report], done: Callable[[], None] | None = None) -> None:
        self._session.house.reporting.reported(reports, done)

    def closed(self, reason: CloseReason, detail: str = "") -> None:
        self._session.closed(self._index, reason, detail)


class PageSide:
    """A foreign side whose session nobody takes: each text goes on as a standalone message."""

    __slots__ = ("_accept", "_ground", "_offer")

    def __init__(self, accept: Accept, ground: Ground, offer: SessionOffer) -> None:
        self._accept = accept
        self._ground = ground
        self._offer = offer

    def ringing(self) -> None: ...

    def received(self, messages: Sequence[Message], done: Done) -> None:
        pages = [
            replace(
                m,
                kind=MessageKind.STANDALONE,
                session_id="",
                sender=self._offer.initiator,
                recipients=(self._offer.target,),
            )
            for m in messages
        ]
        self._accept.received(pages, done)

    def settled(self, outcomes: Sequence[Outcome]) -> None: ...

    def composing(self, composing: Composing) -> None:
        tell_page(self._ground, self._offer.initiator, self._offer.target, composing)

    def reported(self, reports: Sequence[Report], done: Callable[[], None] | None = None) -> None:
        if done is not None:
            done()

    def closed(self, reason: CloseReason, detail: str = "") -> None: ...
