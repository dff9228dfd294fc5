"""Fixed or mobile: by the numbering plan, the operator's table and what the number table says; each with its limits."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from opencpm.domain.address import Address
from opencpm.domain.contact import stranger
from opencpm.domain.errors import Reason
from opencpm.domain.number import NumberFacts
from opencpm.domain.policy import Policy, Route
from opencpm.domain.profile import UNKNOWN_REACH, Fit, Profile
from opencpm.selection import NetworkView, Request, select
from tests.selection.cast import SMS, UP, chosen, dropped_by, limit, prefer, reason, said, to_bob

UK_MOBILE, UK_FIXED, US = "+447700900123", "+442079460155", "+12025550131"
MOBILE_SMS = replace(SMS, number_types=frozenset({"mobile", "unknown"}))
LINE = Profile(
    label="Telephone lines", kind="sms", schemes=frozenset({"tel"}), max_segments=1, number_types=frozenset({"fixed"})
)


def to(number: str, *routes: Route, segments: tuple[int, int] = (1, 1), facts: Any = None, **more: Any) -> Request:
    """From Alice to a number, where a mobile network and telephone lines are; ``segments`` on each."""
    target = Address("tel", number)
    known = NumberFacts() if facts is None else facts
    networks = tuple(
        NetworkView(name, profile, UP, target, UNKNOWN_REACH, Fit(count), None, known)
        for name, profile, count in (("sms", MOBILE_SMS, segments[0]), ("line", LINE, segments[1]))
    )
    policy = Policy(order=("sms", "line"), routes=routes)
    return to_bob(*networks, recipient_address=target, contact=stranger("alice", target), policy=policy, **more)


@pytest.mark.parametrize(("number", "expected"), [(UK_MOBILE, "sms"), (UK_FIXED, "line"), (US, "sms")])
def test_by_the_numbering_plan_which_tells_nothing_of_some_countries(number: str, expected: str) -> None:
    assert chosen(select(to(number))) == expected


def test_the_table_knows_better_than_the_plan() -> None:
    assert chosen(select(to(US, Route(prefix="+1202555013", networks=("line",), is_type="fixed")))) == "line"
    plan = select(to(UK_FIXED, Route(prefix="+4420", networks=("sms", "line"), is_type="mobile")))
    assert chosen(plan) == "sms"
    assert said(plan, "line", "number") == f"{UK_FIXED} is a mobile number"


def test_a_route_for_fixed_numbers_only() -> None:
    routes = (Route(prefix="+44", networks=("sms",)), Route(prefix="+44", networks=("line",), number_type="fixed"))
    assert chosen(select(to(UK_FIXED, *routes))) == "line"
    assert chosen(select(to(UK_MOBILE, *routes))) == "sms"


def test_a_number_that_was_taken_along_is_what_the_number_table_says() -> None:
    """A mobile number that now rings a line at home, and the other way round."""
    assert chosen(select(to(UK_MOBILE, facts=NumberFacts("fixed", "", "number table")))) == "line"
    assert chosen(select(to(UK_FIXED, facts=NumberFacts("mobile", "", "number table")))) == "sms"


def test_a_line_has_the_limits_of_lines() -> None:
    """Three segments are nothing for a mobile telephone, and too much for a line's."""
    assert chosen(select(to(UK_MOBILE, segments=(3, 3)))) == "sms"
    plan = select(to(UK_FIXED, segments=(3, 3)))
    assert dropped_by(plan, "line") == "segments"
    assert said(plan, "line", "segments") == "3 segments, and at most 1 are allowed"
    assert reason(plan) is Reason.TOO_LARGE


def test_neither_the_operator_nor_the_sender_can_raise_the_limit_of_lines() -> None:
    assert dropped_by(select(limit(to(UK_FIXED, segments=(3, 3)), segments=8)), "line") == "segments"
    assert dropped_by(select(prefer(to(UK_FIXED, segments=(3, 3)), max_segments=8)), "line") == "segments"


def test_what_lines_cannot_carry_has_their_reason() -> None:
    request = to(UK_FIXED)
    mobile, line = request.networks
    error = select(to(UK_FIXED, segments=(1, 2))).error
    assert error is not None
    assert "Telephone lines" in error.detail
    silent = replace(request, networks=(mobile, line._replace(fit=Fit(2))))
    assert dropped_by(select(silent), "line") == "segments"


def test_where_no_network_serves_lines_the_reason_names_the_kind_of_number() -> None:
    request = to(UK_FIXED)
    plan = select(replace(request, networks=request.networks[:1]))
    assert reason(plan) is Reason.NO_ROUTE
    assert plan.error is not None
    assert f"{UK_FIXED} is a fixed number" in plan.error.detail
