"""Whatever networks' lists say: what the user wrote stays, and the same list twice is as once."""

from __future__ import annotations

from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from opencpm.domain.address import Address
from opencpm.domain.contact import Contact
from opencpm.domain.roster import LIVE, RosterEntry, Tie
from opencpm.messaging import merge

addresses = st.sampled_from([Address(s, f"{n}@msn.test") for s in ("msn", "im") for n in "abcde"])
entries = st.lists(
    st.builds(
        RosterEntry,
        address=addresses,
        name=st.text(max_size=200),
        groups=st.lists(st.text(max_size=5), max_size=3).map(tuple),
        tie=st.sampled_from([Tie.MUTUAL, Tie.LISTED, Tie.PENDING, Tie.NONE]),
        blocked=st.booleans(),
    ),
    max_size=8,
)
lists = st.lists(
    st.tuples(st.sampled_from(["msn", "xmpp"]), st.sampled_from([None, Address("msn", "a@msn.test")]), entries),
    max_size=6,
)
written = st.lists(addresses, max_size=5, unique=True).map(
    lambda found: [
        Contact(id=f"w{n}", owner="alice", name=f"W{n}", addresses=(a,), blocked=n % 2 == 1, removed=n == 3)
        for n, a in enumerate(found)
    ]
)


@given(written, lists)
def test_lists_never_change_what_was_written(book: list[Contact], told: list[tuple[str, Address | None, list]]) -> None:
    numbers = count()
    before = {c.id: (c.name, c.addresses, c.blocked) for c in book if not c.removed}
    for network, account, found in told:
        arguments = ("alice", network, account, found, lambda name: f"n{next(numbers)}")
        merged = merge.merge(book, *arguments)
        put = {c.id: c for c in merged.put}
        book = [put.pop(c.id, c) for c in book if c.id not in merged.gone] + list(put.values())
        assert merge.merge(book, *arguments) == merge.Merged([], [])
        for change in merge.changes(book, (), network, account, frozenset({"msn"}), True, True):
            contact = next(
                c for c in book if merge.concerns(c, change.address) and c.removed == (change.kind == "remove")
            )
            assert change not in merge.changes(
                [after] if (after := merge.settled(contact, network, account, change, False)) else [],
                (),
                network,
                account,
                frozenset({"msn"}),
                True,
                True,
            )
    after = {c.id: (c.name, c.addresses, c.blocked) for c in book if c.written and not c.removed}
    assert {key: after[key] for key in before} == before
    for contact in book:
        assert all(mark.tie in LIVE or mark.tie in (Tie.NONE, Tie.GONE) for mark in contact.marks)
