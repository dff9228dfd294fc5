"""What holds for every request, whatever is in it."""

from __future__ import annotations

import json
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from opencpm.domain.address import Address
from opencpm.domain.contact import Contact
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import Part
from opencpm.domain.plan import Action
from opencpm.domain.policy import Limits, Policy, Route
from opencpm.domain.profile import Availability, Fit, Health, HealthState, Reach
from opencpm.domain.subscriber import Preferences, WhenUnavailable
from opencpm.selection import NetworkView, Request, select
from opencpm.selection.explain import as_json, as_json_text, as_text
from tests.selection.cast import ALICE, ALICE_SIP, BOB_MSN, BOB_TEL, DESK, DESK_SIP, MSN, NOW, SIP, SMS, message

NAMES = ("sms", "msn", "sip", "web")
PROFILES = {"sms": SMS, "msn": MSN, "sip": SIP, "web": SIP}
ADDRESSES = st.sampled_from(
    [BOB_TEL, BOB_MSN, DESK_SIP, ALICE_SIP, Address("tel", "112"), Address("tel", "0123"), Address("im", "x@y")]
)

names = st.sampled_from((*NAMES, "pigeon"))
orders = st.lists(names, max_size=4).map(tuple)
errors = st.none() | st.sampled_from([Reason.UNSUPPORTED_MEDIA, Reason.TOO_LARGE]).map(SendError)
fits = st.builds(Fit, st.integers(0, 20), st.lists(st.text(max_size=5), max_size=2).map(tuple), errors)
healths = st.builds(Health, st.sampled_from(HealthState), st.text(max_size=5), st.floats(0, 2e9))
reaches = st.builds(Reach, st.sampled_from(Availability))
routes = st.builds(
    Route,
    prefix=st.sampled_from(["", "+1", "+1202", "+44"]),
    networks=orders,
    number_type=st.sampled_from(["", "mobile", "fixed"]),
    is_type=st.sampled_from(["", "mobile", "fixed"]),
)
preferences = st.builds(
    Preferences,
    networks=orders,
    denied=st.frozensets(names, max_size=2),
    max_segments=st.integers(0, 10),
    when_unavailable=st.sampled_from(WhenUnavailable),
    status=st.sampled_from(Availability),
    strict_route=st.booleans(),
    online_first=st.booleans(),
)
limits = st.builds(Limits, message_bytes=st.integers(0, 10), segments=st.integers(0, 12))
policies = st.builds(
    Policy,
    order=orders,
    allowed=st.none() | st.frozensets(names),
    routes=st.lists(routes, max_size=3).map(tuple),
    local_domains=st.just(("cpm.test",)),
    home_region=st.sampled_from(["", "GB"]),
    limits=limits,
    defer_when_down=st.booleans(),
    retry_schedule=st.lists(st.floats(1, 100), max_size=3).map(tuple),
)


@st.composite
def requests(draw: st.DrawFn) -> Request:
    views = tuple(
        NetworkView(name, PROFILES[name], draw(healths), draw(st.none() | ADDRESSES), draw(reaches), draw(fits))
        for name in draw(st.lists(st.sampled_from(NAMES), unique=True))
    )
    session = draw(st.booleans())
    sender = draw(st.none() | preferences.map(lambda p: replace(ALICE, preferences=p)))
    recipient = draw(st.none() | preferences.map(lambda p: replace(DESK, preferences=p)))
    owner = draw(st.sampled_from(["alice", "desk"]))
    parts = draw(st.lists(st.builds(Part, st.sampled_from(["text/plain", "image/png"]), st.binary(max_size=12))))
    return Request(
        now=NOW,
        sender_address=draw(ADDRESSES),
        recipient_address=draw(ADDRESSES),
        sender=sender,
        recipient=recipient,
        contact=Contact(id="x", owner=owner, name="X", addresses=(BOB_TEL,), networks=draw(orders)),
        networks=views,
        policy=draw(policies),
        message=None if session else replace(message(), parts=tuple(parts)),
        session=session,
        route=draw(st.just("") | names),
        sticky=draw(st.just("") | names),
        tried=draw(st.frozensets(names, max_size=1)),
        attempt=draw(st.integers(0, 30)),
        expires_at=draw(st.sampled_from([0.0, NOW - 1, NOW + 1, NOW + 1e9])),
    )


@given(requests())
def test_every_plan_is_whole(request: Request) -> None:
    plan = select(request)
    assert (plan.action is Action.SEND) == (plan.chosen is not None)
    assert (plan.action is Action.SEND) == any(one.kept for one in plan.candidates)
    assert (plan.error is None) == (plan.action is Action.SEND)
    assert (plan.waits_for != "") == (plan.action is Action.DEFER)
    assert plan.reason
    if plan.action is Action.DEFER:
        assert not request.session
        assert plan.not_before <= plan.expires_at


@given(requests())
def test_every_network_has_its_reasons(request: Request) -> None:
    plan = select(request)
    reachable = [view.name for view in request.networks if view.target is not None]
    assert [one.network for one in plan.candidates] in (reachable, [])
    for one in plan.candidates:
        assert one.kept == all(note.kept for note in one.notes)
        assert all(note.evidence and note.rule for note in one.notes)
    assert plan.chosen is None or (plan.chosen.kept and plan.chosen in plan.candidates)


@given(requests())
def test_the_same_question_has_the_same_answer(request: Request) -> None:
    assert as_json(select(request)) == as_json(select(replace(request)))


@given(requests())
def test_no_preference_goes_over_the_operators_word(request: Request) -> None:
    plan = select(request)
    if plan.chosen is None:
        return
    view = next(view for view in request.networks if view.name == plan.chosen.network)
    if view.profile.access:
        return
    allowed, limit = request.policy.allowed, request.policy.limits.segments
    assert allowed is None or view.name in allowed
    assert view.fit.error is None
    assert view.health.state is HealthState.UP
    if view.profile.kind == "sms" and limit:
        assert view.fit.segments <= limit


@given(requests())
def test_every_plan_can_be_told(request: Request) -> None:
    plan = select(request)
    assert json.loads(as_json_text(plan)) == as_json(plan)
    assert as_text(plan)
