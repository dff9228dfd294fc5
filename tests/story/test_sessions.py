"""Sessions with people on MSN and on devices: each ending is a clear answer of its own to Alice (points 3 and 5)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from opencpm.domain.address import Address
from opencpm.domain.policy import TextSessions
from opencpm.interfaces import SessionRecord
from opencpm.lab.device import LabDevice, Refused
from opencpm.lab.msn import Calls
from opencpm.protocols.sip.message import Message, parse
from tests.story.village import ALICE_MSN, BOB, CAROL, DOMAIN, Village, village


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Village]:
    async with village(tmp_path, msn={"join_timeout": 0.5, "step_timeout": 0.5}) as found:
        yield found


@pytest.fixture
async def alice(place: Village) -> AsyncIterator[LabDevice]:
    async with place.device() as device:
        yield device


async def refused(place: Village, device: LabDevice, target: str, peer: str) -> tuple[int, str, str]:
    """Alice asks for a session and gets none: the status, the words for her, and the reason in the trail."""
    before = {one.id for one in place.app.store.sessions("alice", peer)}
    with pytest.raises(Refused) as no:
        await device.invite(target)
    answer = answers(device, "INVITE")[-1]
    await place.until(lambda: {one.id for one in place.app.store.sessions("alice", peer)} - before)
    record = await session(place, peer, "closed")
    line = await place.line(record.id, "refused")
    assert line.what.startswith(record.reason)
    return no.value.status, answer.get("warning"), record.reason


def answers(device: LabDevice, method: str) -> list[Message]:
    """The final responses to this method."""
    found = [parse(entry.raw) for entry in device.journal.find("sip.in") if entry.what.startswith("SIP/2.0 ")]
    return [one for one in found if one.get("cseq").endswith(method) and one.status >= 200]


async def session(place: Village, peer: str, *states: str) -> SessionRecord:
    """The newest with this contact, once it is stored (in one of these states)."""

    def there() -> SessionRecord | None:
        found = place.app.store.sessions("alice", peer)[:1]
        return found[0] if found and (not states or found[0].state in states) else None

    record: SessionRecord = await place.until(there)
    return record


async def test_bob_is_offline(place: Village, alice: LabDevice) -> None:
    status, words, reason = await refused(place, alice, BOB, "bob")
    assert (status, reason) == (480, "offline")
    assert "offline" in words or "not online" in words


async def test_bob_is_unknown_to_msn(place: Village, alice: LabDevice) -> None:
    place.contact("Nobody", Address("msn", "nobody@msn.test"))
    status, words, reason = await refused(place, alice, "sip:nobody%40msn.test@cpm.test", "nobody")
    assert (status, reason) == (404, "unknown-address")
    assert "There is no nobody@msn.test" in words


async def test_bob_is_busy(place: Village, alice: LabDevice) -> None:
    await place.bob_signs_in("BSY")
    status, words, reason = await refused(place, alice, BOB, "bob")
    assert (status, reason) == (486, "busy")
    assert "busy" in words


async def test_bob_declines(place: Village, alice: LabDevice) -> None:
    await place.bob_signs_in()
    place.bob.calls = Calls.DECLINE
    chat = await alice.invite(BOB)  # MSN knows no refusal: he is in the window for a moment
    await chat.closed.wait()
    assert chat.close_reason.startswith("BYE received")
    await place.line((await session(place, "bob")).id, "closing", "left the conversation")


async def test_bob_does_not_answer(place: Village, alice: LabDevice) -> None:
    await place.bob_signs_in()
    place.bob.calls = Calls.IGNORE
    status, words, reason = await refused(place, alice, BOB, "bob")
    assert (status, reason) == (480, "no-answer")
    assert "did not answer" in words


async def test_msn_is_down(place: Village, alice: LabDevice) -> None:
    await place.msn.down()
    await place.until(lambda: place.app.messaging.connectors["msn"].health().state == "down")
    status, words, reason = await refused(place, alice, BOB, "bob")
    assert (status, reason) == (503, "network-down")
    assert answers(alice, "INVITE")[-1].get("retry-after")
    assert "MSN" in words


async def test_msn_says_nothing(place: Village, alice: LabDevice) -> None:
    await place.bob_signs_in()
    place.msn.faults.silent.add("CAL")
    status, words, reason = await refused(place, alice, BOB, "bob")
    assert (status, reason) == (504, "timeout")
    assert "did not answer the invitation" in words


async def test_the_password_of_her_account_is_wrong(tmp_path: Path) -> None:
    async with village(tmp_path, msn_password="not-hers", signed_in=False) as place, place.device() as alice:
        accounts = place.app.messaging.connectors["msn"].describe
        await place.until(lambda: "password" in str(accounts()).lower())
        status, words, _ = await refused(place, alice, BOB, "bob")
        assert status == 503
        assert "password" in words


async def test_she_has_no_account(place: Village) -> None:
    async with place.device("carol") as carol:
        with pytest.raises(Refused) as no:
            await carol.invite("sip:bob%40msn.test@cpm.test")
        assert no.value.status == 403
        assert "no account" in answers(carol, "INVITE")[-1].get("warning")


async def test_who_has_only_a_telephone_has_no_sessions_where_none_are_offered_by_text(
    place: Village, alice: LabDevice
) -> None:
    place.policy(text_sessions=TextSessions(offered=False))
    status, words, reason = await refused(place, alice, "tel:+12025550109", "tel:+12025550109")
    assert (status, reason) == (488, "not-acceptable")
    assert "send a message instead" in words


async def test_nobody_of_ours_has_that_name(place: Village, alice: LabDevice) -> None:
    status, _, reason = await refused(place, alice, f"sip:nobody@{DOMAIN}", f"sip:nobody@{DOMAIN}")
    assert (status, reason) == (404, "unknown-address")


async def test_carol_is_away_and_carol_is_busy(place: Village, alice: LabDevice) -> None:
    assert (await refused(place, alice, CAROL, CAROL))[::2] == (480, "offline")
    async with place.device("carol", auto_answer=False):
        assert (await refused(place, alice, CAROL, CAROL))[::2] == (486, "busy")


async def test_bob_leaves(place: Village, alice: LabDevice) -> None:
    await place.bob_signs_in()
    chat = await alice.invite(BOB)
    await chat.send("Hello")
    await place.bob.text("Hello")
    place.bob.chat.leave()
    await chat.closed.wait()
    assert chat.close_reason.startswith("BYE received")
    await place.line((await session(place, "bob")).id, "closing", "left the conversation")
    await place.line((await session(place, "bob")).id, "closed", "BYE 200")


async def test_a_switchboard_that_is_lost_is_opened_again_by_the_next_text(place: Village, alice: LabDevice) -> None:
    await place.bob_signs_in()
    chat = await alice.invite(BOB)
    place.msn.disconnect(kind="SB")
    assert (await chat.send("are you still there?"))[1] == 200
    await place.bob.text("are you still there?")
    assert not chat.closed.is_set()


async def test_bob_starts_one(place: Village, alice: LabDevice) -> None:
    await place.bob_signs_in()
    window = await place.bob.start_chat(ALICE_MSN)
    window.send("Are you there?")
    await alice.journal.wait("message", lambda e: e.what == "Are you there?")
    [chat] = alice.chats.values()
    assert (await chat.send("I am"))[1] == 200
    await place.bob.text("I am")
    window.typing()
    await alice.journal.wait("composing", lambda e: e.what == "active")
    assert await chat.close() == 200
    await place.line((await session(place, "bob")).id, "closed", "msn")
    assert (await session(place, "bob")).initiator == Address("msn", "bob@msn.test")


async def test_bob_starts_one_and_alice_is_busy_or_away(place: Village) -> None:
    """What he says is not lost: it comes as a message, now or when she is back."""
    await place.bob_signs_in()
    async with place.device(auto_answer=False) as busy:
        window = await place.bob.start_chat(ALICE_MSN)
        window.send("You are busy")
        await busy.journal.wait("message", lambda e: e.what == "You are busy")
        window.leave()
    await place.until(lambda: place.app.messaging.connectors["sip"].describe())
    window = await place.bob.start_chat(ALICE_MSN)
    window.send("You are away")
    await place.until(lambda: place.app.store.waiting("user:alice"))
    async with place.device() as back:
        await back.journal.wait("message", lambda e: e.what == "You are away")


async def test_a_message_by_itself_opens_a_window_and_the_answer_comes_back(place: Village, alice: LabDevice) -> None:
    await place.bob_signs_in()
    await place.prefer(networks=["msn"])
    sent = await alice.message(BOB, "just a word")
    assert sent.status == 202
    await place.bob.text("just a word")
    place.bob.chat.send("and one back")
    await alice.journal.wait("message", lambda e: e.what == "and one back")
    assert alice.chats == {}


async def test_a_text_that_the_session_could_not_carry_takes_another_way(place: Village, alice: LabDevice) -> None:
    """MSN says NAK: Bob gets it as SMS, and "delivered" is the word of his SMS centre."""
    await place.bob_signs_in()
    chat = await alice.invite(BOB)
    place.msn.faults.nak = True
    message_id, status = await chat.send("NAK on MSN")
    assert status == 200  # stored; what becomes of it is told
    await place.line(message_id, "retried", "NAK")
    assert (await place.phone.wait_text(0)).text == "NAK on MSN"
    await place.line(message_id, "delivered", "SMSC receipt")
    await alice.journal.wait("imdn", lambda e: e.facts["message_id"] == message_id and e.what == "delivered")


async def test_without_another_way_it_is_tried_again_and_never_called_delivered(
    place: Village, alice: LabDevice
) -> None:
    await place.bob_signs_in()
    await place.prefer(denied=["sms", "land"])
    chat = await alice.invite(BOB)
    place.msn.faults.nak = True
    message_id, status = await chat.send("at last")
    assert status == 200
    await place.line(message_id, "retried", "NAK")
    place.msn.faults.clear()
    await place.bob.text("at last")
    await place.line(message_id, "accepted", "switchboard ACK")
    assert [found.status for found in alice.imdns] == []


async def test_what_alice_hears_of_the_end_is_as_she_prefers(place: Village, alice: LabDevice) -> None:
    await place.bob_signs_in()
    for wish, told in (("none", False), ("errors", False), ("all", True)):
        await place.prefer(session_feedback=wish)
        chat = await alice.invite(BOB)
        standing = await session(place, "bob", "established")
        assert await chat.close() == 200
        line = await place.line(standing.id, "feedback")
        assert line.what.startswith("feedback to" if told else "no feedback to")
    await alice.journal.wait("message", lambda e: "has ended" in e.what)
    assert len(alice.inbox) == 1
