"""The rules of opencpm.messaging.merge, one by one."""

from dataclasses import replace
from itertools import count

from opencpm.domain.address import Address
from opencpm.domain.contact import Contact
from opencpm.domain.roster import (
    NAME_LIMIT,
    ROSTER_LIMIT,
    Answer,
    ChangeKind,
    ContactRequest,
    Mark,
    RosterChange,
    RosterEntry,
    Tie,
)
from opencpm.messaging import merge

ME, BOB, CAROL = (Address("msn", f"{name}@msn.test") for name in ("alice", "bob", "carol"))
PHONE = Address("tel", "+12025550101")
MSN = frozenset({"msn"})
WRITTEN = Contact(id="bob", owner="alice", name="My Bob", addresses=(PHONE, BOB), networks=("sms",))


def take(
    book: list[Contact], *entries: RosterEntry, network: str = "msn", account: Address | None = ME
) -> list[Contact]:
    """The book after a list came in."""
    numbers = count(1)
    merged = merge.merge(book, "alice", network, account, entries, lambda name: f"new-{next(numbers)}")
    put = {contact.id: contact for contact in merged.put}
    kept = [put.pop(contact.id, contact) for contact in book if contact.id not in merged.gone]
    return kept + list(put.values())


def told(book: list[Contact], share: bool = True, first: bool = True) -> list[RosterChange]:
    return merge.changes(book, (), "msn", ME, MSN, share, first)


def bob(**changes: object) -> RosterEntry:
    return replace(RosterEntry(address=BOB, name="Bobby", tie=Tie.MUTUAL), **changes)


# ---------------------------------------------------------------------------------------------- the list comes in


def test_somebody_new_comes_into_the_book_and_the_name_follows_the_list() -> None:
    (one,) = book = take([], bob(groups=("Friends",)))
    assert (one.name, one.addresses, one.written) == ("Bobby", (BOB,), False)
    (mark,) = one.marks
    assert (mark.network, mark.account, mark.tie, mark.groups) == ("msn", ME, Tie.MUTUAL, ("Friends",))
    (one,) = take(book, bob(name="Robert"))
    assert one.name == "Robert"


def test_what_the_user_wrote_stays() -> None:
    (one,) = take([WRITTEN], bob())
    assert replace(one, marks=()) == WRITTEN
    assert [(m.address, m.name, m.tie) for m in one.marks] == [(BOB, "Bobby", Tie.MUTUAL)]


def test_the_same_list_again_changes_nothing() -> None:
    book = take([WRITTEN], bob(), RosterEntry(address=CAROL))
    again = merge.merge(book, "alice", "msn", ME, [bob(), RosterEntry(address=CAROL)], lambda name: "x")
    assert again == merge.Merged([], [])


def test_nobody_leaves_because_a_network_dropped_them() -> None:
    book = take([WRITTEN], bob(), RosterEntry(address=CAROL, name="Carol"))
    book = take(book)
    assert [(c.name, [m.tie for m in c.marks]) for c in book] == [("My Bob", [Tie.GONE]), ("Carol", [Tie.GONE])]
    assert told(book) == [], "what was taken off over there is not put back"


def test_a_list_says_nothing_of_another_list() -> None:
    other = Address("msn", "alice2@msn.test")
    (one,) = take(take([WRITTEN], bob()), bob(name="B."), account=other)
    assert [(m.account, m.name) for m in one.marks] == [(ME, "Bobby"), (other, "B.")]
    (one,) = take([one], account=other)
    assert [(m.account, m.tie) for m in one.marks] == [(ME, Tie.MUTUAL), (other, Tie.GONE)]


def test_an_address_written_as_alias_is_the_same_person() -> None:
    written = replace(WRITTEN, addresses=(Address("im", BOB.value),))
    (one,) = take([written], bob())
    assert one.marks[0].address == BOB


def test_ones_own_account_and_repetitions_are_left_out() -> None:
    (one,) = take([], RosterEntry(address=ME), bob(name="first"), bob(name="last"))
    assert one.name == "last"


def test_lists_and_names_are_bounded() -> None:
    many = [RosterEntry(address=Address("msn", f"p{n}@msn.test"), name="x\n" * 500) for n in range(ROSTER_LIMIT + 5)]
    book = take([], *many)
    assert len(book) == ROSTER_LIMIT
    assert len(book[0].name) <= NAME_LIMIT
    assert "\n" not in book[0].name


def test_somebody_taken_out_does_not_come_back() -> None:
    (one,) = take([WRITTEN], bob())
    out = replace(one, removed=True)
    book = take([out], bob(name="Still here"))
    assert [c.removed for c in book] == [True]
    assert told(book) == [RosterChange(ChangeKind.REMOVE, BOB, "My Bob")]
    assert take(book) == [], "the list has let them go: nothing is left to remember"


# ------------------------------------------------------------------------------------------ what the list is told


def test_somebody_written_is_added_once() -> None:
    assert told([WRITTEN]) == [RosterChange(ChangeKind.ADD, BOB, "My Bob")]
    after = merge.settled(WRITTEN, "msn", ME, RosterChange(ChangeKind.ADD, BOB), failed=False)
    assert after is not None
    assert after.marks[0].tie is Tie.PENDING
    assert told([after]) == []


def test_a_refused_addition_is_not_asked_for_again_and_a_list_mends_it() -> None:
    after = merge.settled(WRITTEN, "msn", ME, RosterChange(ChangeKind.ADD, BOB), failed=True)
    assert after is not None
    assert after.marks[0].tie is Tie.REFUSED
    (after,) = take([after])
    assert told([after]) == []
    (after,) = take([after], bob())
    assert after.marks[0].tie is Tie.MUTUAL


def test_nothing_is_told_where_the_user_does_not_share_or_by_a_second_account() -> None:
    assert told([WRITTEN], share=False) == []
    assert told([WRITTEN], first=False) == []
    listed = take([WRITTEN], bob(), account=Address("msn", "alice2@msn.test"))
    assert told(listed) == [], "another account has them"


def test_a_block_is_told_once_and_whoever_lifts_it_over_there_is_not_fought() -> None:
    (one,) = take([WRITTEN], bob())
    blocked = replace(one, blocked=True)
    assert told([blocked]) == [RosterChange(ChangeKind.BLOCK, BOB, "My Bob")]
    done = merge.settled(blocked, "msn", ME, told([blocked])[0], failed=False)
    assert done is not None
    book = take([done], bob(blocked=True))
    assert told(book) == []
    book = take(book, bob(blocked=False))
    assert told(book) == []
    assert (book[0].blocked, book[0].marks[0].blocked) == (True, False)
    lifted = [replace(book[0], blocked=False)]
    assert [c.kind for c in told(lifted)] == [ChangeKind.UNBLOCK]


def test_a_block_over_there_is_not_ours() -> None:
    (one,) = book = take([WRITTEN], bob(blocked=True))
    assert not one.blocked
    assert told(book) == []


def test_somebody_blocked_is_not_added() -> None:
    assert [c.kind for c in told([replace(WRITTEN, blocked=True)])] == [ChangeKind.BLOCK]


def test_answers_are_told_whatever_the_user_shares() -> None:
    asked = ContactRequest(owner="alice", network="msn", address=CAROL, at=1.0, name="Carol", account=ME)
    requests = [asked, replace(asked, address=BOB, answer=Answer.ACCEPTED), replace(asked, answer=Answer.DECLINED)]
    found = merge.changes((), requests, "msn", ME, MSN, False, True)
    assert [(c.kind, c.address) for c in found] == [(ChangeKind.ACCEPT, BOB), (ChangeKind.DECLINE, CAROL)]
    assert merge.changes((), requests, "msn", None, MSN, False, True) == []


def test_marks_name_their_list() -> None:
    mark = Mark(network="xmpp", account=None, address=BOB)
    assert mark.of("xmpp", None)
    assert not mark.of("xmpp", ME)
