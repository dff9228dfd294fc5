"""Sessions: asked for by alice, started by bob, and every way in which they end."""

import asyncio
import time
from dataclasses import replace
from typing import Any

import pytest

from opencpm.domain.address import Address
from opencpm.domain.delivery import OutcomeKind
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.group import Group
from opencpm.domain.message import MessageKind
from opencpm.domain.session import CloseReason, Composing
from opencpm.interworking.msn.leg import MsnLeg
from opencpm.lab.msn import Calls, LabMsn
from tests.interworking.msn.stage import ALICE, ALICE_ADDRESS, BOB, BOB_ADDRESS, Events, Stage, until


async def opened(stage: Stage) -> tuple[MsnLeg, Events]:
    events = Events()
    leg = await stage.connector.open(stage.offer(), events)
    assert isinstance(leg, MsnLeg)
    return leg, events


async def test_the_whole_session(stage: Stage) -> None:
    leg, events = await opened(stage)
    assert events.all == [("ringing", None)]
    leg.composing(Composing(True))
    leg.send([stage.delivery("see you at eight?")])
    assert await stage.bob.text() == "see you at eight?"
    outcome = await events.wait("settled")
    assert (outcome.kind, outcome.source) == (OutcomeKind.ACCEPTED, "switchboard ACK")
    stage.bob.chat.typing()
    stage.bob.chat.send("I will come")
    message = await events.wait("received")
    assert (message.text, message.kind, message.session_id) == ("I will come", MessageKind.CHAT, leg.session_id)
    assert (await events.wait("composing")).active
    chat = stage.bob.chat
    assert await leg.close(CloseReason.NORMAL) == "OUT, connection closed"
    await stage.bob.happened.wait(lambda it: it.what == "left" and it.peer == ALICE)
    chat.leave()
    log = [line for line in stage.lab.log if line.connection == "SB 1"]
    assert [line.verb for line in log if line.direction == "C"] == ["USR", "CAL", "MSG", "MSG", "OUT"]
    said = [line for line in log if line.direction == "S" and ";" not in line.text.partition("JOI ")[2]]
    assert [line.verb for line in said] == ["USR", "CAL", "JOI", "ACK", "MSG", "MSG"]
    assert stage.inbox.of("received") == []
    assert events.of("closed") == []


@pytest.mark.parametrize("dialect", range(2, 19))
async def test_each_dialect(lab: LabMsn, dialect: int) -> None:
    await lab.buddies[BOB].sign_in()
    async with Stage(lab, protocol=dialect) as stage:
        await stage.sign_in()
        leg, events = await opened(stage)
        leg.send([stage.delivery("hello")])
        assert await stage.bob.text() == "hello"
        stage.bob.chat.send("hi")
        assert (await events.wait("received")).text == "hi"
        assert await leg.close(CloseReason.NORMAL) == "OUT, connection closed"
        with pytest.raises(SendError) as caught:
            await stage.connector.open(stage.offer("nobody@msn.test"), Events())
        assert caught.value.reason is Reason.UNKNOWN_ADDRESS


async def test_the_buddy_leaves(stage: Stage) -> None:
    leg, events = await opened(stage)
    await until(lambda: stage.bob.chats)
    stage.bob.chat.leave()
    assert await events.wait("closed") == (CloseReason.LEFT, "bob@msn.test left the conversation")
    assert await leg.close(CloseReason.NORMAL) == "the conversation had ended"
    leg.send([stage.delivery("still there?")])
    assert await stage.bob.text() == "still there?"  # by a new switchboard: nothing is lost
    await stage.stop()
    await until(lambda: len(stage.lab.log.of("OUT", direction="C", account=ALICE, connection="SB")) == 2)


async def test_nothing_is_kept_of_what_has_ended(stage: Stage) -> None:
    account = stage.connector._accounts[ALICE]
    leg, _ = await opened(stage)
    assert list(account._conversations) == [(BOB, "")]
    await leg.close(CloseReason.NORMAL)
    stage.connector.send([stage.delivery(" ")])
    await until(lambda: not account._conversations)


async def test_offline(stage: Stage) -> None:
    await stage.bob.sign_out()
    with pytest.raises(SendError) as caught:
        await opened(stage)
    assert (caught.value.reason, caught.value.code) == (Reason.OFFLINE, "MSNP 217")


async def test_unknown(stage: Stage) -> None:
    with pytest.raises(SendError) as caught:
        await stage.connector.open(stage.offer("nobody@msn.test"), Events())
    assert (caught.value.reason, caught.value.retryable) == (Reason.UNKNOWN_ADDRESS, False)


@pytest.mark.parametrize("status", ["BSY", "PHN"])
async def test_busy(stage: Stage, status: str) -> None:
    stage.bob.set_status(status)
    await stage.inbox.wait("presence", lambda told: told[2] == "busy")
    with pytest.raises(SendError) as caught:
        await opened(stage)
    assert caught.value.reason is Reason.BUSY
    (delivery,) = stage.send("a message still goes through")
    assert (await stage.outcome(delivery)).kind is OutcomeKind.ACCEPTED


async def test_busy_but_ringing(lab: LabMsn) -> None:
    await lab.buddies[BOB].sign_in()
    async with Stage(lab, busy="ring") as stage:
        await stage.sign_in()
        stage.bob.set_status("BSY")
        await stage.inbox.wait("presence", lambda told: told[2] == "busy")
        await opened(stage)


async def test_no_answer(lab: LabMsn) -> None:
    await lab.buddies[BOB].sign_in()
    lab.buddies[BOB].calls = Calls.IGNORE
    async with Stage(lab, join_timeout=0.1) as stage:
        await stage.sign_in()
        events = Events()
        with pytest.raises(SendError) as caught:
            await stage.connector.open(stage.offer(), events)
        assert caught.value.reason is Reason.NO_ANSWER
        assert events.all == [("ringing", None)]
        await until(lambda: lab.log.of("OUT", account=ALICE, connection="SB"))


async def test_no_answer_from_the_service(lab: LabMsn) -> None:
    await lab.buddies[BOB].sign_in()
    lab.faults.silent.add("CAL")
    async with Stage(lab, join_timeout=0.1) as stage:
        await stage.sign_in()
        with pytest.raises(SendError) as caught:
            await opened(stage)
        assert caught.value.reason is Reason.TIMEOUT


async def test_declined(stage: Stage) -> None:
    """MSN knows no refusal: bob comes and goes, and either the opening or the session ends."""
    stage.bob.calls = Calls.DECLINE
    events = Events()
    (result,) = await asyncio.gather(stage.connector.open(stage.offer(), events), return_exceptions=True)
    if isinstance(result, SendError):
        assert result.reason is Reason.DECLINED
    else:
        assert (await events.wait("closed"))[0] is CloseReason.LEFT


async def test_wrong_password_and_no_account(lab: LabMsn) -> None:
    await lab.buddies[BOB].sign_in()
    async with Stage(lab) as stage:
        with pytest.raises(SendError) as caught:
            await opened(stage)
        assert caught.value.reason is Reason.NO_ACCOUNT
        stage.directory.link("alice", ALICE, "wrong")
        await stage.inbox.wait("health", lambda health: "wrong password" in health.detail)
        with pytest.raises(SendError) as caught:
            await opened(stage)
        assert caught.value.reason is Reason.AUTHENTICATION


async def test_withdrawn_while_it_rings(stage: Stage) -> None:
    stage.bob.calls = Calls.IGNORE
    opening = asyncio.get_running_loop().create_task(opened(stage))
    await stage.bob.happened.wait(lambda it: it.what == "rung")
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    await until(lambda: stage.lab.log.of("OUT", account=ALICE, connection="SB"))


async def test_a_session_outlives_its_switchboard(stage: Stage) -> None:
    leg, events = await opened(stage)
    leg.send([stage.delivery("one")])
    await stage.bob.text("one")
    stage.lab.disconnect(ALICE, "SB")
    await until(lambda: stage.connector.describe()["accounts"][0]["switchboards"] == 0)
    leg.send([stage.delivery("two"), stage.delivery("three")])
    await stage.bob.text("three")
    stage.bob.chat.send("here I am")
    assert (await events.wait("received")).text == "here I am"
    assert [it.text for it in stage.bob.happened.all if it.what == "text"] == ["one", "two", "three"]
    assert events.of("closed") == []
    assert await leg.close(CloseReason.NORMAL) == "OUT, connection closed"


async def test_a_session_that_cannot_be_taken_up_again_is_lost(stage: Stage) -> None:
    leg, events = await opened(stage)
    stage.lab.faults.errors["XFR"] = 713
    stage.lab.disconnect(ALICE, "SB")
    await until(lambda: stage.connector.describe()["accounts"][0]["switchboards"] == 0)
    leg.send([stage.delivery("two")])
    assert (await events.wait("closed"))[0] is CloseReason.LOST
    assert (await events.wait("settled")).error.reason is Reason.CONGESTION


async def test_a_session_without_a_switchboard_ends_when_the_buddy_signs_out(stage: Stage) -> None:
    _, events = await opened(stage)
    stage.lab.disconnect("", "SB")
    await until(lambda: stage.connector.describe()["accounts"][0]["switchboards"] == 0)
    stage.bob.drop()
    assert await events.wait("closed") == (CloseReason.LEFT, "bob@msn.test went offline")


async def test_a_session_outlives_the_notification_server(stage: Stage) -> None:
    leg, events = await opened(stage)
    stage.lab.disconnect(ALICE, "NS")
    await stage.inbox.wait("health", lambda health: health.detail[0] == "0")
    leg.send([stage.delivery("still here")])
    assert await stage.bob.text() == "still here"
    (delivery,) = stage.send("a message finds the way too")
    assert (await stage.outcome(delivery)).kind is OutcomeKind.ACCEPTED
    assert events.of("closed") == []


async def test_the_service_does_not_close(stage: Stage) -> None:
    leg, _ = await opened(stage)
    stage.lab.faults.silent.add("OUT")
    closing = asyncio.get_running_loop().create_task(leg.close(CloseReason.NORMAL))
    await until(lambda: stage.lab.log.of("OUT", account=ALICE, connection="SB"))
    assert not closing.done()
    stage.lab.disconnect(ALICE, "SB")
    assert (await closing).startswith("OUT")
    stage.lab.faults.clear()


async def test_a_session_takes_over_the_open_switchboard(stage: Stage) -> None:
    stage.send("hello")
    await stage.bob.text()
    leg, events = await opened(stage)
    stage.bob.chat.send("hi")
    assert (await events.wait("received")).session_id == leg.session_id
    assert len(stage.lab.log.of("CAL", direction="C")) == 1


async def test_a_new_session_replaces_the_old(stage: Stage) -> None:
    old, _ = await opened(stage)
    new, events = await opened(stage)
    assert await old.close(CloseReason.REPLACED) == "the conversation had ended"
    new.send([stage.delivery("hello")])
    assert (await events.wait("settled")).kind is OutcomeKind.ACCEPTED


async def in_group(stage: Stage, ident: str) -> tuple[Any, Events]:
    """A session with Bob as a member of a group."""
    focus = Address("sip", f"{ident}@conf.cpm.test")
    group = Group(
        id=ident, focus=focus, subject="", members=(), conversation_id="", contribution_id="", created_at=time.time()
    )
    events = Events()
    return await stage.connector.open(replace(stage.offer(), group=group), events), events


async def test_a_group_has_windows_of_its_own(stage: Stage) -> None:
    alone, events = await opened(stage)
    first, of_first = await in_group(stage, "g1")
    second, of_second = await in_group(stage, "g2")
    await until(lambda: len(stage.bob.chats) == 3)
    for leg, text in ((alone, "between us"), (first, "to the first"), (second, "to the second")):
        leg.send([stage.delivery(text)])
        await stage.bob.text(text)
    (delivery,) = stage.send("a message by itself")  # goes where the two are alone
    await stage.outcome(delivery)
    windows = [[line.text for line in chat.lines] for chat in stage.bob.chats]
    assert windows == [["between us", "a message by itself"], ["to the first"], ["to the second"]]
    for chat, answer in zip(stage.bob.chats, ("alone", "one", "two"), strict=True):
        chat.send(answer)
    for told, answer in ((events, "alone"), (of_first, "one"), (of_second, "two")):
        assert (await told.wait("received")).text == answer
    assert await first.close(CloseReason.NORMAL) == "OUT, connection closed"
    alone.send([stage.delivery("still here")])
    await stage.bob.text("still here")


async def test_a_window_that_fell_asleep_is_taken_up_by_either_side(stage: Stage) -> None:
    leg, events = await in_group(stage, "g1")
    leg.send([stage.delivery("one")])
    await stage.bob.text("one")
    stage.lab.disconnect("", "SB")
    await until(lambda: stage.connector.describe()["accounts"][0]["switchboards"] == 0)
    chat = await stage.bob.start_chat(ALICE)
    chat.send("two")
    assert (await events.wait("received")).text == "two"
    assert stage.inbox.of("invited") == []
    leg.send([stage.delivery("three")])
    await stage.bob.text("three")
    assert [line.text for line in chat.lines] == ["two", "three"]


async def test_bob_starts_a_session(stage: Stage) -> None:
    chat = await stage.bob.start_chat(ALICE)
    assert stage.inbox.of("invited") == []  # an empty window asks nobody for anything
    stage.inbox.answer.clear()
    chat.send("are you there?")
    offer = await stage.inbox.wait("invited")
    assert (offer.initiator, offer.target, offer.first.text) == (BOB_ADDRESS, ALICE_ADDRESS, "are you there?")
    assert offer.first.session_id == offer.id
    chat.send("hello?")
    chat.typing()
    await until(lambda: len(stage.lab.log.of("MSG", direction="S", account=ALICE, connection="SB")) == 3)
    stage.inbox.answer.set()
    events = stage.inbox.events
    assert (await events.wait("received")).text == "hello?"
    await events.wait("composing")
    leg = stage.inbox.legs[0]
    leg.ringing()
    leg.send([stage.delivery("yes")])
    assert await stage.bob.text() == "yes"
    assert await leg.close(CloseReason.NORMAL) == "OUT, connection closed"


async def test_bob_leaves_the_session_he_started(stage: Stage) -> None:
    chat = await stage.bob.start_chat(ALICE)
    chat.send("hello")
    await stage.inbox.wait("invited")
    chat.leave()
    assert (await stage.inbox.events.wait("closed"))[0] is CloseReason.LEFT


async def test_bob_leaves_before_alice_has_answered(stage: Stage) -> None:
    stage.inbox.answer.clear()
    chat = await stage.bob.start_chat(ALICE)
    chat.send("one")
    chat.send("two")
    chat.leave()
    await stage.inbox.wait("received", lambda message: message.text == "two")
    got = stage.inbox.of("received")
    assert [message.text for message in got] == ["one", "two"]
    assert {message.kind for message in got} == {MessageKind.STANDALONE}


async def test_bob_leaves_while_it_rings(stage: Stage) -> None:
    stage.inbox.answer.clear()
    chat = await stage.bob.start_chat(ALICE)
    chat.send("one")
    await stage.inbox.wait("invited")
    chat.leave()
    await stage.inbox.wait("withdrawn")
    assert (await stage.inbox.wait("received")).text == "one"


async def test_alice_refuses_and_nothing_is_lost(stage: Stage) -> None:
    stage.inbox.refusal = SendError(Reason.DECLINED)
    chat = await stage.bob.start_chat(ALICE)
    chat.send("one")
    await stage.inbox.wait("received", lambda message: message.text == "one")
    assert stage.inbox.of("received")[0].session_id == ""


async def test_messages_instead_of_sessions(lab: LabMsn) -> None:
    await lab.buddies[BOB].sign_in()
    async with Stage(lab, incoming="message") as stage:
        await stage.sign_in()
        chat = await stage.bob.start_chat(ALICE)
        chat.send("hello")
        chat.nudge()
        await stage.inbox.wait("received", lambda message: message.text == "(nudge)")
        assert [message.text for message in stage.inbox.of("received")] == ["hello", "(nudge)"]
        stage.send("hi")
        assert await stage.bob.text() == "hi"
        assert stage.lab.log.of("CAL", direction="C", account=ALICE) == []


async def test_both_open_one_at_the_same_time(stage: Stage) -> None:
    stage.inbox.refusal = SendError(Reason.DECLINED)
    (delivery,) = stage.send("from alice")
    chat = await stage.bob.start_chat(ALICE)
    chat.send("from bob")
    assert await stage.bob.text() == "from alice"
    await stage.inbox.wait("received", lambda message: message.text == "from bob")
    assert (await stage.outcome(delivery)).kind is OutcomeKind.ACCEPTED


async def test_a_third_person_joins(stage: Stage) -> None:
    desk = stage.lab.buddy("desk@msn.test", "Desk")
    await desk.sign_in()
    leg, events = await opened(stage)
    await until(lambda: stage.bob.chats)
    stage.bob.chat.call("desk@msn.test")
    await until(lambda: desk.chats and len(desk.chat.peers) == 2)
    desk.chat.send("me too")
    message = await events.wait("received")
    assert (message.sender, message.session_id, message.text) == (BOB_ADDRESS, leg.session_id, "Desk: me too")
    stage.bob.chat.send("hi both")
    assert (await events.wait("received", lambda said: said.text == "hi both")).sender == BOB_ADDRESS
    leg.send([stage.delivery("hello you two")])
    for buddy in (stage.bob, desk):
        assert await buddy.text("hello you two")
    stage.bob.chat.leave()
    assert (await events.wait("closed"))[0] is CloseReason.LEFT
    desk.chat.send("still there?")
    message = await stage.inbox.wait("received")
    assert (message.sender.value, message.session_id) == ("desk@msn.test", "")


async def test_a_typing_notice_is_repeated_until_it_lapses(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("opencpm.interworking.msn.leg.TYPING_EVERY", 0.01)
    leg, _ = await opened(stage)
    leg.composing(Composing(True, refresh=0.035))
    await until(lambda: sum(it.what == "typing" for it in stage.bob.happened.all) >= 3)
    leg.composing(Composing(True))
    leg.composing(Composing(False))
    assert leg._repeat is None


async def test_idle_switchboards_are_closed_but_not_sessions(lab: LabMsn) -> None:
    await lab.buddies[BOB].sign_in()
    async with Stage(lab, idle_timeout=0.05) as stage:
        await stage.sign_in()
        stage.send("hello")
        await until(lambda: lab.log.of("OUT", direction="C", account=ALICE, connection="SB"))
        _, events = await opened(stage)
        await asyncio.sleep(0.15)
        assert events.of("closed") == []


async def test_stopping_ends_sessions(stage: Stage) -> None:
    _, events = await opened(stage)
    await stage.stop()
    assert (await events.wait("closed"))[0] is CloseReason.SHUTDOWN
    await stage.bob.happened.wait(lambda it: it.what == "left")
