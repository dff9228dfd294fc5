"""Group sessions: who is in, by which way each member is reached, and that nothing said is lost or doubled."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from opencpm.domain.address import Address
from opencpm.domain.delivery import Delivery, Outcome, OutcomeKind
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.group import Group, GroupWish, MemberState, Role
from opencpm.domain.message import Disposition, Message
from opencpm.domain.presence import Presence
from opencpm.domain.profile import Availability, Reach
from opencpm.domain.report import Report, Status
from opencpm.domain.session import CloseReason, Composing, SessionOffer
from opencpm.domain.subscriber import GroupInvitations, Preferences
from opencpm.interfaces import Changes, Committed, LegEvents
from opencpm.messaging import Messaging
from opencpm.messaging.group import Focus
from opencpm.messaging.group_state import ROOM
from tests.messaging.world import ALICE, ALICE_TEL, BOB_MSN, BOB_TEL, DESK, FakeLeg, Ids, World

ALICE_MSN = Address("msn", "alice@msn.test")
CAROL = Address("sip", "carol@cpm.test")
PHONE = Address("tel", "+12025550177")


class Answering(FakeLeg):
    """A leg whose side answers for every text at once."""

    def __init__(self, network: str, events: LegEvents) -> None:
        super().__init__(network)
        self.events = events

    def send(self, deliveries: Sequence[Delivery]) -> None:
        super().send(deliveries)
        outcomes = [
            Outcome(delivery_id=d.id, token=d.token, kind=OutcomeKind.DELIVERED, at=1.0, source="device")
            for d in deliveries
        ]
        self.events.settled(outcomes)


class Party:
    """The world with Carol, whose devices and Desk's answer group invitations each by a leg of their own."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.legs: dict[Address, FakeLeg] = {}
        self.events: dict[Address, LegEvents] = {}
        self.refusals: dict[Address, SendError] = {}
        self.offers: list[SessionOffer] = []
        self.hold: asyncio.Event | None = None
        world.directory.add_user("carol", "Carol", "carolpw", (CAROL,))
        for network in (world.sip, world.msn):
            network.open = self._opening(network.name)  # type: ignore[method-assign]

    def _opening(self, network: str):
        async def open_(offer: SessionOffer, events: LegEvents) -> FakeLeg:
            self.offers.append(offer)
            if self.hold is not None:
                await self.hold.wait()
            if offer.target in self.refusals:
                raise self.refusals[offer.target]
            self.events[offer.target] = events
            leg = self.legs[offer.target] = Answering(network, events)
            return leg

        return open_

    @property
    def focus(self) -> Focus:
        return self.world.messaging.groups

    async def quiet(self) -> None:
        """No invitation is under way and everything is stored."""
        await self.world.settle()
        await self.focus.calls.settled()
        await self.world.settle()

    async def convened(self, *members: Address, **more: object) -> Group:
        wish = GroupWish(creator=ALICE, members=members, subject="Dinner", **more)  # type: ignore[arg-type]
        group = await self.begun(wish)
        await self.quiet()
        return self.now(group)

    async def begun(self, wish: GroupWish) -> Group:
        """Alice's device calls it together; nobody has answered yet."""
        leg = Answering("sip", None)  # type: ignore[arg-type]
        group, leg.events = await self.focus.convened(wish, leg)
        self.legs[ALICE], self.events[ALICE] = leg, leg.events
        return group

    def now(self, group: Group) -> Group:
        found = self.focus.book.get(group.id)
        assert found is not None
        return found

    def states(self, group: Group) -> dict[str, str]:
        return {m.name: m.state.value for m in self.now(group).members}

    def text(self, text: str, sender: Address = ALICE, to: Address = ALICE_MSN, **more: object) -> Message:
        return self.world.message(text, to, sender=sender, ident=f"{sender.value}-{text}", **more)

    async def say(self, who: Address, text: str) -> SendError | None:
        given: asyncio.Future[list[SendError | None]] = asyncio.get_running_loop().create_future()
        self.events[who].received([self.text(text, who)], lambda verdicts: given.set_result(list(verdicts)))
        verdict = (await asyncio.wait_for(given, 10))[0]
        await self.quiet()
        return verdict

    def heard(self, who: Address) -> list[str]:
        return [delivery.message.text for delivery in self.legs[who].sent if delivery.notice is None]


@pytest.fixture
async def party(world: World) -> Party:
    return Party(world)


def pages(world: World, address: Address) -> list[str]:
    return [d.message.text for d in (*world.sms.sent, *world.msn.sent) if d.target == address]


# ---------------------------------------------------------------------------------------------------- coming together


async def test_everybody_is_reached_by_their_own_way(party: Party) -> None:
    group = await party.convened(DESK, BOB_MSN, PHONE)
    assert party.states(group) == {
        "Alice": "connected",
        "Desk": "connected",
        "Bob": "connected",
        PHONE.value: "connected",
    }
    assert [m.network for m in party.now(group).members] == ["", "sip", "msn", "sms"]
    by_target = {offer.target: offer for offer in party.offers}
    assert (by_target[DESK].initiator, by_target[DESK].referred_by) == (group.focus, ALICE)
    assert by_target[DESK].group is not None
    assert by_target[BOB_MSN].initiator == ALICE_MSN, "on MSN Alice's own account speaks for the group"
    (greeting,) = pages(party.world, PHONE)
    assert greeting.startswith('Alice has put you into the group "Dinner" with Alice, Desk, Bob.')
    assert "/leave" in greeting


async def test_a_text_goes_to_all_others_each_author_named_where_the_wire_does_not(party: Party) -> None:
    await party.convened(DESK, BOB_MSN, PHONE)
    party.world.sms.sent.clear()
    assert await party.say(ALICE, "Who is coming?") is None
    assert party.heard(DESK) == ["Who is coming?"]
    assert party.heard(BOB_MSN) == ["Who is coming?"], "from Alice's own account it is Alice who speaks"
    assert pages(party.world, PHONE) == ["Who is coming?"]
    assert party.heard(ALICE) == [], "nothing comes back to the author"
    assert await party.say(DESK, "I am") is None
    assert party.heard(ALICE) == ["I am"]
    assert party.heard(BOB_MSN)[-1] == "Desk: I am"
    assert pages(party.world, PHONE)[-1] == "Desk: I am"
    source = party.world.sms.sent[-1].source
    assert source == ALICE_TEL, "the host's number speaks"


async def test_devices_are_told_author_and_group(party: Party) -> None:
    group = await party.convened(DESK)
    await party.say(ALICE, "Hi")
    (delivery,) = party.legs[DESK].sent
    assert (delivery.source, delivery.target) == (group.focus, DESK)
    assert (delivery.message.sender, delivery.message.recipients) == (ALICE, (group.focus,))
    assert delivery.message.conversation_id == group.conversation_id
    thread = party.world.store.history("desk", str(group.focus))
    assert [(r.message.text, sent) for r, sent in thread] == [("Hi", False)]


async def test_the_authors_history_has_it_once(party: Party) -> None:
    group = await party.convened(DESK, CAROL, BOB_MSN)
    await party.say(ALICE, "Hi")
    thread = party.world.store.history("alice", str(group.focus))
    assert [(r.message.text, sent) for r, sent in thread] == [("Hi", True)]


async def test_from_msn_by_the_conversation(party: Party) -> None:
    await party.convened(DESK, BOB_MSN, PHONE)
    await party.say(BOB_MSN, "Me too")
    assert party.heard(ALICE) == ["Me too"]
    assert party.heard(DESK) == ["Me too"]
    assert pages(party.world, PHONE)[-1] == "Bob: Me too"


async def test_from_sms_by_the_last_contact(party: Party) -> None:
    group = await party.convened(DESK, PHONE)
    await party.say(ALICE, "Who is coming?")
    assert await party.world.send(party.text("I am", PHONE, ALICE_TEL)) == [None]
    await party.quiet()
    assert party.heard(ALICE) == ["I am"]
    assert party.heard(DESK)[-1] == "I am"
    assert party.legs[DESK].sent[-1].message.sender == PHONE
    assert party.world.store.history("alice", str(PHONE)) == []
    # Alice writes to them alone: what comes next is for her alone
    await party.world.send(party.world.message("Just us", PHONE, ident="x1"))
    await party.world.send(party.text("Yes?", PHONE, ALICE_TEL))
    await party.quiet()
    assert party.heard(ALICE) == ["I am"]
    await party.say(ALICE, "All of you")
    await party.world.send(party.text("Fine", PHONE, ALICE_TEL))
    await party.quiet()
    assert party.heard(DESK)[-1] == "Fine"
    assert party.states(group)[PHONE.value] == "connected"


async def test_a_message_to_the_groups_address_is_said_in_it(party: Party) -> None:
    group = await party.convened(DESK)
    assert await party.world.send(party.text("By pager", DESK, group.focus)) == [None]
    await party.quiet()
    assert party.heard(ALICE) == ["By pager"]
    assert party.heard(DESK) == []
    (refused,) = await party.world.send(party.text("Let me in", CAROL, group.focus))
    assert refused is not None
    assert refused.reason is Reason.UNKNOWN_ADDRESS
    (nowhere,) = await party.world.send(party.text("Hello?", ALICE, Address("sip", "grp-x@conf.cpm.test")))
    assert nowhere is not None


async def test_the_same_text_again_is_stored_and_sent_once(party: Party) -> None:
    await party.convened(DESK)
    await party.say(ALICE, "Once")
    await party.say(ALICE, "Once")
    assert party.heard(DESK) == ["Once"]


async def test_an_echo_of_ours_goes_nowhere(party: Party) -> None:
    group = await party.convened(DESK, PHONE)
    await party.say(DESK, "Hello")
    await party.world.send(party.text("Desk: Hello", PHONE, ALICE_TEL))
    await party.quiet()
    assert party.heard(ALICE) == ["Hello"]
    assert "refused" in party.world.steps(group.id)


async def test_programs_that_answer_each_other_come_to_an_end(party: Party) -> None:
    await party.convened(DESK, PHONE)
    await party.say(ALICE, "Hello")
    verdicts = [(await party.world.send(party.text(f"I am away {n}", PHONE, ALICE_TEL)))[0] for n in range(40)]
    assert sum(v is None for v in verdicts) == 30
    party.world.clock.time += 120
    assert await party.world.send(party.text("back", PHONE, ALICE_TEL)) == [None]


# ------------------------------------------------------------------------------------------------- coming and going


async def test_who_is_not_reached_gets_it_when_they_come(party: Party) -> None:
    party.refusals[DESK] = SendError(Reason.NO_ANSWER, detail="nobody answered")
    group = await party.convened(DESK, CAROL)
    assert party.states(group)["Desk"] == "away"
    await party.say(ALICE, "Who is coming?")
    assert party.heard(CAROL) == ["Who is coming?"]
    del party.refusals[DESK]
    party.world.clock.time += 60
    party.world.messaging.reach_changed("sip", "desk", Reach(Availability.AVAILABLE))
    await party.quiet()
    assert party.states(group)["Desk"] == "connected"
    assert party.heard(DESK) == ["Who is coming?"]


async def test_who_did_not_answer_is_not_rung_for_every_text(party: Party) -> None:
    party.refusals[DESK] = SendError(Reason.NO_ANSWER)
    await party.convened(DESK)
    asked = len(party.offers)
    for number in range(5):
        await party.say(ALICE, f"{number}")
    assert len(party.offers) == asked
    party.world.clock.time += 60
    await party.say(ALICE, "later")
    assert len(party.offers) == asked + 1


async def test_said_while_they_are_being_asked(party: Party) -> None:
    party.hold = asyncio.Event()
    group = await party.begun(GroupWish(creator=ALICE, members=(DESK, BOB_MSN)))
    party.events[ALICE].received([party.text("Quick")], lambda verdicts: None)
    await party.world.settle()
    party.hold.set()
    await party.quiet()
    assert party.heard(DESK) == ["Quick"]
    assert party.heard(BOB_MSN) == ["Quick"]
    assert party.states(group)["Desk"] == "connected"


async def test_a_lost_connection_is_no_leaving(party: Party) -> None:
    group = await party.convened(DESK)
    party.events[DESK].closed(CloseReason.LOST, "connection lost")
    assert party.states(group)["Desk"] == "away"
    party.world.clock.time += 60
    await party.say(ALICE, "Are you there?")
    assert party.states(group)["Desk"] == "connected", "they were invited again"
    assert party.heard(DESK) == ["Are you there?"]


async def test_closing_is_leaving(party: Party) -> None:
    group = await party.convened(DESK, CAROL)
    party.events[DESK].closed(CloseReason.NORMAL)
    assert party.states(group)["Desk"] == "departed"
    await party.say(ALICE, "Without Desk")
    assert party.heard(DESK) == []
    assert party.heard(CAROL) == ["Without Desk"]
    with pytest.raises(SendError) as refused:
        party.focus.joined(group.focus, DESK, FakeLeg("sip"))
    assert refused.value.reason is Reason.BARRED


async def test_coming_back_by_oneself(party: Party) -> None:
    group = await party.convened(DESK)
    party.events[DESK].closed(CloseReason.LOST)
    party.refusals[DESK] = SendError(Reason.NO_ANSWER)
    await party.say(ALICE, "One")
    back = FakeLeg("sip")
    party.focus.joined(group.focus, DESK, back)
    await party.quiet()
    assert [d.message.text for d in back.sent] == ["One"]
    again = FakeLeg("sip")
    party.focus.joined(group.focus, DESK, again)
    await party.quiet()
    assert back.closed == [CloseReason.REPLACED]
    assert party.states(group)["Desk"] == "connected"


async def test_the_same_contribution_is_the_same_group(party: Party) -> None:
    group = await party.convened(DESK, contribution_id="k-1")
    party.events[ALICE].closed(CloseReason.LOST)
    revived = await party.convened(DESK, CAROL, contribution_id="k-1")
    assert revived.id == group.id
    assert party.states(group) == {"Alice": "connected", "Desk": "connected", "Carol": "connected"}
    wish = GroupWish(creator=Address("sip", "eve@cpm.test"), members=(), contribution_id="k-1")
    with pytest.raises(SendError):
        await party.focus.convened(wish, FakeLeg("sip"))


async def test_adding_and_removing(party: Party) -> None:
    group = await party.convened(DESK)
    party.focus.added(group.focus, DESK, [CAROL, PHONE])
    await party.quiet()
    assert party.states(group)["Carol"] == "connected"
    assert party.now(group).member(PHONE).host == "desk"  # type: ignore[union-attr]
    with pytest.raises(SendError, match="leads"):
        party.focus.removed(group.focus, DESK, CAROL)
    party.focus.removed(group.focus, ALICE, CAROL)
    await party.quiet()
    assert party.legs[CAROL].closed == [CloseReason.NORMAL]
    assert party.states(group)["Carol"] == "booted"
    await party.say(DESK, "Bye")
    assert party.heard(CAROL) == []


async def test_a_closed_group_and_a_full_one(party: Party) -> None:
    closed = await party.convened(DESK, closed=True)
    with pytest.raises(SendError, match="closed"):
        party.focus.added(closed.focus, ALICE, [CAROL])
    limits = replace(party.world.policy.limits, recipients=2)
    party.world.messaging.set_policy(replace(party.world.policy, limits=limits))
    full = await party.convened(DESK)
    with pytest.raises(SendError, match="full"):
        party.focus.added(full.focus, ALICE, [CAROL])
    with pytest.raises(SendError, match="at most"):
        await party.convened(DESK, CAROL)


async def test_a_declined_invitation_is_respected(party: Party) -> None:
    party.refusals[DESK] = SendError(Reason.DECLINED)
    group = await party.convened(DESK, CAROL)
    assert party.states(group)["Desk"] == "declined"
    party.world.clock.time += 600
    await party.say(ALICE, "Hi")
    assert party.states(group)["Desk"] == "declined"
    assert len([o for o in party.offers if o.target == DESK]) == 1


@pytest.mark.parametrize(
    ("wish", "known", "state"),
    [
        (GroupInvitations.NOBODY, True, "declined"),
        (GroupInvitations.CONTACTS, False, "declined"),
        (GroupInvitations.CONTACTS, True, "connected"),
    ],
)
async def test_who_may_put_somebody_into_groups(party: Party, wish: GroupInvitations, known: bool, state: str) -> None:
    party.world.directory.set_preferences("desk", Preferences(group_invitations=wish))
    if known:
        party.world.directory.add_contact("desk", "Alice", (ALICE,))
    group = await party.convened(DESK)
    assert party.states(group)["Desk"] == state


async def test_devices_without_sessions_get_messages_from_the_group(party: Party) -> None:
    party.refusals[DESK] = SendError(Reason.OFFLINE, retryable=True, detail="no device that takes sessions")
    group = await party.convened(DESK)
    assert party.states(group)["Desk"] == "connected"
    await party.say(ALICE, "Hi")
    (delivery,) = [d for d in party.world.sip.sent if d.target == DESK]
    assert (delivery.source, delivery.message.text) == (group.focus, "Alice: Hi")


async def test_somebody_offline_on_msn_gets_it_later(party: Party) -> None:
    dave = Address("msn", "dave@msn.test")
    party.world.msn.reaches[str(dave)] = Reach(Availability.OFFLINE)
    group = await party.convened(DESK, dave)
    assert party.states(group)[dave.value] == "away"
    await party.say(DESK, "Hi Dave")
    assert party.world.msn.sent == []
    del party.world.msn.reaches[str(dave)]
    party.world.messaging.presence_changed("msn", "alice", dave, Presence(Availability.AVAILABLE), ALICE_MSN)
    await party.quiet()
    assert [text.partition(" has put")[0] for text in pages(party.world, dave)] == ["Alice", "Desk: Hi Dave"]


async def test_a_member_reached_at_another_address_answers_from_there(party: Party) -> None:
    """Bob is in the group by his MSN address; he is offline there, and Alice's book has his number."""
    party.world.msn.reaches[str(BOB_MSN)] = Reach(Availability.OFFLINE)
    group = await party.convened(DESK, BOB_MSN)
    assert party.now(group).member(BOB_MSN).network == "sms"  # type: ignore[union-attr]
    await party.say(DESK, "Hi Bob")
    assert pages(party.world, BOB_TEL)[-1] == "Desk: Hi Bob"
    await party.world.send(party.text("By SMS", BOB_TEL, ALICE_TEL))
    await party.quiet()
    assert party.heard(DESK) == ["By SMS"]
    assert party.legs[DESK].sent[-1].message.sender == BOB_MSN


async def test_his_conversation_opened_by_himself_is_the_groups(party: Party) -> None:
    group = await party.convened(DESK, BOB_MSN)
    party.events[BOB_MSN].closed(CloseReason.LEFT, "closed the window")
    assert party.states(group)["Bob"] == "away"
    leg = FakeLeg("msn")
    first = party.text("Back again", BOB_MSN, ALICE_MSN)
    offer = SessionOffer(
        id="s9", initiator=BOB_MSN, target=ALICE_MSN, origin="msn", at=1.0, first=replace(first, session_id="s9")
    )
    await party.world.messaging.invited(offer, leg)
    await party.quiet()
    assert party.heard(DESK)[-1] == "Back again"
    await party.say(DESK, "Welcome")
    assert [d.message.text for d in leg.sent] == ["Desk: Welcome"]


async def test_a_page_that_says_leave(party: Party) -> None:
    group = await party.convened(DESK, PHONE)
    assert await party.world.send(party.text(" /LEAVE ", PHONE, ALICE_TEL)) == [None]
    await party.quiet()
    assert party.states(group)[PHONE.value] == "departed"
    await party.world.send(party.text("hello?", PHONE, ALICE_TEL))
    await party.quiet()
    assert party.heard(DESK) == []


async def test_a_session_of_two_is_not_taken_away(party: Party) -> None:
    """Alice talks with Bob on MSN: the group speaks to him by messages meanwhile."""
    offer = SessionOffer(id="s1", initiator=ALICE, target=BOB_TEL, origin="sip", at=1.0)
    await party.world.messaging.invited(offer, FakeLeg("sip"))
    asked = len(party.offers)
    group = await party.convened(BOB_MSN)
    assert len(party.offers) == asked
    assert party.states(group)["Bob"] == "connected"
    await party.say(ALICE, "All")
    assert "All" in pages(party.world, BOB_MSN) + pages(party.world, BOB_TEL)


async def test_a_word_in_a_conversation_that_says_leave(party: Party) -> None:
    group = await party.convened(DESK, BOB_MSN)
    assert await party.say(BOB_MSN, "/leave") is None
    assert party.states(group)["Bob"] == "departed"
    assert party.legs[BOB_MSN].closed == [CloseReason.NORMAL]
    assert party.heard(DESK) == []


async def test_somebodys_presence_is_their_state(party: Party) -> None:
    group = await party.convened(DESK, BOB_MSN)
    party.events[BOB_MSN].closed(CloseReason.LEFT)
    messaging = party.world.messaging
    messaging.presence_changed("msn", "alice", BOB_MSN, Presence(Availability.AVAILABLE), ALICE_MSN)
    assert party.states(group)["Bob"] == "connected"
    messaging.presence_changed("msn", "desk", BOB_MSN, Presence(Availability.OFFLINE))
    assert party.states(group)["Bob"] == "connected", "the desk does not speak to him"
    messaging.presence_changed("msn", "alice", BOB_MSN, Presence(Availability.OFFLINE), ALICE_MSN)
    assert party.states(group)["Bob"] == "away"


async def test_guests_get_another_host_when_theirs_leaves(party: Party) -> None:
    group = await party.convened(DESK, PHONE, BOB_MSN)
    party.events[ALICE].closed(CloseReason.NORMAL)
    await party.quiet()
    now = party.now(group)
    assert now.member(PHONE).host == "desk"  # type: ignore[union-attr]
    assert party.states(group)["Bob"] == "booted", "nobody else has an MSN account"
    assert now.member(DESK).role is Role.CHAIR  # type: ignore[union-attr]


async def test_without_subscribers_it_is_over(party: Party) -> None:
    group = await party.convened(DESK, BOB_MSN)
    seen: list[Group] = []
    party.focus.follow(group.focus, DESK, seen.append)
    party.focus.removed(group.focus, DESK, DESK)
    party.focus.removed(group.focus, ALICE, ALICE)
    await party.quiet()
    assert party.focus.book.get(group.id) is None
    assert {m.state for m in seen[-1].members} == {MemberState.DEPARTED, MemberState.BOOTED}
    assert party.world.store.all_state(ROOM) == {}
    assert party.legs[BOB_MSN].closed == [CloseReason.NORMAL]


# ---------------------------------------------------------------------------------------------------------- word back


async def test_typing_goes_to_the_other_legs(party: Party) -> None:
    await party.convened(DESK, BOB_MSN)
    party.events[DESK].composing(Composing(True))
    assert party.legs[ALICE].typed == party.legs[BOB_MSN].typed == [Composing(True)]
    assert party.legs[DESK].typed == []


async def test_a_display_report_finds_its_author(party: Party) -> None:
    group = await party.convened(DESK, CAROL)
    wanted = Disposition.POSITIVE_DELIVERY | Disposition.DISPLAY
    party.events[ALICE].received([party.text("Seen?", wants=wanted)], lambda verdicts: None)
    await party.quiet()
    ident = party.legs[DESK].sent[0].message.message_id
    report = Report(
        status=Status.DISPLAYED,
        network="sip",
        source="device",
        at=1.0,
        message_id=ident,
        reporter=DESK,
        original_sender=group.focus,
    )
    done = asyncio.Event()
    party.events[DESK].reported([report], done.set)
    await asyncio.wait_for(done.wait(), 10)
    await party.quiet()
    notices = [d.notice for d in party.legs[ALICE].sent if d.notice is not None]
    assert {(n.status, n.recipient) for n in notices if n.recipient == DESK} == {
        (Status.DELIVERED, DESK),
        (Status.DISPLAYED, DESK),
    }
    assert [n.status for n in notices if n.recipient == CAROL] == [Status.DELIVERED]


async def test_followers_see_every_version(party: Party) -> None:
    group = await party.convened(DESK)
    seen: list[int] = []
    now, stop = party.focus.follow(group.focus, ALICE, lambda g: seen.append(g.version))
    party.focus.added(group.focus, ALICE, [CAROL])
    await party.quiet()
    assert seen == sorted(set(seen)), "never an older one after a newer one"
    assert seen[-1] == now.version + 2, "invited, then connected"
    stop()
    party.focus.removed(group.focus, ALICE, CAROL)
    await party.quiet()
    assert seen[-1] == now.version + 2
    with pytest.raises(SendError):
        party.focus.follow(group.focus, CAROL, lambda g: None)


async def test_an_older_version_is_not_told_to_who_came_after_it(party: Party, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk is slow: Carol has joined and follows before the version that invited Desk is stored."""
    group = await party.convened()
    late: list[Callable[[Committed], None]] = []
    monkeypatch.setattr(party.world.store, "commit", lambda changes, done=None: late.append(done) if done else None)
    party.focus.added(group.focus, ALICE, [DESK])
    party.focus.added(group.focus, ALICE, [CAROL])
    await party.focus.calls.settled()
    seen: list[Group] = []
    party.focus.follow(group.focus, CAROL, seen.append)
    monkeypatch.undo()
    for done in late:
        done(Committed(frozenset()))
    assert seen
    assert all(version.member(CAROL) is not None for version in seen)


# ------------------------------------------------------------------------------------------------------------ restart


async def restarted(party: Party) -> None:
    """The server is killed and comes back with the same store."""
    world = party.world
    world.task.cancel()
    await asyncio.gather(world.task, return_exceptions=True)
    ids = Ids()
    ids.last = 10_000
    second = Messaging(
        store=world.store,
        directory=world.directory,
        policy=world.policy,
        clock=world.clock,
        ids=ids,
        bus=world.messaging.bus,
    )
    second.attach([world.sip, world.sms, world.msn])
    world.messaging = second
    await second.recover()
    world.task = asyncio.create_task(second.run())
    await asyncio.sleep(0)


async def test_a_group_survives_the_server(party: Party) -> None:
    group = await party.convened(DESK, PHONE)
    await party.say(ALICE, "Before")
    await restarted(party)
    assert party.states(group) == {"Alice": "away", "Desk": "away", PHONE.value: "connected"}
    party.world.clock.time += 60
    await party.world.send(party.text("After", PHONE, ALICE_TEL))
    await party.quiet()
    assert party.heard(ALICE) == ["After"], "the last-contact rule holds, and absent members are invited again"
    assert party.heard(DESK) == ["After"]


async def test_whom_an_earlier_life_had_not_asked_yet_is_asked(party: Party) -> None:
    dave = Address("msn", "dave@msn.test")
    party.hold = asyncio.Event()
    group = await party.begun(GroupWish(creator=ALICE, members=(DESK, dave)))
    await party.world.settle()
    await restarted(party)
    party.hold = None
    await party.quiet()
    assert party.states(group)[dave.value] == "connected"
    assert party.states(group)["Desk"] == "away", "invited when something is said"


async def test_what_cannot_be_read_does_not_stop_the_others(party: Party) -> None:
    group = await party.convened(DESK)
    done = asyncio.Event()
    party.world.store.commit(
        Changes(state=[(ROOM, "bad", b"{"), (ROOM, "worse", b'{"focus":1}')]), lambda _: done.set()
    )
    await done.wait()
    assert [g.id for g in party.focus.book.load()] == [group.id]
