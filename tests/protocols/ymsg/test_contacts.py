"""The contact list in both its forms."""

from __future__ import annotations

import pytest

from opencpm.protocols.ymsg.contacts import MAX_CONTACTS, Contact, Listing, Records
from opencpm.protocols.ymsg.errors import YmsgError
from opencpm.protocols.ymsg.packet import Packet, pairs
from opencpm.protocols.ymsg.services import CONTINUED, Service


def part(lines: str, ignored: str = "", status: int = 0) -> Packet:
    return Packet(Service.LIST, status, pairs((87, lines), (88, ignored)))


def test_lines() -> None:
    listing = Listing()
    listing.add(part("Friends:bob,Carol\nWork:bob\n(No Group):dave\nno colon\nEmpty:\n", "eve, bob,,"))
    assert listing.contacts() == (
        Contact("bob", ("Friends", "Work"), ignored=True),
        Contact("carol", ("Friends",)),
        Contact("dave"),
        Contact("eve", ignored=True),
    )
    assert listing.contacts() == ()  # begins anew


def test_cut_anywhere_between_packets() -> None:
    lines = "Friends:bob,carol\nWork:dave\n"
    for at in range(len(lines)):
        listing = Listing()
        listing.add(part(lines[:at], "e", CONTINUED))
        listing.add(part(lines[at:], "ve"))
        assert {contact.user for contact in listing.contacts()} == {"bob", "carol", "dave", "eve"}


def test_a_list_has_an_end() -> None:
    listing, piece = Listing(), part("x" * 60_000, status=CONTINUED)
    for _ in range(17):
        listing.add(piece)
    with pytest.raises(YmsgError):
        listing.add(piece)
    listing = Listing()
    listing.add(part("Friends:" + ",".join(f"user{n}" for n in range(MAX_CONTACTS + 10)) + "\n"))
    assert len(listing.contacts()) == MAX_CONTACTS


RECORDS = [
    *[(302, "318"), (300, "318"), (65, "Friends"), (302, "319")],
    *[(300, "319"), (7, "Bob"), (301, "319"), (300, "319"), (7, "carol"), (223, "1"), (301, "319")],
    *[(300, "319"), (7, "foreign"), (241, "2"), (301, "319"), (303, "319"), (301, "318")],
    *[(300, "318"), (65, "Work"), (302, "319"), (300, "319"), (7, "bob"), (301, "319"), (303, "319"), (301, "318")],
    *[(302, "320"), (300, "320"), (7, "eve"), (301, "319"), (303, "320"), (303, "318")],
]
WHOLE = (
    Contact("bob", ("Friends", "Work")),
    Contact("carol", ("Friends",), pending=True),
    Contact("foreign", ("Friends",), foreign=True),
    Contact("eve", ignored=True),
)


def test_records() -> None:
    records = Records()
    assert records.add(Packet(Service.LIST_15, 0, pairs(*RECORDS)))
    assert records.contacts() == WHOLE
    assert records.contacts() == ()


def test_records_cut_anywhere_between_packets() -> None:
    for at in range(1, len(RECORDS)):
        records = Records()
        if records.add(Packet(Service.LIST_15, CONTINUED, pairs(*RECORDS[:at]))):
            continue  # cut behind what looks like the end
        assert records.add(Packet(Service.LIST_15, 0, pairs(*RECORDS[at:])))
        assert records.contacts() == WHOLE
