from __future__ import annotations

from dataclasses import replace

import pytest

from opencpm.domain.address import Address
from opencpm.domain.contact import Contact, stranger
from opencpm.domain.profile import Profile
from opencpm.selection.targets import domain_of, target_on
from tests.selection.cast import BOB, BOB_MSN, BOB_TEL, DESK_SIP, MSN, POLICY, SIP, SMS

parse = Address.parse


@pytest.mark.parametrize(
    ("profile", "name", "recipient", "expected"),
    [
        (SMS, "sms", "tel:+12025550101", "tel:+12025550101"),
        (SMS, "sms", "sip:+12025550101@cpm.test;user=phone", "tel:+12025550101"),
        (SMS, "sms", "tel:66777", "tel:66777"),
        (SMS, "sms", "tel:0770090012", None),
        (SMS, "sms", "msn:bob@msn.test", None),
        (SMS, "sms", "sip:bob@msn.test", None),
        (MSN, "msn", "msn:bob@msn.test", "msn:bob@msn.test"),
        (MSN, "msn", "sip:bob@msn.test", "msn:bob@msn.test"),
        (MSN, "msn", "sip:Bob@MSN.test", "msn:bob@msn.test"),
        (MSN, "msn", "sip:bob%40msn.test@cpm.test", "msn:bob@msn.test"),
        (MSN, "msn", "im:bob@msn.test", "msn:bob@msn.test"),
        (MSN, "other", "im:bob@msn.test", None),
        (MSN, "msn", "im:bob@nobody-knows.test", "msn:bob@nobody-knows.test"),
        (SMS, "sms", "im:bob@nobody-knows.test", None),
        (MSN, "msn", "sip:bob@nobody-knows.test", None),
        (MSN, "msn", "tel:+12025550101", None),
        (SIP, "sip", "sip:bob@cpm.test", None),
    ],
)
def test_a_strangers_address(profile: Profile, name: str, recipient: str, expected: str | None) -> None:
    address = parse(recipient)
    found = target_on(profile, name, address, stranger("alice", address), POLICY, False)
    assert found == (None if expected is None else parse(expected))


def test_a_contact_is_reached_by_any_of_their_addresses() -> None:
    assert target_on(MSN, "msn", BOB_TEL, BOB, POLICY, False) == BOB_MSN
    assert target_on(SMS, "sms", BOB_MSN, BOB, POLICY, False) == BOB_TEL
    alias = Contact(id="bob", owner="alice", name="Bob", addresses=(BOB_TEL, parse("sip:bob@msn.test")))
    assert target_on(MSN, "msn", BOB_TEL, alias, POLICY, False) == BOB_MSN


def test_the_address_as_written_goes_before_the_contacts_first() -> None:
    second = parse("tel:+12025550102")
    both = replace(BOB, addresses=(BOB_TEL, second))
    assert target_on(SMS, "sms", second, both, POLICY, False) == second


def test_devices_are_reached_by_access_only_and_only_if_ours() -> None:
    contact = stranger("alice", DESK_SIP)
    assert target_on(SIP, "sip", DESK_SIP, contact, POLICY, True) == DESK_SIP
    assert target_on(SIP, "sip", DESK_SIP, contact, POLICY, False) is None


def test_national_numbers_in_the_home_region() -> None:
    address = parse("07700900123")
    home = replace(POLICY, home_region="GB")
    found = target_on(SMS, "sms", address, stranger("alice", address), home, False)
    assert found == parse("tel:+447700900123")


def test_domains() -> None:
    assert domain_of(BOB_MSN) == "msn.test"
    assert domain_of(BOB_TEL) == ""
