"""A session with somebody who only has texts: invited by one, joined by a word, bridged message by message."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from opencpm.domain.address import Address
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.policy import TextSessions
from opencpm.domain.session import CloseReason, SessionOffer
from opencpm.interfaces import LegEvents
from tests.messaging.world import ALICE, ALICE_TEL, FakeLeg, World

PHONE = Address("tel", "+12025550177")
INVITATION = "Alice invites you to a chat. Reply YES to join, NO to decline."


class Talk:
    """One session of Alice with the owner of a telephone."""

    def __init__(self, world: World) -> None:
        self.world, self.leg = world, FakeLeg("sip")
        offer = SessionOffer(id="s1", initiator=ALICE, target=PHONE, origin="sip", at=world.clock.now())
        self.asking = asyncio.create_task(world.messaging.invited(offer, self.leg))
        self.said = 0

    async def invited(self) -> None:
        """Until the invitation is at the SMS network, which takes it."""
        (sent,) = await self.world.sms.until(1)
        assert (sent.message.text, sent.target) == (INVITATION, PHONE)
        self.world.sms.take(sent, "ref-invitation")

    async def says(self, text: str) -> list[SendError | None]:
        """The owner of the telephone writes to Alice."""
        self.said += 1
        message = self.world.message(text, ALICE_TEL, sender=PHONE, ident=f"sms-{self.said}", origin="sms")
        return await self.world.send(message)

    async def joined(self) -> LegEvents:
        await self.invited()
        await self.says(" yes! ")
        return await asyncio.wait_for(self.asking, 10)

    async def closed(self) -> None:
        """Until Alice's side was told that it is over."""
        async with asyncio.timeout(10):
            while not self.leg.closed:
                await asyncio.sleep(0.005)


async def test_invited_by_a_text_and_joined_by_a_word(world: World) -> None:
    talk = Talk(world)
    await talk.joined()
    await world.settle()
    assert world.steps("s1") == ["invited", "selected", "ringing", "established"]
    assert world.sip.sent == []  # the word is for the server, not for Alice
    assert "bridged message by message" in world.store.trail("s1")[1].data


async def test_texts_go_both_ways_in_the_session(world: World) -> None:
    talk = Talk(world)
    near = await talk.joined()
    near.received([world.message("Hello", PHONE, ident="t1")], lambda _: None)
    text = (await world.sms.until(2))[1]
    assert (text.message.text, text.target, text.message.session_id) == ("Hello", PHONE, "s1")
    assert await talk.says("Hello yourself") == [None]
    assert [d.message.text for d in talk.leg.sent] == ["Hello yourself"]
    assert talk.leg.sent[0].message.session_id == "s1"


async def test_a_receipt_of_a_bridged_text_is_a_receipt(world: World) -> None:
    talk = Talk(world)
    near = await talk.joined()
    near.received([world.message("Hello", PHONE, ident="t1")], lambda _: None)
    world.sms.bring((await world.sms.until(2))[1])
    await world.settle()
    assert "delivered" in world.steps((world.sms.sent[1]).message.id)


@pytest.mark.parametrize("word", ["Leave", "bye.", "STOP"])
async def test_they_leave_with_a_word(world: World, word: str) -> None:
    talk = Talk(world)
    await talk.joined()
    await talk.says(word)
    await talk.closed()
    assert talk.leg.closed == [CloseReason.LEFT]
    await talk.says("one more thing")
    (sent,) = await world.sip.until(1)
    assert (sent.message.text, sent.message.session_id) == ("one more thing", "")


async def test_they_decline(world: World) -> None:
    talk = Talk(world)
    await talk.invited()
    await talk.says("no")
    with pytest.raises(SendError) as declined:
        await asyncio.wait_for(talk.asking, 10)
    assert declined.value.reason is Reason.DECLINED
    assert world.sip.sent == []


async def test_an_answer_that_is_no_word_is_a_message_and_is_helped_once(world: World) -> None:
    talk = Talk(world)
    await talk.invited()
    await talk.says("who is this?")
    await talk.says("hello?")
    assert [d.message.text for d in await world.sip.until(2)] == ["who is this?", "hello?"]
    helped = [d.message.text for d in await world.sms.until(2)]
    await world.settle()
    assert helped[1:] == ["Reply YES to join the chat with Alice, NO to decline."]
    assert len(world.sms.sent) == 2
    await talk.says("1")
    await asyncio.wait_for(talk.asking, 10)


async def test_nobody_answers(world: World) -> None:
    terms = TextSessions(invite_timeout=0.05)
    world.messaging.set_policy(replace(world.messaging.policy, text_sessions=terms))
    with pytest.raises(SendError) as silent:
        await asyncio.wait_for(Talk(world).asking, 10)
    assert silent.value.reason is Reason.NO_ANSWER


async def test_the_invitation_cannot_be_delivered(world: World) -> None:
    talk = Talk(world)
    world.sms.refuse((await world.sms.until(1))[0], Reason.UNDELIVERABLE, retryable=False)
    with pytest.raises(SendError) as lost:
        await asyncio.wait_for(talk.asking, 10)
    assert lost.value.reason is Reason.UNDELIVERABLE
    assert lost.value.detail.startswith("The invitation did not arrive")


async def test_alice_withdraws_and_a_late_word_is_a_message(world: World) -> None:
    talk = Talk(world)
    await talk.invited()
    talk.asking.cancel()
    await asyncio.gather(talk.asking, return_exceptions=True)
    await talk.says("yes")
    assert (await world.sip.until(1))[0].message.text == "yes"


async def test_silence_ends_it(world: World) -> None:
    world.messaging.set_policy(replace(world.messaging.policy, text_sessions=TextSessions(idle=0.05)))
    talk = Talk(world)
    await talk.joined()
    await talk.closed()
    assert talk.leg.closed == [CloseReason.IDLE]


async def test_alice_closes(world: World) -> None:
    talk = Talk(world)
    near = await talk.joined()
    near.closed(CloseReason.NORMAL)
    await world.sip.until(1)  # her feedback
    await talk.says("yes")
    assert (await world.sip.until(2))[1].message.text == "yes"


async def test_a_repeated_word_is_stored_once(world: World) -> None:
    talk = Talk(world)
    await talk.joined()
    talk.said = 0
    assert await talk.says(" yes! ") == [None]


async def test_others_of_the_batch_go_their_way(world: World) -> None:
    talk = Talk(world)
    await talk.invited()
    other = world.message("hi", ALICE_TEL, sender=Address("tel", "+12025550178"), ident="o1", origin="sms")
    word = world.message("ok", ALICE_TEL, sender=PHONE, ident="w1", origin="sms")
    assert await world.send(word, other) == [None, None]
    await asyncio.wait_for(talk.asking, 10)
    assert (await world.sip.until(1))[0].message.text == "hi"
