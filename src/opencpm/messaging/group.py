"""The Controlling Function of group sessions: who is in which group, and by which leg. It never sees a wire.

A member takes part by a leg (a device's session, a web page, an instant messaging conversation) or by messages. A group
and its members are stored with every change; legs go with the process, and absent members are invited again when
something is said.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

from opencpm.domain.address import Address
from opencpm.domain.delivery import Outcome
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.group import (
    LIVE,
    Group,
    GroupError,
    GroupEvent,
    GroupWish,
    Member,
    MemberState,
    happened,
    may_add,
    may_remove,
    renamed,
    succeeded,
)
from opencpm.domain.session import CloseReason, Composing, SessionOffer
from opencpm.domain.subscriber import Subscriber
from opencpm.domain.trail import Step, TrailEntry
from opencpm.interfaces import Changes, Committed, Leg, LegEvents
from opencpm.messaging.accept import Accept
from opencpm.messaging.answers import into
from opencpm.messaging.dispatch import Dispatch
from opencpm.messaging.ground import Ground
from opencpm.messaging.group_book import GroupBook, Heard
from opencpm.messaging.group_calls import Calls
from opencpm.messaging.group_seat import Seat, Seats
from opencpm.messaging.group_talk import Talk, queue_of
from opencpm.messaging.report import Reporting

GROUPS_OF_ONE = 500
"""Groups in which one subscriber may be at a time."""


class Focus:
    """All groups of this server. Implements :class:`opencpm.interfaces.Groups`."""

    def __init__(self, ground: Ground, accept: Accept, dispatch: Dispatch, reporting: Reporting) -> None:
        self._ground, self._dispatch = ground, dispatch
        self.book = GroupBook(ground)
        self.talk = Talk(ground, accept, dispatch, reporting, self.book)
        self.calls = Calls(ground, self)
        self._seats = Seats()
        self.talk.seat_of = self._seats.of
        self.talk.absent = lambda group, member: self.calls.call(group, member)
        self.talk.leaving = self._left_by_message
        dispatch.has_come = self._has_come

    # --------------------------------------------------------------------------------- interfaces.Groups

    async def convened(self, wish: GroupWish, leg: Leg | None) -> tuple[Group, LegEvents]:
        creator = self._subscriber(wish.creator)
        known = self.book.of_contribution(wish.contribution_id)
        if known is not None:
            return self._revived(known, creator, wish, leg)
        if len(wish.members) >= self._ground.policy.limits.recipients:
            raise SendError(
                Reason.BARRED, detail=f"A group has {self._ground.policy.limits.recipients} members at most."
            )
        if len(self.book.of(creator.id)) >= GROUPS_OF_ONE:
            raise SendError(Reason.BARRED, detail=f"You are in {GROUPS_OF_ONE} groups already; leave one first.")
        group = self.book.new(wish, creator, connected=leg is not None)
        await self._durable(group, f"{creator.name} called a group together: {group.subject or 'no subject'}")
        seat = self._seated(group, creator.addresses[0], leg)
        self._bring(group, creator, wish.members)
        if leg is None:
            self.calls.call(self._now(group), group.members[0])
        return self._now(group), seat

    def joined(self, focus: Address, member: Address, leg: Leg) -> tuple[Group, LegEvents]:
        group, own = self._member(focus, member)
        self._happened(group, own, GroupEvent.JOIN, "came back", network=leg.network)
        seat = self._seated(group, own.address, leg)
        self._dispatch.push(queue_of(group, own))
        return self._now(group), seat

    def added(self, focus: Address, by: Address, whom: Sequence[Address]) -> Group:
        group, own = self._member(focus, by)
        self._allowed(lambda: may_add(group, own.address, self._ground.policy.limits.recipients))
        self._bring(group, self._subscriber(by), whom)
        return self._now(group)

    def removed(self, focus: Address, by: Address, whom: Address) -> Group:
        group, own = self._member(focus, by)
        target = self._canonical(whom)
        self._allowed(lambda: may_remove(group, own.address, target))
        gone = group.active(target)
        if gone.address == own.address:
            return self._out(group, gone, GroupEvent.LEAVE, "left")
        return self._out(group, gone, GroupEvent.REMOVE, f"removed by {own.name}")

    def renamed(self, focus: Address, by: Address, subject: str) -> Group:
        group, own = self._member(focus, by)
        changed = renamed(group, own.address, subject)
        if changed is not group:
            self._store(changed, f"{own.name} calls it {changed.subject!r}", Step.ESTABLISHED)
        return changed

    def follow(self, focus: Address, by: Address, heard: Heard) -> tuple[Group, Callable[[], None]]:
        group, _ = self._member(focus, by)
        return group, self.book.follow(group, heard)

    def of(self, subscriber_id: str) -> list[Group]:
        """The groups in which a subscriber is a member, latest first."""
        return sorted(self.book.of(subscriber_id), key=lambda group: -group.created_at)

    def stored(self, done: Callable[[], None]) -> None:
        self._ground.store.commit(Changes(), lambda _: done())

    def is_focus(self, address: Address) -> bool:
        return self.book.is_focus(address)

    # ------------------------------------------------------------------------------- asked by messaging

    def load(self) -> None:
        """At start. Legs of an earlier life are gone: subscribers are absent until they come or are called."""
        for group in self.book.load():
            for member in group.members:
                if member.state in (MemberState.CONNECTED, MemberState.PENDING) and self._is_ours(member.address):
                    self._happened(self._now(group), member, GroupEvent.DROP, "the server was started anew")

    def resume(self) -> None:
        """After :meth:`load`, when messaging runs: whom an earlier life had not asked yet is asked now."""
        for group in self.book.all():
            for member in group.members:
                if member.state is MemberState.PENDING:
                    self.calls.call(group, member, anew=True)

    def for_session(self, offer: SessionOffer, leg: Leg) -> LegEvents | None:
        """An invitation that belongs to a group: to its address, or from a member on a foreign network whose next
        word is the group's."""
        if self.book.is_focus(offer.target):
            _, seat = self.joined(offer.target, offer.initiator, leg)
        else:
            host = self._ground.directory.owner_of(offer.target)
            claimed = self.book.claimed(host.id, offer.initiator) if host is not None else None
            if claimed is None:
                return None
            _, seat = self.joined_from_afar(*claimed, leg, offer.target)
        if offer.first is not None:
            seat.received([offer.first], lambda verdicts: None)
        return seat

    def joined_from_afar(self, group: Group, member: Member, leg: Leg, source: Address) -> tuple[Group, LegEvents]:
        """A member on a foreign network has a conversation now."""
        self._happened(group, member, GroupEvent.JOIN, "opened a conversation", network=leg.network)
        seat = self._seated(group, member.address, leg)
        seat.source = source
        return self._now(group), seat

    def appeared(self, subscriber_id: str) -> None:
        """A device or page of a subscriber is there: what waits for them in groups is worth an invitation."""
        for group in self.book.of(subscriber_id):
            member = self.book.as_member(group, subscriber_id)
            if member is None or member.state in (MemberState.CONNECTED, MemberState.DECLINED):
                continue
            if self._dispatch.waiting.count(queue_of(group, member)):
                self.calls.call(group, member)

    def seen(self, owner: str, address: Address, available: bool) -> None:
        """Somebody on a foreign network came online or went; ``owner`` is who sees it."""
        for group in self.book.of(owner):
            member = group.member(address)
            if member is None or member.host != owner or self._seats.of(group.id, address) is not None:
                continue
            if available and member.state is MemberState.AWAY:
                self._happened(group, member, GroupEvent.JOIN, "is online")
                self._dispatch.push(queue_of(group, member))
            elif not available and member.state is MemberState.CONNECTED:
                self._happened(group, member, GroupEvent.DROP, "is offline")

    def settled(self, outcomes: Sequence[Outcome]) -> None:
        self._dispatch.settled(outcomes)

    def composing(self, seat: Seat, composing: Composing) -> None:
        """Typing goes to all other legs; it is never stored."""
        for other in self._seats.in_group(seat.group_id):
            if other is not seat and other.leg is not None:
                other.leg.composing(composing)

    async def shutdown(self) -> None:
        """Close every leg in good order; the groups stay."""
        self.calls.stop()
        await self._seats.shutdown()

    # ------------------------------------------------------------------------------------- asked by calls

    def reached(self, group: Group, member: Member, seat: Seat, leg: Leg) -> None:
        """An invitation was answered."""
        if not self._still(group, member):
            self._seats.close(leg, CloseReason.NORMAL, "not in the group any more")
            return
        self._happened(self._now(group), member, GroupEvent.JOIN, f"answered on {leg.network}", network=leg.network)
        seat.leg = leg
        self._seats.take(seat)
        if seat.source is not None:
            self._claim(self._now(group), member)
        self._dispatch.push(queue_of(group, member))

    def _claim(self, group: Group, member: Member) -> None:
        changes = Changes()
        self.book.claim(group, member, member.address, changes)
        self._ground.store.commit(changes)

    def by_messages(self, group: Group, member: Member, network: str, now: bool) -> None:
        """No session is possible with them: they are reached by messages, at once or when they come online."""
        if not self._still(group, member):
            return
        event = GroupEvent.JOIN if now else GroupEvent.DROP
        fresh = member.network == ""
        self._happened(self._now(group), member, event, f"by messages on {network}", network=network)
        if fresh and not self._is_ours(member.address):
            self.talk.greet(self._now(group), self._now(group).active(member.address))
        self._dispatch.push(queue_of(group, member))

    def not_reached(self, group: Group, member: Member, error: SendError) -> None:
        if not self._still(group, member):
            return
        if error.reason is Reason.DECLINED:
            event = GroupEvent.DECLINE
        else:
            event = GroupEvent.DROP if error.retryable or self._is_ours(member.address) else GroupEvent.FAIL
        self._happened(self._now(group), member, event, error.detail)
        self._dispatch.push(queue_of(group, member))

    # ---------------------------------------------------------------------------------------------- seats

    def _seated(self, group: Group, member: Address, leg: Leg | None) -> Seat:
        seat = Seat(self, group.id, member)
        seat.leg = leg
        if leg is not None:
            self._seats.take(seat)
        return seat

    def closed(self, seat: Seat, reason: CloseReason, detail: str) -> None:
        """A member's leg has ended. A subscriber who closes it leaves; everybody else has dropped out and stays."""
        if not self._seats.gone(seat):
            return
        group = self.book.get(seat.group_id)
        member = group.member(seat.member) if group is not None else None
        if group is None or member is None or member.state not in LIVE:
            return
        if reason is CloseReason.NORMAL and self._is_ours(member.address):
            self._out(group, member, GroupEvent.LEAVE, "left")
        else:
            self._happened(group, member, GroupEvent.DROP, f"dropped out ({reason.value}) {detail}".strip())

    # -------------------------------------------------------------------------------------------- members

    def _revived(self, group: Group, creator: Subscriber, wish: GroupWish, leg: Leg | None) -> tuple[Group, LegEvents]:
        """A device restarts a group it knows (same Contribution-ID): that group, never a second one."""
        if self.book.as_member(group, creator.id) is None:
            raise SendError(Reason.BARRED, detail="You are not in this group any more.")
        seat: LegEvents = Seat(self, group.id, creator.addresses[0])
        if leg is not None:
            group, seat = self.joined(group.focus, creator.addresses[0], leg)
        fresh = [a for a in wish.members if group.member(self._canonical(a)) is None]
        if fresh and not group.closed:
            self._bring(group, creator, fresh)
        return self._now(group), seat

    def _bring(self, group: Group, host: Subscriber, whom: Sequence[Address]) -> None:
        """Invite people, as far as there is room."""
        for address in dict.fromkeys(self._canonical(one) for one in whom):
            group = self._now(group)
            known = group.member(address)
            if known is not None and known.state in (MemberState.CONNECTED, MemberState.PENDING):
                continue
            if len(group.live) >= self._ground.policy.limits.recipients:
                raise SendError(Reason.BARRED, detail=f"The group is full: {len(group.live)} members.")
            newcomer = Member(address=address, name=self._name(host, address), state=MemberState.PENDING, host=host.id)
            group = happened(group, address, GroupEvent.INVITE, self._ground.clock.now(), newcomer=newcomer)
            self._store(group, f"{host.name} invites {address}", Step.INVITED)
            self.calls.call(group, group.active(address), anew=True)

    def _out(self, group: Group, member: Member, event: GroupEvent, detail: str) -> Group:
        """Somebody leaves or is removed: their leg ends, whom they brought in from afar is somebody else's guest."""
        self._happened(group, member, event, detail)
        self._seats.end(group.id, member.address, CloseReason.NORMAL, detail)
        group = self._now(group)
        heirs = [m for m in group.live if self._is_ours(m.address)]
        led = succeeded(group, [m.address for m in heirs])
        if led is not group:
            self._store(led, f"{heirs[0].name} leads the group on", Step.ESTABLISHED)
        if not heirs:
            self._end(self._now(group))
        elif owner := self._ground.directory.owner_of(member.address):
            self._hand_over(self._now(group), owner.id, heirs)
        return self._now(group)

    def _left_by_message(self, group: Group, member: Member) -> None:
        self._out(group, member, GroupEvent.LEAVE, "left by message")

    def _hand_over(self, group: Group, host: str, heirs: Sequence[Member]) -> None:
        """Members on foreign networks are spoken to in the name of somebody who is in the group."""
        for guest in [m for m in group.live if m.host == host and not self._is_ours(m.address)]:
            heir = next((h for h in heirs if self.calls.can_host(h, guest)), None)
            group = self._now(group)
            if heir is None:
                self._out(group, guest, GroupEvent.REMOVE, "nobody in the group can write to them any more")
                continue
            owner = self._ground.directory.owner_of(heir.address)
            moved = replace(guest, host=owner.id if owner else "")
            members = tuple(moved if m.address == guest.address else m for m in group.members)
            self._store(
                replace(group, members=members), f"{heir.name} speaks to {guest.name} from now on", Step.ESTABLISHED
            )
            self._seats.end(group.id, guest.address, CloseReason.NORMAL, "another speaks for the group")

    def _end(self, group: Group) -> None:
        """No subscriber is left: the group is over."""
        changes = Changes(trail=[self._line(group, Step.CLOSED, "nobody of this server is in it any more")])
        for seat in self._seats.in_group(group.id):
            self._seats.end(group.id, seat.member, CloseReason.NORMAL, "the group has ended")
        over = group
        for member_ in group.live:
            over = happened(over, member_.address, GroupEvent.REMOVE, self._ground.clock.now(), detail="it has ended")
        self.book.announce(over)
        self.book.remove(group, changes)
        self._ground.store.commit(changes)

    # --------------------------------------------------------------------------------------- small things

    def _happened(
        self, group: Group, member: Member, event: GroupEvent, detail: str, network: str | None = None
    ) -> None:
        try:
            changed = happened(group, member.address, event, self._ground.clock.now(), detail=detail, network=network)
        except GroupError as error:
            raise SendError(Reason.BARRED, detail=f"{error}".capitalize() + ".") from None
        if changed is not group:
            self._store(changed, f"{member.name} ({member.address}): {event.value}, {detail}", _STEPS.get(event))
            if event is GroupEvent.DROP and member.state is MemberState.CONNECTED:
                self._dispatch.wake()

    def _store(self, group: Group, what: str, step: Step | None = None) -> None:
        changes = Changes(trail=[self._line(group, step or Step.CLOSING, what)])
        self.book.put(group, changes)
        self._ground.store.commit(changes, lambda _: self._announce(group))

    async def _durable(self, group: Group, what: str) -> None:
        stored: asyncio.Future[Committed] = asyncio.get_running_loop().create_future()
        changes = Changes(trail=[self._line(group, Step.ESTABLISHED, what)])
        self.book.put(group, changes)
        self._ground.store.commit(changes, into(stored))
        if (await stored).error is not None:
            self.book.remove(group, Changes())
            raise SendError(Reason.INTERNAL, retryable=True, detail="the server could not store the group; try again")

    def _announce(self, group: Group) -> None:
        """A version is stored. What is older than what is known is not told any more: who followed since then would
        be shown a group in which they are not."""
        if self.book.get(group.id) == group:
            self.book.announce(group)

    def _line(self, group: Group, step: Step, what: str) -> TrailEntry:
        return TrailEntry(group.id, self._ground.clock.now(), step, what)

    def _now(self, group: Group) -> Group:
        return self.book.get(group.id) or group

    def _still(self, group: Group, member: Member) -> bool:
        current = self.book.get(group.id)
        found = current.member(member.address) if current is not None else None
        return found is not None and found.state in LIVE

    def _has_come(self, queue: str) -> bool:
        kind, _, rest = queue.partition(":")
        group_id, _, member = rest.partition(":")
        scheme, _, value = member.partition(":")
        group = self.book.get(group_id) if kind == "group" else None
        found = group.member(Address(scheme, value)) if group is not None else None
        if found is None or found.state is MemberState.PENDING:
            return False
        return found.state is MemberState.CONNECTED or not self._is_ours(found.address)

    def _is_ours(self, address: Address) -> bool:
        return self._ground.directory.owner_of(address) is not None

    def _canonical(self, address: Address) -> Address:
        """One address for one person: a subscriber has their first one in every group."""
        address = self._ground.canonical(address)
        owner = self._ground.directory.owner_of(address)
        return owner.addresses[0] if owner is not None else address

    def _name(self, host: Subscriber, address: Address) -> str:
        owner = self._ground.directory.owner_of(address)
        return owner.name if owner is not None else self._ground.directory.contact(host.id, address).name

    def _subscriber(self, address: Address) -> Subscriber:
        found = self._ground.directory.owner_of(address)
        if found is None or found.barred:
            raise SendError(Reason.BARRED, detail="Only users of this server can do this.")
        return found

    def _member(self, focus: Address, address: Address) -> tuple[Group, Member]:
        """:raises SendError: no such group, or not in it."""
        group = self.book.at(focus)
        if group is None:
            raise SendError(Reason.UNKNOWN_ADDRESS, detail="There is no such group any more.")
        owner = self._ground.directory.owner_of(address)
        own = self.book.as_member(group, owner.id) if owner is not None else None
        if own is None:
            raise SendError(Reason.BARRED, detail="You are not in this group.")
        return group, own

    def _allowed(self, check: Callable[[], None]) -> None:
        try:
            check()
        except GroupError as error:
            raise SendError(Reason.BARRED, detail=f"{error}".capitalize() + ".") from None


_STEPS = {
    GroupEvent.INVITE: Step.INVITED,
    GroupEvent.JOIN: Step.ESTABLISHED,
    GroupEvent.DECLINE: Step.REFUSED,
    GroupEvent.FAIL: Step.FAILED,
    GroupEvent.LEAVE: Step.CLOSED,
    GroupEvent.REMOVE: Step.CLOSED,
}
