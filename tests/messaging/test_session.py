"""Two legs joined: set-up, texts, typing, closing, and each way it can fail."""

from __future__ import annotations

import asyncio

import pytest

from opencpm.domain.address import Address
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.profile import Availability, Reach
from opencpm.domain.session import CloseReason, Composing, SessionOffer
from opencpm.domain.subscriber import Preferences, SessionFeedback
from opencpm.interfaces import LegEvents
from tests.messaging.world import ALICE, BOB_MSN, BOB_TEL, FakeLeg, World

ALICE_MSN = Address("msn", "alice@msn.test")


def offer(world: World, **more: object) -> SessionOffer:
    values: dict[str, object] = {
        "id": "s1",
        "initiator": ALICE,
        "target": BOB_TEL,
        "origin": "sip",
        "at": world.clock.now(),
    }
    return SessionOffer(**(values | more))  # type: ignore[arg-type]


async def established(world: World) -> tuple[FakeLeg, LegEvents]:
    leg = FakeLeg("sip")
    return leg, await world.messaging.invited(offer(world), leg)


async def test_bobs_number_leads_to_his_msn_account_because_sms_has_no_sessions(world: World) -> None:
    leg, _ = await established(world)
    far = world.msn.offers[0]
    assert (far.initiator, far.target) == (ALICE_MSN, BOB_MSN)
    assert leg.rang == 1
    await world.settle()
    assert world.steps("s1") == ["invited", "selected", "ringing", "established"]


async def test_texts_go_both_ways_and_are_kept(world: World) -> None:
    leg, near = await established(world)
    given = asyncio.Event()
    near.received([world.message("Hi Bob", ident="t1")], lambda _: given.set())
    await asyncio.wait_for(given.wait(), 10)
    assert world.msn.leg.sent[0].message.text == "Hi Bob"
    far = world.msn.events
    assert far is not None
    back = asyncio.Event()
    far.received([world.message("Hi Alice", ALICE_MSN, sender=BOB_MSN, ident="t2")], lambda _: back.set())
    await asyncio.wait_for(back.wait(), 10)
    assert leg.sent[0].message.text == "Hi Alice"
    assert leg.sent[0].message.session_id == "s1"
    await world.settle()
    peer = world.store.threads("alice")[0].peer
    assert [r.message.text for r, _ in world.store.history("alice", peer)] == ["Hi Bob", "Hi Alice"]


async def test_typing_is_passed_on_and_not_kept(world: World) -> None:
    leg, near = await established(world)
    near.composing(Composing(active=True))
    world.msn.events.composing(Composing(active=True))
    assert world.msn.leg.typed == leg.typed == [Composing(active=True)]


async def test_alice_closes_and_hears_what_msn_answered(world: World) -> None:
    _, near = await established(world)
    near.closed(CloseReason.NORMAL)
    notice = (await world.sip.until(1))[0].message
    assert world.msn.leg.closed == [CloseReason.NORMAL]
    assert "OUT, connection closed" in notice.text
    assert notice.kind.value == "system"
    await world.settle()
    assert world.steps("s1")[-3:] == ["closing", "closed", "feedback"]
    assert world.messaging.sessions() == []


async def test_no_feedback_where_she_wants_none(world: World) -> None:
    world.directory.set_preferences("alice", Preferences(session_feedback=SessionFeedback.NONE))
    _, near = await established(world)
    near.closed(CloseReason.NORMAL)
    while "feedback" not in world.steps("s1"):
        await world.settle()
    assert world.sip.sent == []
    assert "preference" in world.store.trail("s1")[-1].what


async def test_bob_leaves(world: World) -> None:
    leg, _ = await established(world)
    world.msn.events.closed(CloseReason.LEFT, "bob@msn.test left")
    await world.settle()
    assert leg.closed == [CloseReason.LEFT]


@pytest.mark.parametrize(
    "reason", [Reason.OFFLINE, Reason.UNKNOWN_ADDRESS, Reason.BUSY, Reason.DECLINED, Reason.NO_ANSWER]
)
async def test_each_refusal_reaches_alice_as_it_is(world: World, reason: Reason) -> None:
    world.msn.refusal = SendError(reason, detail="Bob says no")
    with pytest.raises(SendError) as refused:
        await established(world)
    assert refused.value.reason is reason
    await world.settle()
    assert world.steps("s1")[-1] == "refused"


async def test_bob_offline_is_known_without_asking(world: World) -> None:
    world.msn.reaches[str(BOB_MSN)] = Reach(Availability.OFFLINE)
    with pytest.raises(SendError) as refused:
        await established(world)
    assert refused.value.reason in (Reason.OFFLINE, Reason.UNREACHABLE)
    assert world.msn.offers == []


async def test_alice_withdraws_before_the_answer(world: World) -> None:
    world.msn.hold = asyncio.Event()
    asking = asyncio.create_task(world.messaging.invited(offer(world), FakeLeg("sip")))
    while not world.msn.offers:
        await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await world.settle()
    assert world.steps("s1")[-1] == "closed"


async def test_bob_starts_a_session_with_alice(world: World) -> None:
    leg = FakeLeg("msn")
    first = world.message("Talk?", ALICE_MSN, sender=BOB_MSN, ident="f1", origin="msn")
    await world.messaging.invited(offer(world, initiator=BOB_MSN, target=ALICE_MSN, origin="msn", first=first), leg)
    await world.settle()
    assert world.sip.leg.sent[0].message.text == "Talk?"


async def test_nobody_takes_bobs_session_but_his_words_arrive(world: World) -> None:
    world.sip.refusal = SendError(Reason.DECLINED)
    first = world.message("Talk?", ALICE_MSN, sender=BOB_MSN, ident="f1", origin="msn")
    events = await world.messaging.invited(
        offer(world, initiator=BOB_MSN, target=ALICE_MSN, origin="msn", first=first), FakeLeg("msn")
    )
    assert (await world.sip.until(1))[0].message.text == "Talk?"
    events.received([world.message("Hm", ALICE_MSN, sender=BOB_MSN, ident="f2", origin="msn")], lambda _: None)
    assert (await world.sip.until(2))[1].message.text == "Hm"


async def test_a_text_that_the_leg_could_not_carry_goes_on_by_itself(world: World) -> None:
    """Accepted is accepted: when the switchboard dies under it, the text finds another way."""
    _, near = await established(world)
    given = asyncio.Event()
    near.received([world.message("Still there?", ident="t1")], lambda _: given.set())
    await asyncio.wait_for(given.wait(), 10)
    text = world.msn.leg.sent[0]
    world.msn.events.closed(CloseReason.LOST)
    world.msn.refuse(text, Reason.NETWORK_DOWN, retryable=True, retry_after=1.0)
    await world.settle()
    world.clock.time += 2
    world.messaging._dispatch.wake()
    while not (world.msn.sent or world.sms.sent):
        await world.settle()
    assert (world.msn.sent + world.sms.sent)[0].message.text == "Still there?"
