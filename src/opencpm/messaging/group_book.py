"""The groups of this server, in memory and in the store, and whose pages belong to which group."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import NamedTuple

from opencpm.domain.address import Address
from opencpm.domain.group import FORMER, Group, GroupWish, Member, MemberState, Role
from opencpm.domain.subscriber import Subscriber
from opencpm.interfaces import Changes
from opencpm.messaging.ground import Ground
from opencpm.messaging.group_state import CLAIMS, ROOM, group_bytes, group_from

log = logging.getLogger("opencpm.groups")

FOCUS = "grp-"
"""At the beginning of all groups' addresses."""

HOST = "conf."
"""Before our domain: the host of all groups' addresses."""

Heard = Callable[[Group], None]


class Claim(NamedTuple):
    """What somebody writes to a host is said by this member in this group."""

    group_id: str
    member: Address


class GroupBook:
    """Look-ups, changes and those who follow them. A change is told to its followers when it is durable."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._groups: dict[str, Group] = {}
        self._focus: dict[Address, str] = {}
        self._contributions: dict[str, str] = {}
        self._in: dict[Address, dict[str, None]] = {}  # member → ids of their groups, in the order of joining
        self._following: dict[str, list[Heard]] = {}
        self._claims: dict[tuple[str, Address], Claim] = {}  # (host, whoever writes to them) → whose page it is

    # ------------------------------------------------------------------------------------------------ reading

    def load(self) -> list[Group]:
        """At start: everything that is stored."""
        for group_id, value in self._ground.store.all_state(ROOM).items():
            try:
                self._index(group_from(group_id, value))
            except ValueError as error:
                log.error("group %s cannot be read: %s", group_id, error)
        for key, value in self._ground.store.all_state(CLAIMS).items():
            host, _, sender = key.partition("|")
            group_id, _, member = value.decode().partition("|")
            if group_id in self._groups:
                self._claims[host, _address(sender)] = Claim(group_id, _address(member))
        return list(self._groups.values())

    def all(self) -> list[Group]:
        return list(self._groups.values())

    def get(self, group_id: str) -> Group | None:
        return self._groups.get(group_id)

    def at(self, focus: Address) -> Group | None:
        found = self._focus.get(focus)
        return None if found is None else self._groups[found]

    def of_contribution(self, contribution_id: str) -> Group | None:
        """The group that a device names by its Contribution-ID."""
        found = self._contributions.get(contribution_id)
        return None if found is None else self._groups[found]

    def of(self, subscriber_id: str) -> list[Group]:
        """The groups in which a subscriber is a member."""
        subscriber = self._ground.directory.subscriber(subscriber_id)
        addresses = subscriber.addresses if subscriber is not None else ()
        found = dict.fromkeys(group_id for address in addresses for group_id in self._in.get(address, ()))
        return [self._groups[group_id] for group_id in found]

    def as_member(self, group: Group, subscriber_id: str) -> Member | None:
        subscriber = self._ground.directory.subscriber(subscriber_id)
        if subscriber is None:
            return None
        own = set(subscriber.addresses)
        return next((m for m in group.members if m.address in own and m.state not in FORMER), None)

    def is_focus(self, address: Address) -> bool:
        """Whether an address has the form of a group's; there may be no such group (any more)."""
        if not address.value.startswith(FOCUS):
            return False
        user, _, host = address.value.rpartition("@")
        known = host.removeprefix(HOST) in self._ground.policy.local_domains
        return address.scheme == "sip" and bool(user) and host.startswith(HOST) and known

    # ----------------------------------------------------------------------------------------------- changing

    def new(self, wish: GroupWish, creator: Subscriber, connected: bool) -> Group:
        """A group as somebody wishes it, with them alone in it; not stored yet."""
        ids, now = self._ground.ids, self._ground.clock.now()
        group_id = ids.new()
        state = MemberState.CONNECTED if connected else MemberState.PENDING
        chair = Member(
            address=creator.addresses[0],
            name=creator.name,
            state=state,
            role=Role.CHAIR,
            host=creator.id,
            since=now,
        )
        return Group(
            id=group_id,
            focus=self._new_focus(group_id),
            subject=wish.subject,
            members=(chair,),
            conversation_id=wish.conversation_id or ids.new(),
            contribution_id=wish.contribution_id or ids.new(),
            created_at=now,
            closed=wish.closed,
        )

    def _new_focus(self, group_id: str) -> Address:
        domains = self._ground.policy.local_domains
        return Address("sip", f"{FOCUS}{group_id}@{HOST}{domains[0] if domains else 'cpm.invalid'}")

    def put(self, group: Group, changes: Changes) -> None:
        """Take in a new form and add it to a unit of work."""
        self._index(group)
        changes.state.append((ROOM, group.id, group_bytes(group)))

    def remove(self, group: Group, changes: Changes) -> None:
        self._forget(group.id)
        self._following.pop(group.id, None)
        changes.state.append((ROOM, group.id, None))
        for key in [key for key, held in self._claims.items() if held.group_id == group.id]:
            self._release(key, changes)

    def _index(self, group: Group) -> None:
        self._forget(group.id)
        self._groups[group.id] = group
        self._focus[group.focus] = self._contributions[group.contribution_id] = group.id
        for member in group.members:
            if member.state not in FORMER:
                self._in.setdefault(member.address, {})[group.id] = None

    def _forget(self, group_id: str) -> None:
        old = self._groups.pop(group_id, None)
        if old is None:
            return
        self._focus.pop(old.focus, None)
        self._contributions.pop(old.contribution_id, None)
        for member in old.members:
            groups = self._in.get(member.address, {})
            groups.pop(group_id, None)
            if not groups:
                self._in.pop(member.address, None)

    def follow(self, group: Group, heard: Heard) -> Callable[[], None]:
        following = self._following.setdefault(group.id, [])
        following.append(heard)

        def stop() -> None:
            if heard in following:
                following.remove(heard)

        return stop

    def announce(self, group: Group) -> None:
        """A version is durable: tell those who follow, and the open pages of its members."""
        for heard in tuple(self._following.get(group.id, ())):
            heard(group)
        hint = {"type": "group", "group": group.id, "focus": str(group.focus), "version": group.version}
        for owner in dict.fromkeys(self._owners(group.members)):
            self._ground.bus.publish(f"user:{owner}", hint)

    def _owners(self, members: Iterable[Member]) -> list[str]:
        found = [self._ground.directory.owner_of(member.address) for member in members]
        return [subscriber.id for subscriber in found if subscriber is not None]

    # ------------------------------------------------------------------------------------------------- claims

    @property
    def claims(self) -> bool:
        """Whether anybody's pages belong to a group at all."""
        return bool(self._claims)

    def claim(self, group: Group, member: Member, written_to: Address, changes: Changes) -> None:
        """What comes next from there to the host is meant for the group (the last-contact rule). A person may be
        written to at another address than the one they are a member by."""
        key, claim = (member.host, written_to), Claim(group.id, member.address)
        if self._claims.get(key) != claim:
            self._claims[key] = claim
            changes.state.append((CLAIMS, f"{member.host}|{written_to}", f"{group.id}|{member.address}".encode()))

    def release(self, host: str, written_to: Address, changes: Changes) -> None:
        """The host has written to this person alone."""
        if (host, written_to) in self._claims:
            self._release((host, written_to), changes)

    def claimed(self, host: str, sender: Address) -> tuple[Group, Member] | None:
        """The group, and the member of it, that a page to this host belongs to."""
        held = self._claims.get((host, sender))
        group = None if held is None else self._groups.get(held.group_id)
        member = None if group is None or held is None else group.member(held.member)
        if group is None or member is None or member.host != host:
            return None
        return None if member.state in FORMER or member.state is MemberState.DECLINED else (group, member)

    def _release(self, key: tuple[str, Address], changes: Changes) -> None:
        del self._claims[key]
        changes.state.append((CLAIMS, f"{key[0]}|{key[1]}", None))


def _address(text: str) -> Address:
    scheme, _, rest = text.partition(":")
    return Address(scheme, rest)
