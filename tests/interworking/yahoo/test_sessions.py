"""Sessions on a network that has none: opened by alice, begun by bob's text, and every way in which they end."""

from __future__ import annotations

import asyncio

import pytest

from opencpm.domain.delivery import OutcomeKind
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import MessageKind
from opencpm.domain.session import CloseReason, Composing
from opencpm.lab.yahoo import Invited, LabYahoo
from opencpm.protocols.ymsg.services import BUSY, INVISIBLE, Service
from tests.interworking.yahoo.stage import ALICE, ALICE_ADDRESS, BOB, BOB_ADDRESS, CAROL, Events, Stage, until


@pytest.mark.parametrize("version", [9, 10, 16])
async def test_the_whole_session(lab: LabYahoo, version: int) -> None:
    bob = lab.buddies[BOB]
    bob.version = version
    await bob.sign_in()
    async with Stage(lab, version=version) as stage:
        await stage.sign_in()
        leg, events = await stage.opened()
        leg.composing(Composing(True))
        await bob.happened.wait(lambda it: it.what == "typing" and it.peer == ALICE)
        leg.composing(Composing(False))
        await bob.happened.wait(lambda it: it.what == "idle" and it.peer == ALICE)
        leg.send([stage.delivery("see you at eight?")])
        assert await bob.text() == "see you at eight?"
        outcome = await events.wait("settled")
        assert (outcome.kind, outcome.source) == (OutcomeKind.ACCEPTED, "keepalive answered")
        bob.typing(ALICE)
        assert (await events.wait("composing")).active
        bob.say(ALICE, "I will come")
        message = await events.wait("received")
        assert (message.text, message.kind, message.session_id) == ("I will come", MessageKind.CHAT, leg.session_id)
        assert await leg.close(CloseReason.NORMAL) == "Yahoo has no sessions: nothing to close"
        assert await leg.close(CloseReason.NORMAL) == "they had left already"
        bob.say(ALICE, "one more thing")
        assert (await stage.inbox.wait("received")).kind is MessageKind.STANDALONE
        assert events.of("closed") == []
        assert stage.inbox.of("settled") == []


async def test_a_goodbye_where_the_operator_wants_one(lab: LabYahoo) -> None:
    await lab.buddies[BOB].sign_in()
    async with Stage(lab, goodbye_text="(Alice has left)") as stage:
        await stage.sign_in()
        leg, _ = await stage.opened()
        assert await leg.close(CloseReason.NORMAL) == "said goodbye"
        assert await stage.bob.text() == "(Alice has left)"


async def test_who_is_not_there(stage: Stage) -> None:
    await stage.bob.sign_out()
    await stage.seen("offline")
    with pytest.raises(SendError) as caught:
        await stage.opened()
    assert caught.value.reason is Reason.OFFLINE
    with pytest.raises(SendError) as caught:
        await stage.opened(CAROL)
    assert caught.value.reason is Reason.UNREACHABLE
    assert stage.connector.describe()["accounts"][0]["talks"] == 0


@pytest.mark.parametrize("busy", ["refuse", "ring"])
async def test_busy(lab: LabYahoo, busy: str) -> None:
    await lab.buddies[BOB].sign_in()
    async with Stage(lab, busy=busy) as stage:
        await stage.sign_in()
        stage.bob.show(BUSY)
        await stage.seen("busy")
        if busy == "ring":
            await stage.opened()
            return
        with pytest.raises(SendError) as caught:
            await stage.opened()
        assert caught.value.reason is Reason.BUSY


async def test_wrong_password_and_no_account(lab: LabYahoo) -> None:
    async with Stage(lab) as stage:
        with pytest.raises(SendError) as caught:
            await stage.opened()
        assert caught.value.reason is Reason.NO_ACCOUNT
        stage.link("wrong")
        await stage.inbox.wait("health", lambda health: "wrong" in health.detail)
        with pytest.raises(SendError) as caught:
            await stage.opened()
        assert caught.value.reason is Reason.AUTHENTICATION


async def test_bob_leaves_and_comes_back(stage: Stage) -> None:
    leg, events = await stage.opened()
    await stage.bob.sign_out()
    assert await events.wait("closed") == (CloseReason.LEFT, "bob went offline")
    leg.send([stage.delivery("still there?")])  # what is on its way when he leaves is not lost
    assert (await events.wait("settled")).kind is OutcomeKind.ACCEPTED
    await stage.bob.sign_in()
    await stage.seen("available")
    assert (await stage.bob.happened.wait(lambda it: it.what == "stored")).text == "still there?"
    _, again = await stage.opened()
    stage.bob.say(ALICE, "here I am")
    assert (await again.wait("received")).text == "here I am"


async def test_nobody_says_a_word(lab: LabYahoo) -> None:
    await lab.buddies[BOB].sign_in()
    async with Stage(lab, idle_timeout=0.05) as stage:
        await stage.sign_in()
        _, events = await stage.opened()
        assert (await events.wait("closed"))[0] is CloseReason.IDLE
        assert stage.connector.describe()["accounts"][0]["talks"] == 0


async def test_a_new_session_takes_the_place_of_the_old(stage: Stage) -> None:
    _, old = await stage.opened()
    _, new = await stage.opened()
    assert (await old.wait("closed"))[0] is CloseReason.REPLACED
    stage.bob.say(ALICE, "hello")
    await new.wait("received")


async def test_the_connection_breaks(stage: Stage) -> None:
    _, events = await stage.opened()
    stage.lab.disconnect(ALICE)
    reason, detail = await events.wait("closed")
    assert reason is CloseReason.LOST
    assert detail.startswith("alice@yahoo.test was signed out: the server closed the connection")


async def test_several_sessions_at_once(lab: LabYahoo) -> None:
    lab.befriend(ALICE, CAROL)
    for user in (BOB, CAROL):
        await lab.buddies[user].sign_in()
    async with Stage(lab) as stage:
        await stage.sign_in()
        await stage.seen("available", CAROL)
        (_, with_bob), (_, with_carol) = await stage.opened(), await stage.opened(CAROL)
        lab.buddies[CAROL].say(ALICE, "from carol")
        stage.bob.say(ALICE, "from bob")
        assert (await with_bob.wait("received")).text == "from bob"
        assert (await with_carol.wait("received")).text == "from carol"
        await stage.bob.sign_out()
        await with_bob.wait("closed")
        assert with_carol.of("closed") == []


# ----------------------------------------------------------------------------------------- begun by a text


@pytest.fixture
async def asking(lab: LabYahoo) -> Stage:  # type: ignore[misc]
    """A text of bob's asks for a session."""
    await lab.buddies[BOB].sign_in()
    async with Stage(lab, incoming="session") as stage:
        await stage.sign_in()
        yield stage


async def test_a_text_asks_for_a_session(asking: Stage) -> None:
    asking.inbox.answer.clear()
    asking.bob.say(ALICE, "hello")
    offer = await asking.inbox.wait("invited")
    assert (offer.initiator, offer.target, offer.first) == (BOB_ADDRESS, ALICE_ADDRESS, None)
    asking.bob.say(ALICE, "are you there?")
    asking.inbox.answer.set()
    events = asking.inbox.events
    await events.wait("received", lambda m: m.text == "are you there?")
    assert [m.text for m in events.of("received")] == ["hello", "are you there?"]
    assert {m.session_id for m in events.of("received")} == {offer.id}
    leg = asking.inbox.legs[0]
    leg.send([asking.delivery("yes")])
    assert await asking.bob.text() == "yes"
    assert len(asking.inbox.of("invited")) == 1


async def test_a_refused_session_is_messages(asking: Stage) -> None:
    asking.inbox.answer.clear()
    asking.inbox.refusal = SendError(Reason.BUSY)
    asking.bob.say(ALICE, "one")
    asking.bob.say(ALICE, "two")
    await asking.inbox.wait("invited")
    asking.inbox.answer.set()
    await asking.inbox.wait("received", lambda m: m.text == "two")
    came = asking.inbox.of("received")
    assert [(m.text, m.kind, m.session_id) for m in came] == [
        ("one", MessageKind.STANDALONE, ""),
        ("two", MessageKind.STANDALONE, ""),
    ]


async def test_bob_leaves_before_the_answer(asking: Stage) -> None:
    asking.inbox.answer.clear()
    asking.bob.say(ALICE, "never mind")
    await asking.inbox.wait("invited")
    await asking.bob.sign_out()
    await asking.inbox.wait("withdrawn")
    assert (await asking.inbox.wait("received")).text == "never mind"


async def test_what_was_kept_asks_for_nothing(asking: Stage) -> None:
    asking.directory.unlink(ALICE_ADDRESS.value)
    await until(lambda: not asking.lab.is_online(ALICE))
    asking.bob.say(ALICE, "for later")
    await until(lambda: asking.lab.keeps(ALICE))
    asking.link()
    assert (await asking.inbox.wait("received")).kind is MessageKind.STANDALONE
    assert asking.inbox.of("invited") == []


# ----------------------------------------------------------------------------------------------- conferences


async def test_a_conference_of_two_is_the_chat_itself(stage: Stage) -> None:
    _, events = await stage.opened()
    room = stage.bob.confer(ALICE)
    await stage.bob.happened.wait(lambda it: it.what == "joined" and it.peer == ALICE)
    stage.bob.say_in(room, "in here")
    assert (await events.wait("received")).text == "in here"
    stage.send("an answer")
    got = await stage.bob.happened.wait(lambda it: it.text == "an answer")
    assert got.what == "room-text"
    assert stage.inbox.of("invited") == []
    stage.bob.leave(room)
    assert (await events.wait("closed"))[0] is CloseReason.LEFT
    stage.send("outside again")
    got = await stage.bob.happened.wait(lambda it: it.text == "outside again")
    assert got.what == "text"


async def test_who_goes_offline_has_left_a_conference_of_two_and_what_they_still_say_there_is_a_message(
    stage: Stage,
) -> None:
    _, events = await stage.opened()
    room = stage.bob.confer(ALICE)
    await stage.bob.happened.wait(lambda it: it.what == "joined" and it.peer == ALICE)
    stage.lab.faults.silent.add(Service.CONFLOGOFF)  # he hears of our leaving late
    stage.bob.show(INVISIBLE)
    assert (await events.wait("closed"))[0] is CloseReason.LEFT
    stage.bob.say_in(room, "boo")
    assert (await stage.inbox.wait("received")).text == "boo"
    stage.send("you are there after all")
    assert (await stage.bob.happened.wait(lambda it: it.text.startswith("you are"))).what == "text"


async def test_a_withdrawn_conference_does_not_cost_the_next_one(lab: LabYahoo) -> None:
    for user in (BOB, CAROL):
        await lab.buddies[user].sign_in()
    async with Stage(lab) as stage:
        await stage.sign_in()
        stage.inbox.answer.clear()
        lab.buddies[CAROL].invitations = Invited.IGNORE
        first = stage.bob.confer(ALICE, CAROL)
        await stage.inbox.wait("invited")
        members = ((57, "r2"), (50, BOB), (53, CAROL), (58, "again"), (13, 0))
        for user in (CAROL, BOB):  # in one breath: nobody is left in the first, and there is another
            lab.say(ALICE, Service.CONFLOGOFF, 1, (57, first), (56, user))
        lab.say(ALICE, Service.CONFADDINVITE, 1, (1, ALICE), *members)
        await stage.inbox.wait("withdrawn")
        stage.inbox.answer.set()
        await until(lambda: lab.log.of("CONFLOGON", direction="C", user=ALICE))
        assert "57=r2" in lab.log.of("CONFLOGON", direction="C", user=ALICE)[0].text
        assert lab.log.of("CONFDECLINE", direction="C", user=ALICE) == []


async def test_a_conference_of_two_without_a_session_is_messages(stage: Stage) -> None:
    room = stage.bob.confer(ALICE)
    await stage.bob.happened.wait(lambda it: it.what == "joined" and it.peer == ALICE)
    stage.bob.say_in(room, "hello")
    assert (await stage.inbox.wait("received")).kind is MessageKind.STANDALONE
    stage.bob.leave(room)
    await until(lambda: stage.connector.describe()["accounts"][0]["conferences"] == 0)


async def test_more_people_are_a_session_with_each_of_them_named(lab: LabYahoo) -> None:
    for user in (BOB, CAROL):
        await lab.buddies[user].sign_in()
    async with Stage(lab) as stage:
        await stage.sign_in()
        bob, carol = stage.bob, lab.buddies[CAROL]
        stage.inbox.answer.clear()
        room = bob.confer(ALICE, CAROL, text="plans?")
        offer = await stage.inbox.wait("invited")
        assert (offer.initiator, offer.subject) == (BOB_ADDRESS, "plans?")
        assert lab.log.of("CONFLOGON", direction="C", user=ALICE) == []
        stage.inbox.answer.set()
        await bob.happened.wait(lambda it: it.what == "joined" and it.peer == ALICE)
        await until(lambda: bob.rooms[room] == {BOB, ALICE, CAROL})
        await until(lambda: carol.rooms.get(room) == {BOB, ALICE, CAROL})
        events = stage.inbox.events
        bob.say_in(room, "at eight?")
        await events.wait("received", lambda m: m.text == "at eight?")
        carol.say_in(room, "fine")
        await events.wait("received", lambda m: m.text == "carol: fine")
        leg = stage.inbox.legs[0]
        leg.send([stage.delivery("for me too")])
        assert await bob.text("for me too")
        assert await carol.text("for me too")
        bob.leave(room)
        await carol.happened.wait(lambda it: it.what == "left" and it.peer == BOB)
        carol.say_in(room, "he is gone")
        await events.wait("received", lambda m: m.text == "carol: he is gone")
        assert events.of("closed") == []
        assert await leg.close(CloseReason.NORMAL) == "left the conference"
        await carol.happened.wait(lambda it: it.what == "left" and it.peer == ALICE)


async def test_the_last_one_leaves(lab: LabYahoo) -> None:
    for user in (BOB, CAROL):
        await lab.buddies[user].sign_in()
    async with Stage(lab) as stage:
        await stage.sign_in()
        room = stage.bob.confer(ALICE, CAROL)
        await until(lambda: stage.bob.rooms[room] == {BOB, ALICE, CAROL})
        await lab.buddies[CAROL].sign_out()
        stage.bob.drop()
        reason, detail = await stage.inbox.events.wait("closed")
        assert (reason, detail) == (CloseReason.LEFT, "bob left the conference")


async def test_a_conference_that_nobody_takes_is_declined(lab: LabYahoo) -> None:
    for user in (BOB, CAROL):
        await lab.buddies[user].sign_in()
    async with Stage(lab) as stage:
        await stage.sign_in()
        stage.inbox.refusal = SendError(Reason.DECLINED)
        stage.bob.confer(ALICE, CAROL)
        declined = await stage.bob.happened.wait(lambda it: it.what == "declined")
        assert (declined.peer, declined.text) == (ALICE, "I cannot join now.")


async def test_an_invitation_is_withdrawn_when_nobody_is_left(lab: LabYahoo) -> None:
    for user in (BOB, CAROL):
        await lab.buddies[user].sign_in()
    async with Stage(lab) as stage:
        await stage.sign_in()
        stage.inbox.answer.clear()
        room = stage.bob.confer(ALICE, CAROL)
        await until(lambda: stage.bob.rooms[room] == {BOB, CAROL})
        await stage.inbox.wait("invited")
        await lab.buddies[CAROL].sign_out()
        stage.bob.leave(room)
        await stage.inbox.wait("withdrawn")
        await until(lambda: stage.connector.describe()["accounts"][0]["talks"] == 0)


async def test_all_are_declined_where_the_operator_says_so(lab: LabYahoo) -> None:
    await lab.buddies[BOB].sign_in()
    async with Stage(lab, conferences="decline") as stage:
        await stage.sign_in()
        stage.bob.confer(ALICE)
        await stage.bob.happened.wait(lambda it: it.what == "declined" and it.peer == ALICE)


async def test_a_second_conference_with_the_same_person_is_declined(stage: Stage) -> None:
    stage.bob.confer(ALICE)
    await stage.bob.happened.wait(lambda it: it.what == "joined" and it.peer == ALICE)
    stage.bob.confer(ALICE)
    await stage.bob.happened.wait(lambda it: it.what == "declined" and it.peer == ALICE)


async def test_what_is_said_while_the_answer_is_awaited_is_kept_in_order(asking: Stage) -> None:
    asking.inbox.answer.clear()
    for number in range(20):
        asking.bob.say(ALICE, str(number))
    await asking.inbox.wait("invited")
    await asyncio.sleep(0)
    asking.inbox.answer.set()
    events: Events = asking.inbox.events
    await events.wait("received", lambda m: m.text == "19")
    assert [m.text for m in events.of("received")] == [str(number) for number in range(20)]
