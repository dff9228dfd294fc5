"""One test for each rule, in the order of the table."""

from __future__ import annotations

from dataclasses import replace

import pytest

from opencpm.domain.address import Address
from opencpm.domain.contact import stranger
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.policy import Route, TextSessions
from opencpm.domain.profile import Availability, Fit, Reach
from opencpm.selection import Request, select
from opencpm.selection.rules import RULES
from tests.selection.cast import (
    ALICE,
    BOB_TEL,
    DOWN,
    FULL,
    OFFLINE,
    SMS,
    XMPP,
    chosen,
    dropped_by,
    limit,
    msn,
    operate,
    prefer,
    reason,
    receiver_prefers,
    said,
    session,
    sip,
    sms,
    to_bob,
    to_carol,
)

NO_ACCOUNT = replace(ALICE, accounts=())
NO_TEXTS = TextSessions(offered=False)
NO_IMAGES = SendError(Reason.UNSUPPORTED_MEDIA, detail="SMS carries text only")


@pytest.mark.parametrize(
    ("request_", "network", "rule", "why"),
    [
        (prefer(to_bob(route="msn"), strict_route=True), "sms", "choice", None),
        (to_carol(sip(), sms()), "sms", "receiver", None),
        (to_bob(sip(target=BOB_TEL)), "sip", "receiver", Reason.NO_ROUTE),
        (operate(session(to_bob(sms())), text_sessions=NO_TEXTS), "sms", "sessions", Reason.NOT_ACCEPTABLE),
        (operate(to_bob(sms()), allowed=frozenset({"msn"})), "sms", "operator", Reason.BARRED),
        (operate(to_bob(sms()), routes=(Route(prefix="+1", networks=()),)), "sms", "route", Reason.NO_ROUTE),
        (operate(to_bob(sms()), routes=(Route(prefix="+1", networks=("mms",)),)), "sms", "route", Reason.NO_ROUTE),
        (to_bob(sms(profile=replace(SMS, number_types=frozenset({"fixed"})))), "sms", "number", Reason.NO_ROUTE),
        (prefer(to_bob(sms()), denied=frozenset({"sms"})), "sms", "preferences", Reason.NO_ROUTE),
        (receiver_prefers(to_carol(sip()), denied=frozenset({"sip"})), "sip", "preferences", Reason.UNREACHABLE),
        (to_bob(msn(), sender=NO_ACCOUNT), "msn", "account", Reason.NO_ACCOUNT),
        (to_bob(sms(fit=Fit(error=NO_IMAGES))), "sms", "fit", Reason.UNSUPPORTED_MEDIA),
        (limit(to_bob(sms(fit=Fit(segments=4))), segments=3), "sms", "segments", Reason.TOO_LARGE),
        (prefer(to_bob(sms(fit=Fit(segments=4))), max_segments=3), "sms", "segments", Reason.TOO_LARGE),
        (to_bob(sms(), tried=frozenset({"sms"})), "sms", "tried", Reason.UNDELIVERABLE),
        (to_bob(sms(health=DOWN)), "sms", "health", Reason.NETWORK_DOWN),
        (to_bob(sms(health=FULL)), "sms", "health", Reason.CONGESTION),
        (to_bob(msn(reach=OFFLINE)), "msn", "status", Reason.OFFLINE),
        (to_carol(sip(reach=OFFLINE)), "sip", "status", Reason.OFFLINE),
        (receiver_prefers(to_carol(sip()), status=Availability.OFFLINE), "sip", "status", Reason.OFFLINE),
    ],
)
def test_what_drops_a_network(request_: Request, network: str, rule: str, why: Reason | None) -> None:
    plan = select(request_)
    assert dropped_by(plan, network) == rule
    assert chosen(plan) != network
    assert reason(plan) is why


@pytest.mark.parametrize(
    ("request_", "network"),
    [
        (to_bob(route="msn"), "sms"),
        (to_carol(sip(), sms(), route="sms"), "sms"),
        (session(to_bob()), "msn"),
        (operate(to_bob(), allowed=frozenset({"sms"})), "sms"),
        (operate(to_carol(), allowed=frozenset()), "sip"),
        (operate(to_bob(), routes=()), "sms"),
        (to_bob(sms(profile=replace(SMS, number_types=frozenset({"mobile"})))), "sms"),
        (prefer(to_carol(), denied=frozenset({"sip"})), "sip"),
        (to_bob(sms(), sender=NO_ACCOUNT), "sms"),
        (limit(to_bob(sms(fit=Fit(segments=3))), segments=3), "sms"),
        (limit(to_bob(sms(fit=Fit(segments=30), profile=replace(SMS, max_segments=0))), segments=0), "sms"),
        (to_bob(msn(fit=Fit(segments=90))), "msn"),
        (to_bob(sms(reach=OFFLINE)), "sms"),
        (to_bob(msn(reach=Reach(Availability.AWAY))), "msn"),
        (to_bob(msn(reach=Reach(Availability.UNKNOWN))), "msn"),
    ],
)
def test_what_leaves_a_network_standing(request_: Request, network: str) -> None:
    assert dropped_by(select(request_), network) == ""


def test_a_session_cannot_be_stored_for_somebody_away() -> None:
    stored = msn(name="xmpp", profile=XMPP, reach=OFFLINE)
    accounts = tuple(replace(account, network="xmpp") for account in ALICE.accounts)
    request = to_bob(stored, sender=replace(ALICE, accounts=accounts))
    assert dropped_by(select(request), "xmpp") == ""
    assert dropped_by(select(session(request)), "xmpp") == "status"


def test_a_networks_own_segment_limit() -> None:
    view = sms(fit=Fit(segments=3), profile=replace(SMS, max_segments=2))
    assert dropped_by(select(to_bob(view)), "sms") == "segments"
    assert select(to_bob(sms())).max_segments == 10
    assert select(prefer(to_bob(sms()), max_segments=3)).max_segments == 3
    assert select(to_bob(msn())).max_segments == 0


def test_the_last_rules_are_those_that_time_mends() -> None:
    assert [name for name, _, _ in RULES][-2:] == ["health", "status"]


@pytest.mark.parametrize(
    ("request_", "network", "rule", "words"),
    [
        (to_bob(), "sms", "route", "route +1202 mobile → sms"),
        (
            operate(to_bob(), routes=(Route(prefix="", networks=("sms", "mms")),)),
            "sms",
            "route",
            "route all numbers → sms, then mms",
        ),
        (operate(to_bob(), routes=(Route(prefix="+1", networks=()),)), "sms", "route", "route +1 → not served"),
        (session(to_bob()), "sms", "sessions", "SMS has none"),
        (session(to_bob()), "msn", "sessions", "MSN has sessions"),
        (to_bob(), "msn", "status", "msn:bob@msn.test is available, 1 device"),
        (to_bob(sms(health=DOWN)), "sms", "health", "link to SMS is down since 22:11:40 UTC: connection refused"),
        (to_bob(sms(health=FULL)), "sms", "health", "its queue is full"),
        (to_bob(), "msn", "account", "alice has the account msn:alice@msn.test"),
        (to_bob(), "sms", "fit", "1 segment, nothing is lost"),
        (to_bob(msn(fit=Fit(losses=("the subject",)))), "msn", "fit", "the subject"),
        (to_bob(sms(fit=Fit(segments=11))), "sms", "segments", "11 segments, and at most 10 are allowed"),
    ],
)
def test_the_evidence_in_words(request_: Request, network: str, rule: str, words: str) -> None:
    assert said(select(request_), network, rule) == words


def test_the_source_is_the_senders_address_on_that_network() -> None:
    plan = select(to_bob())
    assert {str(one.source) for one in plan.candidates} == {"tel:+12025550100", "msn:alice@msn.test"}
    assert select(to_carol()).candidates[0].source == ALICE.addresses[0]
    without = replace(ALICE, addresses=ALICE.addresses[:1])
    assert select(to_bob(sms(), sender=without)).candidates[0].source == ALICE.addresses[0]


def test_a_name_as_sender_is_kept_where_numbers_are() -> None:
    bank = Address("alpha", "Bank")
    by_name = replace(to_bob(sms(), sender=replace(ALICE, addresses=(*ALICE.addresses, bank))), sender_address=bank)
    assert select(by_name).candidates[0].source == bank


def test_a_person_without_a_name_is_called_by_their_address() -> None:
    plan = select(to_bob(msn(reach=OFFLINE), contact=stranger("alice", Address("msn", "x@msn.test"))))
    assert plan.error is not None
    assert plan.error.detail.startswith("x@msn.test is offline on MSN")
