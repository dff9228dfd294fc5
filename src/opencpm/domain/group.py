"""A group session as values and one pure machine (OMA CPM Conversation Functions, group session; RFC 4575 for states).

The group outlives its sessions: who drops out stays a member and gets what was said once they are back; who leaves or
is removed is no member any more. What is said goes to every member by the way that fits them; this page knows no ways.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from opencpm.domain.address import Address

SUBJECT_LIMIT: Final = 255
"""Characters of a group's subject."""

FORMER_KEPT: Final = 50
"""Former members that are remembered, so that those who follow the group are told what became of them."""


class MemberState(StrEnum):
    PENDING = "pending"  # invited, not answered yet
    CONNECTED = "connected"  # takes part: by a session, or by messages
    AWAY = "away"  # a member without a session now: dropped out, or not reached yet
    DEPARTED = "departed"  # left
    BOOTED = "booted"  # removed by somebody
    DECLINED = "declined"  # said no
    FAILED = "failed"  # cannot be reached at all


class Role(StrEnum):
    CHAIR = "chair"  # may remove others
    MEMBER = "member"


class GroupEvent(StrEnum):
    INVITE = "invite"
    JOIN = "join"
    DROP = "drop"
    LEAVE = "leave"
    REMOVE = "remove"
    DECLINE = "decline"
    FAIL = "fail"


class GroupError(ValueError):
    """Not possible in this group; the text is for the person who tried."""


_S, _E = MemberState, GroupEvent

# The whole machine: (state or None for a stranger, event) -> state. What is not here is refused.
TRANSITIONS: Final[dict[tuple[MemberState | None, GroupEvent], MemberState]] = {
    (None, _E.INVITE): _S.PENDING,
    (_S.PENDING, _E.INVITE): _S.PENDING,
    (_S.AWAY, _E.INVITE): _S.PENDING,
    (_S.DEPARTED, _E.INVITE): _S.PENDING,
    (_S.BOOTED, _E.INVITE): _S.PENDING,
    (_S.DECLINED, _E.INVITE): _S.PENDING,
    (_S.FAILED, _E.INVITE): _S.PENDING,
    (_S.PENDING, _E.JOIN): _S.CONNECTED,
    (_S.AWAY, _E.JOIN): _S.CONNECTED,
    (_S.CONNECTED, _E.JOIN): _S.CONNECTED,
    (_S.DECLINED, _E.JOIN): _S.CONNECTED,  # changed their mind
    (_S.FAILED, _E.JOIN): _S.CONNECTED,
    (_S.PENDING, _E.DROP): _S.AWAY,
    (_S.CONNECTED, _E.DROP): _S.AWAY,
    (_S.AWAY, _E.DROP): _S.AWAY,
    (_S.PENDING, _E.DECLINE): _S.DECLINED,
    (_S.PENDING, _E.FAIL): _S.FAILED,
    (_S.AWAY, _E.FAIL): _S.FAILED,
    (_S.CONNECTED, _E.FAIL): _S.FAILED,
    **{(s, _E.LEAVE): _S.DEPARTED for s in (_S.PENDING, _S.CONNECTED, _S.AWAY, _S.DECLINED, _S.FAILED)},
    **{(s, _E.REMOVE): _S.BOOTED for s in (_S.PENDING, _S.CONNECTED, _S.AWAY, _S.DECLINED, _S.FAILED)},
}

LIVE: Final = frozenset({MemberState.PENDING, MemberState.CONNECTED, MemberState.AWAY})
"""States of those who get what is said."""

FORMER: Final = frozenset({MemberState.DEPARTED, MemberState.BOOTED})


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupWish:
    """What somebody asks for who calls a group together. ``contribution_id`` of a group that there is: that one."""

    creator: Address
    members: tuple[Address, ...]
    subject: str = ""
    conversation_id: str = ""
    contribution_id: str = ""
    closed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """``host``: the subscriber (id) who brought them in, and in whose name a member on a foreign network is written to.

    ``network`` is where they were last reached ("" before that); ``detail`` says why they are in their state.
    """

    address: Address
    name: str
    state: MemberState
    role: Role = Role.MEMBER
    host: str = ""
    network: str = ""
    detail: str = ""
    since: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """``focus`` is the group's own address; ``version`` rises with every change that its members may see."""

    id: str
    focus: Address
    subject: str
    members: tuple[Member, ...]
    conversation_id: str
    contribution_id: str
    created_at: float
    closed: bool = False  # nobody can be added
    version: int = 1

    def member(self, address: Address) -> Member | None:
        return next((m for m in self.members if m.address == address), None)

    @property
    def live(self) -> tuple[Member, ...]:
        """Those who get what is said."""
        return tuple(m for m in self.members if m.state in LIVE)

    def active(self, address: Address) -> Member:
        """:raises GroupError: not a member now."""
        found = self.member(address)
        if found is None or found.state in FORMER:
            raise GroupError(f"{address} is not a member of this group")
        return found


def happened(
    group: Group,
    address: Address,
    event: GroupEvent,
    now: float,
    *,
    detail: str = "",
    network: str | None = None,
    newcomer: Member | None = None,
) -> Group:
    """The group after something happened to one member. ``newcomer``: who is invited, if they are not known yet.

    :raises GroupError: it cannot happen to somebody in this state.
    """
    old = group.member(address)
    state = TRANSITIONS.get((old.state if old else None, event))
    if state is None:
        where = old.state.value if old else "not a member"
        raise GroupError(f"{event.value} is not possible: {address} is {where}")
    before = newcomer if newcomer is not None and event is GroupEvent.INVITE else old
    if before is None:
        raise GroupError(f"{address} is not a member of this group")
    changed = replace(
        before,
        state=state,
        detail=detail,
        network=before.network if network is None else network,
        since=before.since if old is not None and old.state is state else now,
    )
    if changed == old:
        return group
    others = [m for m in group.members if m.address != address]
    place = next((at for at, m in enumerate(group.members) if m.address == address), len(others))
    return replace(group, members=_kept([*others[:place], changed, *others[place:]]), version=group.version + 1)


def may_add(group: Group, by: Address, limit: int) -> None:
    """:raises GroupError: not by them, or nobody can be added."""
    group.active(by)
    if group.closed:
        raise GroupError("the group is closed: nobody can be added")
    if len(group.live) >= limit:
        raise GroupError(f"the group is full: it has {limit} members")


def renamed(group: Group, by: Address, subject: str) -> Group:
    """Another subject; any member may give one. :raises GroupError: not a member."""
    group.active(by)
    subject = " ".join(subject.split())[:SUBJECT_LIMIT]
    return group if subject == group.subject else replace(group, subject=subject, version=group.version + 1)


def may_remove(group: Group, by: Address, whom: Address) -> None:
    """:raises GroupError: only the chair removes others."""
    own = group.active(by)
    group.active(whom)
    if by != whom and own.role is not Role.CHAIR:
        raise GroupError("only the person who leads the group can remove others")


def succeeded(group: Group, leading: Iterable[Address]) -> Group:
    """Whoever of ``leading`` comes first leads on, where nobody leads any more."""
    if any(m.role is Role.CHAIR for m in group.live):
        return group
    heir = next((a for a in leading if (m := group.member(a)) is not None and m.state in LIVE), None)
    if heir is None:
        return group
    members = tuple(replace(m, role=Role.CHAIR) if m.address == heir else m for m in group.members)
    return replace(group, members=members, version=group.version + 1)


def _kept(members: list[Member]) -> tuple[Member, ...]:
    former = [m for m in members if m.state in FORMER]
    forgotten = {m.address for m in former[: max(0, len(former) - FORMER_KEPT)]}
    return tuple(m for m in members if m.address not in forgotten)
