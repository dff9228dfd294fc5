"""What becomes of a request: sent, kept, refused; and until when."""

from __future__ import annotations

from dataclasses import replace

import pytest

from opencpm.domain.errors import Reason
from opencpm.domain.plan import Action
from opencpm.domain.profile import Availability
from opencpm.domain.subscriber import WhenUnavailable
from opencpm.selection import Request, select
from tests.selection.cast import (
    ALICE,
    BOB_MSN,
    DOWN,
    FULL,
    NOW,
    OFFLINE,
    chosen,
    limit,
    message,
    msn,
    operate,
    prefer,
    reason,
    receiver_prefers,
    session,
    sip,
    sms,
    to_bob,
    to_carol,
    web,
)

ALL_DOWN = to_bob(sms(health=DOWN), msn(health=DOWN))
DESK_AWAY = to_carol(sip(reach=OFFLINE), web(reach=OFFLINE))
BOB_AWAY = to_bob(msn(reach=OFFLINE))


def test_a_plan_to_send() -> None:
    plan = select(to_bob())
    assert (plan.action, chosen(plan), plan.error, plan.waits_for) == (Action.SEND, "sms", None, "")
    assert plan.chosen in plan.candidates


# --------------------------------------------------------------------------------------------------- deferring


@pytest.mark.parametrize(
    ("request_", "waits_for", "why", "reason_"),
    [
        (ALL_DOWN, "network:sms", Reason.NETWORK_DOWN, "kept until SMS can take it"),
        (to_bob(sms(health=FULL)), "network:sms", Reason.CONGESTION, "kept until SMS can take it"),
        (DESK_AWAY, "user:desk", Reason.OFFLINE, "kept until Desk is online"),
        (BOB_AWAY, f"presence:msn:{BOB_MSN}", Reason.OFFLINE, "kept until Bob is online on MSN"),
    ],
)
def test_what_may_come_right_is_kept(request_: Request, waits_for: str, why: Reason, reason_: str) -> None:
    plan = select(request_)
    assert (plan.action, plan.waits_for, reason(plan), plan.chosen) == (Action.DEFER, waits_for, why, None)
    assert plan.reason.startswith(reason_)
    assert plan.error is not None
    assert plan.error.retryable
    assert NOW < plan.not_before <= plan.expires_at


@pytest.mark.parametrize(
    "request_",
    [
        operate(ALL_DOWN, defer_when_down=False),
        receiver_prefers(DESK_AWAY, when_unavailable=WhenUnavailable.REJECT),
        session(ALL_DOWN),
        session(DESK_AWAY),
        session(BOB_AWAY),
    ],
)
def test_what_may_come_right_is_refused_where_keeping_is_not_wanted(request_: Request) -> None:
    plan = select(request_)
    assert (plan.action, plan.waits_for) == (Action.REFUSE, "")
    assert reason(plan) in (Reason.NETWORK_DOWN, Reason.OFFLINE)


def test_a_receiver_who_holds_messages_gets_them_later() -> None:
    plan = select(receiver_prefers(to_carol(), status=Availability.OFFLINE))
    assert (plan.action, plan.waits_for) == (Action.DEFER, "user:desk")


def test_a_way_that_is_open_is_better_than_waiting() -> None:
    assert chosen(select(to_bob(sms(health=DOWN), msn()))) == "msn"
    assert chosen(select(to_bob(sms(), msn(reach=OFFLINE)))) == "sms"
    assert chosen(select(prefer(to_bob(sms(), msn(reach=OFFLINE)), networks=("msn",)))) == "sms"


def test_it_waits_for_the_best_of_what_may_come_right() -> None:
    both = to_bob(sms(health=DOWN), msn(reach=OFFLINE))
    assert select(both).waits_for == "network:sms"
    assert select(replace(both, route="msn")).waits_for == f"presence:msn:{BOB_MSN}"
    assert select(operate(both, defer_when_down=False)).waits_for == f"presence:msn:{BOB_MSN}"


@pytest.mark.parametrize(("attempt", "delay"), [(0, 2.0), (1, 2.0), (2, 5.0), (3, 9.0), (4, 9.0), (99, 9.0)])
def test_a_network_is_tried_again_by_the_schedule(attempt: int, delay: float) -> None:
    request = operate(replace(ALL_DOWN, attempt=attempt), retry_schedule=(2.0, 5.0, 9.0))
    assert select(request).not_before == NOW + delay


def test_it_looks_again_before_it_expires() -> None:
    assert select(replace(DESK_AWAY, expires_at=NOW + 1)).not_before == NOW + 1
    assert select(operate(ALL_DOWN, retry_schedule=())).not_before == NOW + 60


# ---------------------------------------------------------------------------------------------------- refusing


def test_the_nearest_miss_is_what_the_sender_reads() -> None:
    no_account = replace(ALICE, accounts=())
    tried = frozenset({"sms"})
    assert reason(select(to_bob(tried=tried, sender=no_account))) is Reason.UNDELIVERABLE
    assert reason(select(session(to_bob(sender=no_account)))) is Reason.NO_ACCOUNT
    assert reason(select(operate(to_bob(sender=no_account), allowed=frozenset({"msn"})))) is Reason.NO_ACCOUNT


def test_a_strict_choice_is_refused_with_its_own_reason() -> None:
    request = prefer(to_bob(route="msn", sender=replace(ALICE, accounts=())), strict_route=True)
    plan = select(request)
    assert plan.action is Action.REFUSE
    assert plan.error is not None


def test_a_strict_choice_without_its_account() -> None:
    sender = replace(ALICE, accounts=(), preferences=replace(ALICE.preferences, strict_route=True))
    assert reason(select(to_bob(route="msn", sender=sender))) is Reason.NO_ACCOUNT


# ------------------------------------------------------------------------------------------------------ expiry


@pytest.mark.parametrize(
    ("asked", "in_message", "ends"),
    [(0.0, None, 100.0), (0.0, 50.0, 50.0), (30.0, 50.0, 30.0), (0.0, 5000.0, 1000.0), (5000.0, None, 1000.0)],
)
def test_validity_is_what_was_asked_within_limits(asked: float, in_message: float | None, ends: float) -> None:
    sent = message(expires_at=None if in_message is None else NOW + in_message)
    request = limit(
        to_bob(message=sent, expires_at=NOW + asked if asked else 0.0), expiry_default=100.0, expiry_max=1000.0
    )
    assert select(request).expires_at == NOW + ends


def test_validity_counts_from_when_it_came() -> None:
    request = limit(to_bob(now=NOW + 60), expiry_default=100.0, expiry_max=1000.0)
    assert select(request).expires_at == NOW + 100
    assert select(session(to_bob())).expires_at == 0.0


def test_what_came_with_an_end_already_past_is_over() -> None:
    plan = select(to_bob(message=message(expires_at=NOW - 5), expires_at=NOW - 5))
    assert reason(plan) is Reason.EXPIRED
