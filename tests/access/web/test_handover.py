"""What was shown and not acknowledged."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from opencpm.access.web.handover import GRACE, PATIENCE, Handovers
from opencpm.domain.address import Address
from opencpm.domain.delivery import Delivery, Outcome, OutcomeKind
from opencpm.domain.errors import Reason
from opencpm.domain.message import Message, text_part

BOB = Address("tel", "+12025550101")
ALICE = Address("sip", "alice@cpm.test")
MESSAGE = Message(
    id="m",
    message_id="m",
    sender=BOB,
    recipients=(ALICE,),
    parts=(text_part("x"),),
    sent_at=1,
    received_at=1,
    origin="sms",
)
DELIVERY = Delivery(
    id="m.0",
    message=MESSAGE,
    recipient=ALICE,
    network="web",
    source=BOB,
    target=ALICE,
    attempt=1,
    token=1,
    deadline=1000.0,
    expires_at=2000.0,
)


class Pages:
    """Numbers what is shown, as a hub does."""

    def __init__(self) -> None:
        self.number = 0
        self.open = True
        self.outcomes: list[Outcome] = []
        self.handovers = Handovers(self.offer)

    def offer(self, owner: str, delivery: Delivery) -> int | None:
        if not self.open:
            return None
        self.number += 1
        return self.number

    def settle(self, outcomes: Any) -> None:
        self.outcomes += outcomes


def test_an_acknowledged_delivery_is_delivered_once() -> None:
    pages = Pages()
    pages.handovers.add("alice", DELIVERY, pages.settle, 0.0)
    assert pages.handovers.acknowledged("desk", [1], 1.0) == 0
    assert pages.handovers.acknowledged("alice", [1], 1.0) == 1
    assert pages.handovers.acknowledged("alice", [1], 1.0) == 0
    pages.handovers.sweep(10_000.0)
    assert [o.kind for o in pages.outcomes] == [OutcomeKind.DELIVERED]
    assert pages.outcomes[0].token == 1


def test_silence_is_unreachable_and_may_be_tried_again() -> None:
    pages = Pages()
    pages.handovers.add("alice", DELIVERY, pages.settle, 0.0)
    pages.handovers.sweep(PATIENCE - 0.1)
    assert not pages.outcomes
    pages.handovers.sweep(PATIENCE)
    (outcome,) = pages.outcomes
    assert outcome.error is not None
    assert (outcome.error.reason, outcome.error.retryable, outcome.doubled) == (Reason.UNREACHABLE, True, True)
    assert not len(pages.handovers)


def test_the_deadline_of_the_delivery_comes_first() -> None:
    pages = Pages()
    pages.handovers.add("alice", replace(DELIVERY, deadline=5.0), pages.settle, 0.0)
    pages.handovers.sweep(5.0)
    assert len(pages.outcomes) == 1


def test_a_reload_shows_it_again_and_either_number_counts() -> None:
    pages = Pages()
    pages.handovers.add("alice", DELIVERY, pages.settle, 0.0)
    pages.handovers.pages_gone("alice", 1.0)
    pages.handovers.page_opened("alice", 2.0)
    pages.handovers.sweep(1.0 + GRACE)
    assert not pages.outcomes
    assert pages.number == 2
    assert pages.handovers.acknowledged("alice", [2], 3.0) == 1


def test_a_page_that_stays_away_gives_it_back_soon() -> None:
    pages = Pages()
    pages.handovers.add("alice", DELIVERY, pages.settle, 0.0)
    pages.handovers.pages_gone("alice", 1.0)
    pages.handovers.sweep(1.0 + GRACE)
    assert pages.outcomes[0].kind is OutcomeKind.FAILED


def test_a_stopping_server_gives_everything_back() -> None:
    pages = Pages()
    pages.open = False
    pages.handovers.add("alice", DELIVERY, pages.settle, 0.0)
    pages.handovers.abandon(0.5)
    assert not pages.outcomes[0].doubled
