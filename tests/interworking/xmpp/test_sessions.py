"""Sessions on chat threads (RFC 7573): from either side, typing, the end, and what goes wrong."""

import asyncio

import pytest

from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import MessageKind
from opencpm.domain.report import Status
from opencpm.domain.session import CloseReason, Composing, SessionOffer

from .support import ALICE, ALICE_JID, BOB, Events, delivery, failed, rig


def offer(**fields):
    base = {"id": "s1", "initiator": ALICE, "target": BOB, "origin": "sip", "at": 0.0, "conversation_id": "c1"}
    return SessionOffer(**{**base, **fields})


async def opened(it, **fields):
    events = Events(it.inbox)
    return await it.connector.open(offer(**fields), events), events


async def test_a_session_that_we_open():
    async with rig() as it:
        it.bob.sign_in()
        leg, events = await opened(it)
        assert it.bob.states == [(ALICE_JID, "active")]
        leg.composing(Composing(True))
        await it.bob.until(lambda: (ALICE_JID, "composing") in it.bob.states)
        leg.send([delivery("Shall we meet?")])
        text = await it.bob.text("Shall we meet?")
        assert (text.thread, text.stanza.type, text.stanza.state) == ("c1", "chat", "active")
        await it.inbox.until(lambda: events.outcomes and it.inbox.reports)
        assert it.inbox.reports[0].status is Status.DELIVERED
        it.bob.show_state(ALICE_JID, "composing", "c1")
        it.bob.write(ALICE_JID, "Yes!", thread="c1")
        await it.inbox.until(lambda: events.messages)
        assert events.typing == [True]
        assert (events.messages[0].kind, events.messages[0].session_id) == (MessageKind.CHAT, "s1")
        assert it.inbox.offers == []
        assert await leg.close(CloseReason.NORMAL) == "<gone/>, taken by the server"
        assert it.bob.states[-1] == (ALICE_JID, "gone")
        assert events.ends == []
        it.bob.write(ALICE_JID, "too late", thread="")
        await it.inbox.until(lambda: it.inbox.messages)
        assert it.inbox.messages[0].kind is MessageKind.STANDALONE


async def test_typing_that_is_not_renewed_lapses():
    async with rig() as it:
        it.bob.sign_in()
        leg, _ = await opened(it)
        leg.composing(Composing(True, refresh=0.01))
        await it.bob.until(lambda: (ALICE_JID, "paused") in it.bob.states)


async def test_nobody_is_there():
    async with rig() as it:
        with pytest.raises(SendError) as error:
            await opened(it)
        assert error.value.reason is Reason.UNREACHABLE
        assert it.connector.describe()["sessions"] == 0


async def test_no_link_and_a_link_that_breaks():
    async with rig() as it:
        it.bob.sign_in()
        it.server.faults.silent = True
        opening = asyncio.create_task(opened(it))
        await it.server.happenings.until(lambda: it.server.log.of("iq", "C"))
        await it.server.down()
        with pytest.raises(SendError) as error:
            await opening
        assert error.value.reason is Reason.TIMEOUT
        with pytest.raises(SendError) as error:
            await opened(it)
        assert error.value.reason is Reason.NETWORK_DOWN


async def test_they_leave():
    async with rig() as it:
        it.bob.sign_in()
        leg, events = await opened(it)
        it.bob.show_state(ALICE_JID, "gone", "c1")
        await it.inbox.until(lambda: events.ends)
        assert events.ends == [(CloseReason.LEFT, "bob@xmpp.test has closed the conversation")]
        assert await leg.close(CloseReason.LEFT) == "they had left already"


async def test_another_client_of_theirs_that_closes_a_window_ends_nothing():
    async with rig() as it:
        it.bob.sign_in()
        _, events = await opened(it)
        it.bob.write(ALICE_JID, "one", thread="c1")
        it.server.send(
            f"<message from='bob@xmpp.test/desk' to='{ALICE_JID}' type='chat'>"
            "<gone xmlns='http://jabber.org/protocol/chatstates'/></message>"
        )
        it.bob.write(ALICE_JID, "two", thread="c1")
        await it.inbox.until(lambda: len(events.messages) == 2)
        assert events.ends == []


async def test_a_session_that_they_open():
    async with rig() as it:
        it.bob.sign_in()
        it.inbox.answer.clear()
        it.bob.write(ALICE_JID, "hello", thread="t1")
        await it.inbox.until(lambda: it.inbox.offers)
        it.bob.write(ALICE_JID, "are you there?", thread="t1")
        it.bob.show_state(ALICE_JID, "composing", "t1")
        asked = it.inbox.offers[0]
        assert (asked.initiator, asked.target, asked.conversation_id) == (BOB, ALICE, "t1")
        it.inbox.answer.set()
        await it.inbox.until(lambda: it.inbox.events and len(it.inbox.events[0].messages) == 2)
        events, leg = it.inbox.events[0], it.inbox.legs[0]
        assert [one.text for one in events.messages] == ["hello", "are you there?"]
        assert {one.session_id for one in events.messages} == {asked.id}
        assert it.inbox.messages == []
        leg.send([delivery("Yes")])
        assert (await it.bob.text("Yes")).thread == "t1"
        it.bob.show_state(ALICE_JID, "gone", "t1")
        await it.inbox.until(lambda: events.ends)


async def test_a_session_that_our_side_does_not_take_becomes_messages():
    async with rig() as it:
        it.bob.sign_in()
        it.inbox.answer.clear()
        it.bob.write(ALICE_JID, "hello", thread="t1")
        it.bob.write(ALICE_JID, "are you there?", thread="t1")
        await it.inbox.until(lambda: it.inbox.offers)
        it.inbox.refusal = SendError(Reason.DECLINED)
        it.inbox.answer.set()
        await it.inbox.until(lambda: len(it.inbox.messages) == 2)
        assert {(one.kind, one.session_id) for one in it.inbox.messages} == {(MessageKind.STANDALONE, "")}
        assert it.connector.describe()["sessions"] == 0


async def test_they_leave_before_our_side_has_answered():
    async with rig() as it:
        it.bob.sign_in()
        it.inbox.answer.clear()
        it.bob.write(ALICE_JID, "hello", thread="t1")
        it.bob.show_state(ALICE_JID, "gone", "t1")
        await it.inbox.until(lambda: it.inbox.messages)
        assert [one.text for one in it.inbox.messages] == ["hello"]


async def test_nobody_of_ours_refuses_with_an_error():
    async with rig() as it:
        it.bob.sign_in()
        it.inbox.refusal = it.inbox.verdict = SendError(Reason.UNKNOWN_ADDRESS)
        ident = it.bob.write("nobody@cpm.xmpp.test", "hello", thread="t1")
        await it.bob.until(lambda: it.bob.errors)
        assert (it.bob.errors[0].id, it.bob.errors[0].error.condition) == (ident, "item-not-found")


@pytest.mark.parametrize(
    ("sessions", "thread", "asks"),
    [("thread", "t1", True), ("thread", "", False), ("chat", "", True), ("never", "t1", False)],
)
async def test_what_asks_for_a_session(sessions, thread, asks):
    async with rig(sessions=sessions) as it:
        it.bob.sign_in()
        it.bob.write(ALICE_JID, "hello", thread=thread)
        await it.inbox.until(lambda: it.inbox.offers or it.inbox.messages)
        assert bool(it.inbox.offers) is asks


async def test_what_waited_in_a_store_asks_for_nothing():
    async with rig() as it:
        it.bob.sign_in()
        it.bob.write(ALICE_JID, "hello", thread="t1", delay=1_700_000_000.0)
        await it.inbox.until(lambda: it.inbox.messages)
        assert it.inbox.offers == []


async def test_a_session_of_the_same_thread_takes_the_place_of_the_older():
    async with rig() as it:
        it.bob.sign_in()
        _, older = await opened(it)
        _, newer = await opened(it, id="s2")
        assert [reason for reason, _ in older.ends] == [CloseReason.REPLACED]
        it.bob.write(ALICE_JID, "hi", thread="c1")
        await it.inbox.until(lambda: newer.messages)


async def test_several_sessions_of_one_pair_are_told_apart_by_their_threads():
    async with rig() as it:
        it.bob.sign_in()
        first_leg, first = await opened(it)
        _, second = await opened(it, id="s2", conversation_id="c2")
        it.bob.write(ALICE_JID, "to the first", thread="c1")
        it.bob.write(ALICE_JID, "to the second", thread="c2")
        await it.inbox.until(lambda: first.messages and second.messages)
        first_leg.send([delivery("in the first")])
        assert (await it.bob.text("in the first")).thread == "c1"
        it.bob.write(ALICE_JID, "without a thread", thread="")  # belongs to where was spoken last
        await it.inbox.until(lambda: len(first.messages) == 2)
        it.bob.show_state(ALICE_JID, "gone", "c2")
        await it.inbox.until(lambda: second.ends)
        assert first.ends == []
        assert it.connector.describe()["sessions"] == 1


async def test_a_session_in_which_nobody_speaks_ends(monkeypatch):
    monkeypatch.setattr("opencpm.interworking.xmpp.connector._TICK", 0.01)
    async with rig(idle_timeout=0.05) as it:
        it.bob.sign_in()
        _, events = await opened(it)
        await it.inbox.until(lambda: events.ends)
        assert events.ends[0][0] is CloseReason.IDLE
        await it.bob.until(lambda: (ALICE_JID, "gone") in it.bob.states)


async def test_a_text_for_somebody_who_went():
    async with rig() as it:
        it.bob.sign_in()
        leg, events = await opened(it)
        it.server.faults.errors[BOB.value] = "recipient-unavailable"
        leg.send([delivery("hello?")])
        await it.inbox.until(lambda: events.outcomes)
        failed(events.outcomes[0], Reason.OFFLINE, True)
