"""Each criterion decides where those before it do not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from opencpm.domain.policy import Policy, Route
from opencpm.domain.profile import Availability, Fit, Reach
from opencpm.selection import Request, select
from opencpm.selection.rank import CRITERIA
from tests.selection.cast import (
    BOB,
    DOWN,
    OFFLINE,
    chosen,
    msn,
    operate,
    prefer,
    receiver_prefers,
    sip,
    sms,
    to_bob,
    to_carol,
    web,
)

PLAIN = to_bob(policy=Policy())
ORDERED = operate(PLAIN, order=("sms", "msn"))
ROUTED = operate(ORDERED, routes=(Route(prefix="+1", networks=("sms",)),))
PREFERRED = prefer(ROUTED, networks=("msn", "sms"))
STICKY = replace(PREFERRED, sticky="sms")
FOR_BOB = replace(STICKY, contact=replace(BOB, networks=("msn",)))
ASKED = replace(FOR_BOB, route="sms")


@pytest.mark.parametrize(
    ("request_", "network", "criterion"),
    [
        (ASKED, "sms", 0),
        (FOR_BOB, "msn", 2),
        (STICKY, "sms", 3),
        (PREFERRED, "msn", 4),
        (ROUTED, "sms", 5),
        (ORDERED, "sms", 6),
        (operate(PLAIN, order=("msn",)), "msn", 6),
        (replace(PLAIN, networks=(sms(fit=Fit(losses=("a",))), msn())), "msn", 7),
        (PLAIN, "msn", 8),
        (replace(PLAIN, networks=(sms(), msn(reach=Reach(Availability.AWAY)))), "msn", 8),
    ],
)
def test_the_criterion_that_decides(request_: Request, network: str, criterion: int) -> None:
    plan = select(request_)
    assert chosen(plan) == network
    assert plan.reason.endswith(f": {CRITERIA[criterion]}")


def test_equals_keep_the_order_of_the_configuration() -> None:
    same = (msn(name="one"), msn(name="two"))
    sender = PLAIN.sender
    assert sender is not None
    accounts = tuple(replace(sender.accounts[0], network=name) for name in ("one", "two"))
    plan = select(replace(PLAIN, networks=same, sender=replace(sender, accounts=accounts)))
    assert chosen(plan) == "one"
    assert plan.reason.endswith("it was configured first")


def test_the_one_that_is_left() -> None:
    assert select(to_bob(sms())).reason == "SMS is the one network that can carry it"


def test_a_choice_that_is_down_falls_back_unless_strict() -> None:
    request = to_bob(sms(health=DOWN), msn(), route="sms")
    assert chosen(select(request)) == "msn"
    assert select(prefer(request, strict_route=True)).waits_for == "network:sms"


def test_somebody_elses_preferences_for_a_person_do_not_count() -> None:
    other = replace(BOB, owner="desk", networks=("msn",))
    assert chosen(select(to_bob(contact=other))) == "sms"


def test_among_devices_the_receivers_order_counts() -> None:
    assert chosen(select(to_carol())) == "sip"
    assert chosen(select(prefer(to_carol(), networks=("web",)))) == "sip"
    assert chosen(select(receiver_prefers(to_carol(), networks=("web",)))) == "web"
    assert chosen(select(to_carol(sip(reach=OFFLINE), web()))) == "web"
