"""Who is in which group, found by every name."""

from __future__ import annotations

from dataclasses import replace

import pytest

from opencpm.domain.address import Address
from opencpm.domain.group import GroupEvent, GroupWish, Member, MemberState, happened
from opencpm.interfaces import Changes
from opencpm.messaging.group_book import GroupBook
from tests.messaging.world import ALICE, BOB_MSN, BOB_TEL, DESK, World


@pytest.fixture
def book(world: World) -> GroupBook:
    return world.messaging.groups.book


def made(world: World, book: GroupBook, contribution: str = "k1"):
    alice = world.directory.subscriber("alice")
    assert alice is not None
    wish = GroupWish(creator=ALICE, members=(), contribution_id=contribution)
    group = book.new(wish, alice, True)
    bob = Member(address=BOB_MSN, name="Bob", state=MemberState.PENDING, host="alice")
    group = happened(group, BOB_MSN, GroupEvent.INVITE, 1.0, newcomer=bob)
    book.put(group, Changes())
    return group


def test_found_by_every_name(world: World, book: GroupBook) -> None:
    first, second = made(world, book), made(world, book, "k2")
    assert book.get(first.id) == book.at(first.focus) == book.of_contribution("k1") == first
    assert book.of("alice") == [first, second]
    assert book.of("desk") == book.of("nobody") == []
    assert book.of_contribution("") is None
    desk = Member(address=DESK, name="Desk", state=MemberState.PENDING, host="alice")
    with_desk = happened(second, DESK, GroupEvent.INVITE, 2.0, newcomer=desk)
    book.put(with_desk, Changes())
    assert book.of("desk") == [with_desk]
    book.put(happened(with_desk, DESK, GroupEvent.LEAVE, 3.0), Changes())
    assert book.of("desk") == []


def test_removed_it_is_nowhere(world: World, book: GroupBook) -> None:
    group, changes = made(world, book), Changes()
    book.claim(group, group.active(BOB_MSN), BOB_TEL, changes)
    assert book.claimed("alice", BOB_TEL) is not None
    book.remove(group, changes)
    assert (book.get(group.id), book.at(group.focus), book.of_contribution("k1"), book.of("alice")) == (
        None,
        None,
        None,
        [],
    )
    assert not book.claims
    assert [value for _, _, value in changes.state] == [f"{group.id}|{BOB_MSN}".encode(), None, None]


def test_claims(world: World, book: GroupBook) -> None:
    group, changes = made(world, book), Changes()
    bob = group.active(BOB_MSN)
    book.claim(group, bob, BOB_MSN, changes)
    book.claim(group, bob, BOB_MSN, changes)
    assert len(changes.state) == 1, "the same again is not written again"
    assert book.claimed("alice", BOB_MSN) == (group, bob)
    assert book.claimed("desk", BOB_MSN) is None
    book.put(happened(group, BOB_MSN, GroupEvent.LEAVE, 2.0), Changes())
    assert book.claimed("alice", BOB_MSN) is None
    book.put(replace(group, members=tuple(replace(m, host="desk") for m in group.members)), Changes())
    assert book.claimed("alice", BOB_MSN) is None, "somebody else speaks to him now"
    book.release("alice", BOB_MSN, changes)
    assert not book.claims


@pytest.mark.parametrize(
    ("address", "focus"),
    [
        ("sip:grp-1@conf.cpm.test", True),
        ("sip:grp-1@cpm.test", False),
        ("sip:grp-1@conf.other.test", False),
        ("sip:alice@conf.cpm.test", False),
        ("msn:grp-1@conf.cpm.test", False),
        ("tel:+12025550101", False),
    ],
)
def test_what_a_groups_address_looks_like(book: GroupBook, address: str, focus: bool) -> None:
    assert book.is_focus(Address.parse(address)) is focus
