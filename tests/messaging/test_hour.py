"""One hour of simulated time: presence, lists changed from both sides, sessions, groups, lost connections and restarts,
at random. At its end both sides have the same list and the same states, and nothing said is lost or doubled."""

from __future__ import annotations

import asyncio
import random

import pytest

from opencpm.domain.account import AccountState
from opencpm.domain.address import Address
from opencpm.domain.contact import Contact
from opencpm.domain.delivery import Delivery, Outcome, OutcomeKind
from opencpm.domain.errors import SendError
from opencpm.domain.group import GroupWish, MemberState
from opencpm.domain.message import message_ident
from opencpm.domain.presence import UNKNOWN
from opencpm.domain.profile import Availability
from opencpm.domain.roster import LIVE, Tie
from opencpm.domain.session import CloseReason, SessionOffer
from opencpm.domain.subscriber import Preferences
from opencpm.interfaces import LegEvents
from opencpm.messaging import Messaging
from opencpm.messaging.directory import DirectoryError
from tests.messaging.hour import Line, Service, SimConnector, SimLeg
from tests.messaging.world import ALICE, DESK, FakeLeg, World

ME = Address("msn", "alice@msn.test")
PEOPLE = 10
HOUR = 3600.0


class DeviceLeg(FakeLeg):
    """A device of a subscriber in a session: answers for every text."""

    def __init__(self) -> None:
        super().__init__("sip")
        self.events: LegEvents | None = None
        self.read: list[str] = []

    def send(self, deliveries: list[Delivery]) -> None:  # type: ignore[override]
        self.read += [d.message.text for d in deliveries if d.notice is None]
        assert self.events is not None
        self.events.settled(
            [
                Outcome(delivery_id=d.id, token=d.token, kind=OutcomeKind.DELIVERED, at=0.0, source="device")
                for d in deliveries
            ]
        )


class Hour:
    """The whole: both sides, a clock, and what may happen."""

    def __init__(self, world: World, seed: int) -> None:
        self.world, self.random = world, random.Random(seed)
        self.service = Service(PEOPLE)
        self.connector = SimConnector(self.service, world.directory, ME)
        self.connector.inbox = world.messaging
        self.said: dict[str, set[str]] = {}  # text -> who is to read it
        self.desk_read: list[str] = []
        self.focus_of: dict[str, Address] = {}
        self.alice: dict[str, LegEvents] = {}  # group id -> her device's side
        self.standing: list[tuple[SimLeg, LegEvents]] = []
        self._texts = 0
        world.messaging.attach([self.connector])
        world.sip.open = self._desk_answers  # type: ignore[method-assign, assignment]
        world.directory.set_preferences("alice", Preferences(share_contacts=True))
        world.directory.watch(self.connector.tell_list)

    async def _desk_answers(self, offer: SessionOffer, events: LegEvents) -> DeviceLeg:
        leg = DeviceLeg()
        leg.events, leg.read = events, self.desk_read
        return leg

    def somebody(self) -> str:
        return self.random.choice(sorted(self.service.people))

    async def settle(self) -> None:
        """Everything that can go on has gone on."""
        for _ in range(3):
            await self.world.settle()
            await self.world.messaging.groups.calls.settled()
        await self.world.settle()

    # -- what may happen

    def presence(self) -> None:
        somebody = self.service.people[self.somebody()]
        before = somebody.online
        somebody.availability = self.random.choice(
            [Availability.AVAILABLE, Availability.BUSY, Availability.AWAY, Availability.OFFLINE]
        )
        somebody.note = self.random.choice(["", "lunch", "at home"])
        leg = self.service.legs.get(somebody.address.value)
        if before and not somebody.online and leg is not None:
            leg.ended(CloseReason.LEFT)
        if self.service.signed_in:
            self.connector.tell_presence(somebody.address.value)

    def elsewhere(self) -> None:
        """Alice changes her list with another program."""
        who, lists = self.somebody(), self.service.list
        act = self.random.choice(["add", "remove", "block", "unblock", "rename"])
        if act == "add":
            lists.setdefault(who, Line()).listed = True
        elif act == "remove":
            lists.pop(who, None)
        elif who in lists:
            line = lists[who]
            line.blocked = act == "block" or (line.blocked and act == "rename")
            line.name = f"name {self.random.randrange(9)}" if act == "rename" else line.name
            if not line.listed and not line.blocked:
                del lists[who]
        self.connector.tell_list()

    def here(self) -> None:
        """Alice changes her address book."""
        directory, who = self.world.directory, Address("msn", self.somebody())
        known = next((c for c in directory.contacts("alice") if who in c.addresses), None)
        act = self.random.choice(["add", "remove", "block", "unblock", "write"])
        try:
            if act == "add":
                directory.add_contact("alice", f"The {who.value}", (who,))
            elif known is not None and act == "remove":
                directory.remove_contact("alice", known.id)
            elif known is not None and act in ("block", "unblock"):
                directory.set_blocked("alice", known.id, act == "block")
            elif known is not None:
                directory.write_contact(
                    Contact(id=known.id, owner="alice", name=f"My {who.value}", addresses=known.addresses)
                )
        except DirectoryError:
            pass

    def asked(self) -> None:
        who = self.somebody()
        if not self.service.people[who].lists:
            self.connector.asks(who, self.world.clock.now())

    def answered(self) -> None:
        for request in self.world.directory.contact_requests("alice")[:2]:
            self.world.directory.answer_request("alice", request.id, self.random.random() < 0.7)

    def connection(self) -> None:
        if self.service.signed_in and self.random.random() < 0.4:
            self.connector.drop()
        elif not self.service.signed_in:
            self.connector.sign_in()

    async def group(self) -> None:
        if len(self.alice) >= 3:
            return
        members = [Address("msn", self.somebody()) for _ in range(3)]
        leg = DeviceLeg()
        group, leg.events = await self.world.messaging.groups.convened(
            GroupWish(creator=ALICE, members=(DESK, *members), subject="x"), leg
        )
        self.alice[group.id], self.focus_of[group.id] = leg.events, group.focus

    def text(self) -> None:
        """Alice says something in a group."""
        if not self.alice:
            return
        group_id = self.random.choice(sorted(self.alice))
        group = self.world.messaging.groups.book.get(group_id)
        assert group is not None
        self._texts += 1
        words = f"text {self._texts}."
        self.said[words] = {m.address.value for m in group.live if m.address != ALICE}
        message = self.world.message(words, group.focus, ident=words)
        self.alice[group_id].received([message], _accepted)

    def window(self) -> None:
        """Somebody closes their window, or loses it."""
        if self.service.legs:
            who = self.random.choice(sorted(self.service.legs))
            self.service.legs[who].ended(self.random.choice([CloseReason.LEFT, CloseReason.LOST, CloseReason.IDLE]))

    async def session(self) -> None:
        """Alice asks somebody for a session, and perhaps closes one that stands."""
        self.standing = [(leg, side) for leg, side in self.standing if leg.open]
        if self.standing and self.random.random() < 0.5:
            _, side = self.standing.pop()
            side.closed(CloseReason.NORMAL)
            return
        who = self.somebody()
        if who in self.service.legs:
            return
        offer = SessionOffer(
            id=f"s{self.random.randrange(10**9)}",
            initiator=ALICE,
            target=Address("msn", who),
            origin="sip",
            at=self.world.clock.now(),
        )
        try:
            side = await self.world.messaging.invited(offer, FakeLeg("sip"))
        except SendError:
            return
        self.standing.append((self.service.legs[who], side))

    async def restart(self) -> None:
        """The server is killed and comes back with the same store."""
        world = self.world
        await self.settle()
        world.task.cancel()
        await asyncio.gather(world.task, return_exceptions=True)
        for leg in tuple(self.service.legs.values()):
            leg.open = False
        self.service.legs.clear()
        self.service.signed_in = False
        old = world.messaging
        world.messaging = Messaging(
            store=world.store,
            directory=world.directory,
            policy=world.policy,
            clock=world.clock,
            ids=world.ids,
            bus=old.bus,
        )
        world.messaging.attach([world.sip, world.sms, self.connector])
        self.connector.inbox = world.messaging
        self.standing.clear()
        await world.messaging.recover()
        world.task = asyncio.create_task(world.messaging.run())
        for group_id, focus in self.focus_of.items():
            leg = DeviceLeg()
            _, leg.events = world.messaging.groups.joined(focus, ALICE, leg)
            self.alice[group_id] = leg.events
        self.connector.sign_in()

    # -- the run

    async def run(self) -> None:
        until = self.world.clock.time + HOUR
        restarts = [until - HOUR * 2 / 3, until - HOUR / 3]
        self.connector.sign_in()
        acts = [self.presence, self.presence, self.presence, self.elsewhere, self.here, self.asked, self.answered]
        acts += [self.connection, self.text, self.text, self.window]  # type: ignore[list-item]
        while self.world.clock.time < until:
            self.world.clock.time += self.random.uniform(1, 12)
            if restarts and self.world.clock.time > restarts[0]:
                restarts.pop(0)
                await self.restart()
            act = self.random.choice([*acts, self.group, self.session])
            done = act()  # type: ignore[operator]
            if done is not None:
                await done
            if self.random.random() < 0.3:
                await self.settle()
        await self.calm()

    async def calm(self) -> None:
        """Everybody is there, the account is connected, and what was put off has its time."""
        await self.settle()
        if not self.service.signed_in:
            self.connector.sign_in()
        for who, somebody in self.service.people.items():
            somebody.availability = Availability.AVAILABLE
            self.connector.tell_presence(who)
        for _ in range(6):
            self.world.clock.time += 4000
            self.world.messaging.health_changed("msn", self.connector.health())
            await self.settle()


def _accepted(verdicts: object) -> None:
    assert verdicts == [None]


@pytest.fixture(params=range(6))
async def hour(world: World, request: pytest.FixtureRequest) -> Hour:
    world.ids = world.messaging._ground.ids  # type: ignore[attr-defined]
    one = Hour(world, request.param)
    await one.run()
    return one


async def test_both_sides_agree_after_an_hour(hour: Hour) -> None:
    directory, service = hour.world.directory, hour.service
    # the list
    book = hour.world.directory._people.all_contacts("alice")
    marks = {m.address.value: m for c in book for m in c.marks if m.of("msn", ME) and m.tie in LIVE | {Tie.NONE}}
    assert {who: (m.name, m.blocked, m.tie) for who, m in marks.items() if m.tie in LIVE} == {
        e.address.value: (e.name, e.blocked, e.tie) for e in service.entries() if e.tie in LIVE
    }
    assert {who for who, m in marks.items() if m.blocked} == {who for who, line in service.list.items() if line.blocked}
    assert list(directory.roster_changes("msn", "alice", frozenset({"msn"}), ME)) == []
    assert not [c for c in book if c.removed], "what was taken out here is off the list"
    # states
    subscriber = directory.subscriber("alice")
    assert subscriber is not None
    assert hour.world.messaging.accounts.of(subscriber.accounts[0]).state is AccountState.CONNECTED
    for who in service.people:
        told, known = service.presence(who), hour.world.messaging.presence.of("alice", "msn", Address("msn", who))
        assert (known.availability, known.note) == (told.availability, told.note), who
        assert (known == UNKNOWN) == (told == UNKNOWN)
    # sessions and groups
    in_groups = {
        (g.id, s.member.value): s.leg
        for g in hour.world.messaging.groups.of("alice")
        for s in hour.world.messaging.groups._seats.in_group(g.id)
        if s.leg is not None and s.leg.network == "msn"
    }
    for (_, who), leg in in_groups.items():
        assert isinstance(leg, SimLeg)
        assert leg.open, who
    standing = {record.target.value for record in hour.world.messaging.sessions()}
    assert standing == {leg.who.address.value for leg, _ in hour.standing if leg.open}
    assert {record.target.value for record in hour.world.store.open_sessions()} == standing
    for group in hour.world.messaging.groups.of("alice"):
        for member in group.members:
            blocked = member.state is MemberState.FAILED and "blocked" in member.detail
            assert blocked or member.state in (MemberState.CONNECTED, MemberState.AWAY), member


def story(world: World, words: str, who: str) -> list[object]:
    """What became of a text, for who reads of a failure."""
    message = message_ident(ALICE, words)
    records = [r for r in world.store.deliveries_of(message) if r.recipient.value == who]
    told = [e for e in world.store.trail(message) if not e.delivery_id or e.delivery_id in {r.id for r in records}]
    return [*[(r.state.value, r.detail) for r in records], *[(e.at - told[0].at, e.step.value, e.what) for e in told]]


async def test_nothing_said_is_lost_or_doubled(hour: Hour) -> None:
    assert hour.said, "a run in which nothing was said shows nothing"
    readers = {who: somebody.read for who, somebody in hour.service.people.items()} | {DESK.value: hour.desk_read}
    for words, wanted in hour.said.items():
        for who in wanted:
            count, become = sum(words in text for text in readers[who]), story(hour.world, words, who)
            blocked = "blocked" in str(become[0])  # by Alice, in whose name the group speaks to them: refused, and said
            assert count == (0 if blocked else 1), (words, who, become)
