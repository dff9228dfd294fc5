from __future__ import annotations

from opencpm.domain.address import Address
from opencpm.domain.contact import Contact
from opencpm.domain.subscriber import LinkedAccount, Subscriber
from opencpm.messaging.people import People, logins

ALICE = Subscriber(
    id="alice",
    name="Alice",
    addresses=(Address("sip", "alice@cpm.test"), Address("tel", "+12025550100")),
    accounts=(
        LinkedAccount(owner="alice", network="msn", address=Address("msn", "alice@msn.test")),
        LinkedAccount(owner="alice", network="yahoo", address=Address("yahoo", "alice"), enabled=False),
    ),
)
BOB_MSN = Address("msn", "bob@msn.test")
BOB = Contact(id="bob", owner="alice", name="Bob", addresses=(Address("tel", "+12025550101"), BOB_MSN))


def test_every_address_of_a_subscriber_leads_to_them() -> None:
    people = People([ALICE])
    for address in (*ALICE.addresses, Address("msn", "alice@msn.test"), Address("im", "alice@msn.test")):
        assert people.owner_of(address) is ALICE
    assert people.owner_of(Address("sip", "zed@cpm.test")) is None


def test_a_new_form_of_a_subscriber_takes_the_place_of_the_old() -> None:
    people = People([ALICE])
    moved = Subscriber(id="alice", name="Alice", addresses=(Address("sip", "al@cpm.test"),))
    people.put(moved)
    assert people.owner_of(Address("sip", "al@cpm.test")) is moved
    assert people.owner_of(ALICE.addresses[0]) is None
    assert people.of_login("+12025550100") is None
    assert people.linked("msn") == ()


def test_sign_in_names_with_and_without_host() -> None:
    people = People([ALICE])
    assert logins(ALICE) == ("alice", "+12025550100")
    assert people.of_login("alice") is people.of_login("alice@cpm.test") is people.of_login("+12025550100") is ALICE


def test_linked_accounts_are_the_enabled_ones() -> None:
    people = People([ALICE])
    assert [account.owner for account in people.linked("msn")] == ["alice"]
    assert people.linked("yahoo") == ()


def test_all_addresses_of_a_contact_are_one_person() -> None:
    people = People([ALICE], [BOB])
    assert people.contact("alice", BOB_MSN) is people.contact("alice", BOB.addresses[0]) is BOB
    assert people.contact("desk", BOB_MSN).id == "msn:bob@msn.test"


def test_an_alias_finds_the_contact_it_stands_for() -> None:
    people = People([ALICE], [BOB])
    assert people.contact("alice", Address("im", "bob@msn.test")) is BOB
    assert people.contact("alice", Address("sip", "bob@msn.test")) is BOB
    assert people.contact("alice", Address("msn", "bob@other.test")).id == "msn:bob@other.test"
    people.remove_contact("alice", "bob")
    assert people.known("alice", Address("im", "bob@msn.test")) is None


def test_a_subscriber_leaves_with_their_contacts() -> None:
    people = People([ALICE], [BOB])
    people.remove("alice")
    assert people.owner_of(ALICE.addresses[0]) is None
    assert people.contacts("alice") == []
    assert people.known("alice", BOB_MSN) is None
