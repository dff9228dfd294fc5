"""A web page's side of a session (:class:`opencpm.interfaces.Leg`)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from opencpm.domain.address import Address
from opencpm.domain.delivery import Delivery, Outcome
from opencpm.domain.errors import SendError
from opencpm.domain.session import CloseReason, Composing, SessionOffer, SessionState
from opencpm.interfaces import LegEvents

Tell = Callable[[str, str, dict[str, Any]], object]  # (owner, kind of event, data)
Carry = Callable[[str, Delivery, Callable[[Sequence[Outcome]], None]], None]


@dataclass(slots=True, eq=False)
class WebLeg:
    """``mine`` and ``far`` are the addresses of our subscriber and of the other person in the offer.

    ``answer``: what the person decides about an incoming invitation; ``inviting``: the task of an outgoing one.
    """

    offer: SessionOffer
    owner: str  # Subscriber.id
    peer: str  # contact id
    mine: Address
    far: Address
    outgoing: bool
    tell: Tell
    carry: Carry
    network: str = "web"
    state: SessionState = SessionState.INVITED
    events: LegEvents | None = None
    answer: asyncio.Future[bool] | None = None
    inviting: asyncio.Task[None] | None = None
    reason: str = ""
    detail: str = ""
    error: SendError | None = None
    alone_since: float = 0.0  # since when no page of the owner is open; 0: one is
    early: list[Delivery] = field(default_factory=list)

    @property
    def id(self) -> str:
        return self.offer.id

    @property
    def live(self) -> bool:
        return self.state is not SessionState.CLOSED

    def ringing(self) -> None:
        if self.state is SessionState.INVITED:
            self.move(SessionState.RINGING)

    def send(self, deliveries: Sequence[Delivery]) -> None:
        """Show texts on the page. Those that come before our side knows the answer wait for it, in order."""
        if self.events is None:
            self.early.extend(deliveries)
            return
        settled = self.events.settled
        for delivery in deliveries:
            self.carry(self.owner, delivery, settled)

    def established(self, events: LegEvents) -> None:
        self.events = events
        self.move(SessionState.ESTABLISHED)
        early, self.early = self.early, []
        self.send(early)

    def composing(self, composing: Composing) -> None:
        self.tell(
            self.owner,
            "composing",
            {"peer": self.peer, "session": self.id, "active": composing.active, "refresh": composing.refresh},
        )

    async def close(self, reason: CloseReason, detail: str = "") -> str:
        """The other side closed. A page has nothing to answer: it is told."""
        told = self.live
        self.over(reason.value, detail)
        return "page told" if told else "already closed"

    def over(self, reason: str, detail: str = "", error: SendError | None = None) -> None:
        """Closed, for whatever reason; the page is told once."""
        if self.live:
            self.reason, self.detail, self.error = reason, detail, error
            self.move(SessionState.CLOSED)

    def move(self, state: SessionState) -> None:
        self.state = state
        self.tell(self.owner, "session", self.view())

    def view(self) -> dict[str, Any]:
        """What the API shows of it."""
        return {
            "session": self.id,
            "peer": self.peer,
            "with": str(self.far),
            "outgoing": self.outgoing,
            "state": self.state.value,
            "reason": self.reason,
            "detail": self.detail,
            "subject": self.offer.subject,
            "mine": True,
        }
