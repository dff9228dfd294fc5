"""Each criterion decides where those before it do not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from opencpm.domain.address import Address
from opencpm.domain.policy import Policy, Route
from opencpm.domain.profile import Availability, Fit, Reach
from opencpm.domain.roster import Mark, Tie
from opencpm.domain.subscriber import LinkedAccount
from opencpm.selection import Request, select
from opencpm.selection.rank import CRITERIA
from tests.selection.cast import (
    ALICE,
    ALICE_MSN,
    BOB,
    BOB_MSN,
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
        (prefer(ORDERED, online_first=True, networks=("sms",)), "msn", 4),
        (PREFERRED, "msn", 5),
        (ROUTED, "sms", 6),
        (ORDERED, "sms", 7),
        (operate(PLAIN, order=("msn",)), "msn", 7),
        (replace(PLAIN, networks=(sms(fit=Fit(losses=("a",))), msn())), "msn", 8),
        (PLAIN, "msn", 9),
        (replace(PLAIN, networks=(sms(), msn(reach=Reach(Availability.AWAY)))), "msn", 9),
    ],
)
def test_the_criterion_that_decides(request_: Request, network: str, criterion: int) -> None:
    plan = select(request_)
    assert chosen(plan) == network
    assert plan.reason.endswith(f": {CRITERIA[criterion]}")


@pytest.mark.parametrize("availability", [a for a in Availability if a is not Availability.AVAILABLE])
def test_an_instant_message_only_where_they_are_online(availability: Availability) -> None:
    request = prefer(replace(ORDERED, networks=(sms(), msn(reach=Reach(availability)))), online_first=True)
    assert chosen(select(request)) == "sms"


def test_a_habit_comes_before_the_wish_for_an_instant_message() -> None:
    assert chosen(select(prefer(STICKY, online_first=True))) == "sms"


def test_of_several_accounts_the_one_that_has_the_receiver_on_its_list() -> None:
    second = LinkedAccount(owner="alice", network="msn", address=Address("msn", "a2@msn.test"))
    sender = replace(ALICE, accounts=(*ALICE.accounts, second))
    contact = BOB
    for ties, account in (((), ALICE_MSN), ((Tie.GONE,), ALICE_MSN), ((Tie.MUTUAL,), second.address)):
        marks = tuple(Mark(network="msn", account=second.address, address=BOB_MSN, tie=tie) for tie in ties)
        plan = select(to_bob(msn(), sender=sender, contact=replace(contact, marks=marks)))
        assert plan.chosen is not None
        assert plan.chosen.source == account


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
