"""The group's machine: every transition, and who may do what."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencpm.domain.address import Address
from opencpm.domain.group import (
    FORMER,
    FORMER_KEPT,
    LIVE,
    TRANSITIONS,
    Group,
    GroupError,
    GroupEvent,
    Member,
    MemberState,
    Role,
    happened,
    may_add,
    may_remove,
    renamed,
    succeeded,
)

ALICE, BOB, CAROL = (Address("sip", f"{n}@cpm.test") for n in ("alice", "bob", "carol"))
CHAIR = Member(address=ALICE, name="Alice", state=MemberState.CONNECTED, role=Role.CHAIR)
GROUP = Group(
    id="g1",
    focus=Address("sip", "grp-g1@conf.cpm.test"),
    subject="Dinner",
    members=(CHAIR, Member(address=BOB, name="Bob", state=MemberState.PENDING)),
    conversation_id="c",
    contribution_id="k",
    created_at=1.0,
)


def state(group: Group, address: Address = BOB) -> MemberState:
    found = group.member(address)
    assert found is not None
    return found.state


def bob(state: MemberState) -> Group:
    return replace(GROUP, members=(CHAIR, replace(GROUP.members[1], state=state)))


@pytest.mark.parametrize("before", MemberState)
@pytest.mark.parametrize("event", GroupEvent)
def test_every_event_in_every_state(before: MemberState, event: GroupEvent) -> None:
    group = bob(before)
    if (before, event) in TRANSITIONS:
        after = happened(group, BOB, event, 5.0, detail="why")
        assert state(after) is TRANSITIONS[before, event]
        assert after.version >= group.version
    else:
        with pytest.raises(GroupError):
            happened(group, BOB, event, 5.0)


def test_a_stranger_can_only_be_invited() -> None:
    carol = Member(address=CAROL, name="Carol", state=MemberState.PENDING)
    after = happened(GROUP, CAROL, GroupEvent.INVITE, 5.0, newcomer=carol)
    assert (state(after, CAROL), after.version) == (MemberState.PENDING, 2)
    with pytest.raises(GroupError):
        happened(GROUP, CAROL, GroupEvent.JOIN, 5.0)
    with pytest.raises(GroupError):
        happened(GROUP, CAROL, GroupEvent.INVITE, 5.0)


def test_what_changes_nothing_is_no_new_version() -> None:
    away = happened(GROUP, BOB, GroupEvent.DROP, 5.0, detail="lost")
    assert happened(away, BOB, GroupEvent.DROP, 9.0, detail="lost") is away
    assert away.member(BOB).since == 5.0  # type: ignore[union-attr]


def test_who_left_can_be_invited_again_and_not_come_by_themselves() -> None:
    left = happened(GROUP, BOB, GroupEvent.LEAVE, 5.0)
    assert [m.address for m in left.live] == [ALICE]
    with pytest.raises(GroupError):
        happened(left, BOB, GroupEvent.JOIN, 6.0)
    assert state(happened(left, BOB, GroupEvent.INVITE, 6.0)) is MemberState.PENDING


def test_who_may_add() -> None:
    may_add(GROUP, BOB, 3)
    for group, by, limit in (
        (replace(GROUP, closed=True), ALICE, 9),
        (GROUP, ALICE, 2),
        (GROUP, CAROL, 9),
        (bob(MemberState.BOOTED), BOB, 9),
    ):
        with pytest.raises(GroupError):
            may_add(group, by, limit)


def test_who_may_remove() -> None:
    may_remove(GROUP, ALICE, BOB)
    may_remove(GROUP, BOB, BOB)
    for by, whom in ((BOB, ALICE), (ALICE, CAROL), (CAROL, BOB)):
        with pytest.raises(GroupError):
            may_remove(GROUP, by, whom)


def test_another_subject() -> None:
    changed = renamed(GROUP, BOB, " Saturday \n dinner " + "x" * 300)
    assert changed.subject.startswith("Saturday dinner xx")
    assert (len(changed.subject), changed.version) == (255, 2)
    assert renamed(changed, ALICE, changed.subject) is changed
    with pytest.raises(GroupError):
        renamed(GROUP, CAROL, "Mine")


def test_somebody_leads_on() -> None:
    left = happened(GROUP, ALICE, GroupEvent.LEAVE, 5.0)
    after = succeeded(left, [CAROL, BOB])
    assert after.member(BOB).role is Role.CHAIR  # type: ignore[union-attr]
    assert succeeded(GROUP, [BOB]) is GROUP
    assert succeeded(left, [CAROL]) is left


@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from(GroupEvent)), max_size=60))
def test_whatever_happens_the_group_stays_whole(events: list[tuple[int, GroupEvent]]) -> None:
    group = GROUP
    for number, (who, event) in enumerate(events):
        address = Address("sip", f"p{who}@cpm.test")
        newcomer = Member(address=address, name=str(who), state=MemberState.PENDING)
        try:
            after = happened(group, address, event, float(number), newcomer=newcomer)
        except GroupError:
            continue
        assert after.version in (group.version, group.version + 1)
        group = after
        assert len({m.address for m in group.members}) == len(group.members)
    assert not {m.state for m in group.live} - LIVE


def test_former_members_are_bounded() -> None:
    group = GROUP
    for number in range(FORMER_KEPT + 20):
        address = Address("sip", f"p{number}@cpm.test")
        group = happened(
            group,
            address,
            GroupEvent.INVITE,
            1.0,
            newcomer=Member(address=address, name="", state=MemberState.PENDING),
        )
        group = happened(group, address, GroupEvent.LEAVE, 2.0)
    assert sum(m.state in FORMER for m in group.members) == FORMER_KEPT
