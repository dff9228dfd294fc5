"""Deliveries shown to a page and not yet acknowledged by it. Nothing counts as delivered before the page says so."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from opencpm.domain.delivery import Delivery, Outcome, OutcomeKind
from opencpm.domain.errors import Reason, SendError

PATIENCE = 20.0  # seconds a page has to acknowledge
GRACE = 5.0  # seconds an absent page has to come back (a reload)

Settle = Callable[[Sequence[Outcome]], None]
Offer = Callable[[str, Delivery], int | None]


@dataclass(slots=True)
class Handover:
    owner: str
    delivery: Delivery
    settle: Settle
    until: float
    numbers: list[int] = field(default_factory=list)  # events under which it was shown


class Handovers:
    """All that waits for a page's word. ``offer`` shows a delivery to a subscriber's pages and returns its number."""

    __slots__ = ("_by_number", "_offer", "_waiting")

    def __init__(self, offer: Offer) -> None:
        self._offer = offer
        self._waiting: dict[tuple[str, int], Handover] = {}  # by (delivery id, token)
        self._by_number: dict[tuple[str, int], Handover] = {}  # by (owner, event number)

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, owner: str, delivery: Delivery, settle: Settle, now: float) -> None:
        handover = Handover(owner, delivery, settle, min(now + PATIENCE, delivery.deadline or now + PATIENCE))
        self._waiting[delivery.id, delivery.token] = handover
        self._show(handover)

    def acknowledged(self, owner: str, numbers: Iterable[int], now: float) -> int:
        """A page has these events; returns how many deliveries that settled."""
        settled = []
        for number in numbers:
            handover = self._by_number.get((owner, number))
            if handover is not None:
                self._remove(handover)
                settled.append(handover)
        _tell(settled, lambda h: _delivered(h.delivery, now))
        return len(settled)

    def page_opened(self, owner: str, now: float) -> None:
        """Show a returning page what its predecessor did not acknowledge."""
        for handover in self._of(owner):
            handover.until = min(now + PATIENCE, handover.delivery.deadline or now + PATIENCE)
            self._show(handover)

    def pages_gone(self, owner: str, now: float) -> None:
        for handover in self._of(owner):
            handover.until = min(handover.until, now + GRACE)

    def sweep(self, now: float) -> None:
        """Give up on what no page acknowledged in time."""
        late = [h for h in self._waiting.values() if h.until <= now]
        self._give_up(late, now)

    def abandon(self, now: float) -> None:
        """The server stops: everything goes back to where it came from."""
        self._give_up(list(self._waiting.values()), now)

    def _give_up(self, handovers: Sequence[Handover], now: float) -> None:
        for handover in handovers:
            self._remove(handover)
        _tell(handovers, lambda h: unreachable(h.delivery, now, shown=bool(h.numbers)))

    def _show(self, handover: Handover) -> None:
        number = self._offer(handover.owner, handover.delivery)
        if number is not None:
            handover.numbers.append(number)
            self._by_number[handover.owner, number] = handover

    def _remove(self, handover: Handover) -> None:
        self._waiting.pop((handover.delivery.id, handover.delivery.token), None)
        for number in handover.numbers:
            self._by_number.pop((handover.owner, number), None)

    def _of(self, owner: str) -> list[Handover]:
        return [h for h in self._waiting.values() if h.owner == owner]


def unreachable(delivery: Delivery, now: float, *, shown: bool = False) -> Outcome:
    """No page took it. ``shown``: it may have been seen all the same (the resend has the same ids)."""
    detail = "The web page did not confirm the message." if shown else "No web page is open."
    error = SendError(Reason.UNREACHABLE, retryable=True, detail=detail)
    return Outcome(
        delivery_id=delivery.id,
        token=delivery.token,
        kind=OutcomeKind.FAILED,
        at=now,
        source="web access",
        error=error,
        doubled=shown,
        detail=detail,
    )


def _delivered(delivery: Delivery, now: float) -> Outcome:
    return Outcome(
        delivery_id=delivery.id,
        token=delivery.token,
        kind=OutcomeKind.DELIVERED,
        at=now,
        source="web page acknowledged",
    )


def _tell(handovers: Sequence[Handover], outcome: Callable[[Handover], Outcome]) -> None:
    batches: dict[Settle, list[Outcome]] = {}
    for handover in handovers:
        batches.setdefault(handover.settle, []).append(outcome(handover))
    for settle, outcomes in batches.items():
        settle(outcomes)
