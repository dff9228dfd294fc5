from __future__ import annotations

from dataclasses import replace

import pytest

from opencpm.domain.address import Address
from opencpm.domain.contact import Contact, stranger
from opencpm.domain.errors import Reason
from opencpm.domain.message import Part, text_part
from opencpm.domain.plan import Action
from opencpm.domain.profile import Availability
from opencpm.selection import Request, select
from tests.selection.cast import (
    ALICE,
    BOB,
    BOB_TEL,
    DESK,
    DESK_SIP,
    NOW,
    OFFLINE,
    fact,
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


def refused(request: Request, rule: str, why: Reason) -> str:
    """It is refused by this fact; returns what the sender reads."""
    plan = select(request)
    assert plan.action is Action.REFUSE
    assert plan.chosen is None
    assert plan.error is not None
    assert (plan.facts[-1].rule, plan.facts[-1].kept, plan.error.reason) == (rule, False, why)
    return plan.error.detail


# ------------------------------------------------------------------------------------------------------ sender


def test_a_sender_may_send() -> None:
    assert fact(select(to_bob()), "sender").evidence == "alice may send"


def test_a_barred_sender_is_refused() -> None:
    refused(to_bob(sender=replace(ALICE, barred=True)), "sender", Reason.BARRED)


def test_nobody_uses_us_as_a_relay() -> None:
    refused(to_bob(sender=None, sender_address=Address("tel", "+12025550177")), "sender", Reason.BARRED)


def test_a_foreign_sender_reaches_a_subscriber() -> None:
    request = to_carol(sender=None, sender_address=BOB_TEL, contact=stranger("desk", BOB_TEL))
    assert select(request).action is Action.SEND


# ----------------------------------------------------------------------------------------------------- blocked


def test_a_receiver_who_blocks_the_sender() -> None:
    known = Contact(id="bob", owner="desk", name="Bob", addresses=(BOB_TEL,), blocked=True)
    request = to_carol(sender=None, sender_address=BOB_TEL, contact=known)
    assert "does not take" in refused(request, "blocked", Reason.BARRED)
    assert "does not take" in refused(to_carol(blocked=True), "blocked", Reason.BARRED)


def test_a_sender_who_blocks_the_receiver_is_told_to_unblock() -> None:
    assert "unblock" in refused(to_bob(contact=replace(BOB, blocked=True)), "blocked", Reason.BARRED)


# ----------------------------------------------------------------------------------------------------- content


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ((text_part("hello"),), "text/plain, 5 characters"),
        ((text_part("ü"),), "text/plain, 1 character"),
        ((text_part(""),), "text/plain, 0 characters"),
        ((Part("image/png", b"xy"),), "image/png, 2 bytes"),
        ((text_part("see"), Part("IMAGE/PNG", b"x")), "text/plain, 3 characters, image/png, 1 byte"),
    ],
)
def test_content_is_named(parts: tuple[Part, ...], words: str) -> None:
    assert fact(select(to_bob(message=message(*parts))), "content").evidence == words


@pytest.mark.parametrize("parts", [(text_part("x" * 101),), (text_part("x"), Part("image/png", b"y" * 100))])
def test_content_over_the_operators_limit(parts: tuple[Part, ...]) -> None:
    assert "100 bytes" in refused(
        limit(to_bob(message=message(*parts)), message_bytes=100), "content", Reason.TOO_LARGE
    )


def test_an_invitation_is_named() -> None:
    assert fact(select(session(to_bob(msn()))), "content").evidence == "a session invitation"


def test_the_text_itself_is_never_in_the_reasons() -> None:
    assert "secret words" not in repr(select(to_bob(message=message(text_part("secret words")))))


# ----------------------------------------------------------------------------------------------------- expiry


def test_what_is_over_is_not_sent() -> None:
    refused(to_bob(expires_at=NOW - 1), "expiry", Reason.EXPIRED)
    refused(to_bob(expires_at=NOW), "expiry", Reason.EXPIRED)
    assert select(to_bob(expires_at=NOW + 1)).action is Action.SEND


# ---------------------------------------------------------------------------------------------------- receiver


def test_a_legacy_user_is_told_from_a_subscriber() -> None:
    assert fact(select(to_bob()), "address").evidence == f"{BOB_TEL} is not a subscriber: legacy network user"
    assert fact(select(to_carol()), "address").evidence == f"{DESK_SIP} is desk, a subscriber"


def test_nobody_in_our_domain_has_that_address() -> None:
    nobody = Address("sip", "zed@cpm.test")
    request = to_bob(sms(target=None), msn(target=None), recipient_address=nobody, contact=stranger("alice", nobody))
    assert "zed@cpm.test" in refused(request, "address", Reason.UNKNOWN_ADDRESS)


@pytest.mark.parametrize("number", ["+1202", "+0123456789", "+99912345678", "02025550101", "*21#99999999999"])
def test_numbers_that_cannot_be(number: str) -> None:
    address = Address("tel", number)
    request = to_bob(sms(target=address), recipient_address=address, contact=stranger("alice", address))
    assert "+<country><number>" in refused(operate(request, routes=()), "address", Reason.UNKNOWN_ADDRESS)


def test_the_operators_table_knows_numbers_better_than_the_numbering_plan() -> None:
    address = Address("tel", "+99912345678")
    request = to_bob(sms(target=address), recipient_address=address, contact=stranger("alice", address))
    routes = to_bob().policy.routes
    assert select(operate(request, routes=(replace(routes[0], prefix="+999"),))).action is Action.SEND


def test_a_bad_number_of_somebody_with_another_address_is_no_hindrance() -> None:
    address = Address("tel", "+1202")
    assert select(operate(to_bob(msn(), recipient_address=address), routes=())).action is Action.SEND


@pytest.mark.parametrize(("number", "region"), [("112", ""), ("911", ""), ("999", "GB"), ("15", "FR")])
def test_help_is_called_not_written_to(number: str, region: str) -> None:
    address = Address("tel", number)
    request = operate(to_bob(sms(target=address), recipient_address=address), home_region=region)
    assert "make a call" in refused(request, "address", Reason.BARRED)


def test_a_short_code_is_a_number_too() -> None:
    address = Address("tel", "66777")
    assert select(to_bob(sms(target=address), recipient_address=address)).action is Action.SEND


def test_a_suspended_receiver() -> None:
    refused(to_carol(recipient=replace(DESK, barred=True)), "address", Reason.UNREACHABLE)


# ------------------------------------------------------------------------------------------------------ status


def test_a_subscribers_status_is_the_best_of_their_devices() -> None:
    plan = select(to_carol(sip(reach=OFFLINE), web()))
    assert fact(plan, "status").evidence == "desk is available, 1 device"


def test_a_status_set_by_hand_counts_first() -> None:
    plan = select(receiver_prefers(to_carol(), status=Availability.BUSY))
    assert fact(plan, "status").evidence == "desk is busy (set by hand)"
    assert plan.action is Action.SEND


def test_a_subscriber_without_any_access() -> None:
    plan = select(to_carol(sms(target=None)))
    assert (plan.action, reason(plan)) == (Action.REFUSE, Reason.UNREACHABLE)
    assert fact(plan, "status").evidence == "desk has no way to be reached here"


# ------------------------------------------------------------------------------------------------------ choice


def test_the_senders_choice_is_said() -> None:
    assert fact(select(to_bob(route="msn")), "choice").evidence == "the sender asked for msn"
    assert fact(select(to_bob(message=message(route="msn"))), "choice").evidence == "the sender asked for msn"


def test_a_choice_that_cannot_be_met_is_only_said() -> None:
    plan = select(to_bob(route="pigeon"))
    assert plan.action is Action.SEND
    assert "no network here" in fact(plan, "choice").evidence
    assert "no address" in fact(select(to_bob(sms(), msn(target=None), route="msn")), "choice").evidence


@pytest.mark.parametrize("route", ["pigeon", "msn"])
def test_a_strict_choice_that_cannot_be_met_is_refused(route: str) -> None:
    request = prefer(to_bob(sms(), msn(target=None), route=route), strict_route=True)
    assert "choose another network" in refused(request, "choice", Reason.NO_ROUTE)


def test_an_address_of_no_network() -> None:
    elsewhere = Address("sip", "bob@example.org")
    plan = select(
        to_bob(sms(target=None), msn(target=None), recipient_address=elsewhere, contact=stranger("alice", elsewhere))
    )
    assert (plan.action, reason(plan), plan.candidates) == (Action.REFUSE, Reason.NO_ROUTE, ())
    assert plan.error is not None
    assert "add another address" in plan.error.detail


def test_no_network_for_telephones() -> None:
    plan = select(to_bob(msn(target=None)))
    assert reason(plan) is Reason.NO_ROUTE
    assert "telephone" in plan.reason
