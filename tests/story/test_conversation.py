"""A person with several addresses is one conversation, with ids that a CPM device can follow (points 2 and 3)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from opencpm.lab.device import Entry, LabDevice
from opencpm.protocols.sip.message import Message, parse
from tests.story.village import ALICE, ALICE_MSN, BOB, BOB_MSN, BOB_NUMBER, CAROL, Village, village


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Village]:
    async with village(tmp_path) as found:
        await found.bob_signs_in()
        yield found


@pytest.fixture
async def alice(place: Village) -> AsyncIterator[LabDevice]:
    async with place.device() as device:
        yield device


def sip(device: LabDevice, kind: str, text: str) -> Message:
    """The request with this text, as it was on the device's wire."""
    [entry] = device.journal.find(kind, lambda e: e.what.startswith("MESSAGE") and text.encode() in e.raw)
    return parse(entry.raw)


async def heard(device: LabDevice, text: str) -> Entry:
    return await device.journal.wait("message", lambda e: e.what == text)


async def test_sms_msn_and_session_texts_are_one_conversation(place: Village, alice: LabDevice) -> None:
    """In Alice's list of conversations, and by Conversation-ID on her device."""
    talk = "conversation-of-alice-and-bob"
    await alice.message(BOB, "one, by SMS", conversation_id=talk)
    await place.phone.wait_text(0)
    place.phone.reply("two, by SMS")
    await heard(alice, "two, by SMS")
    chat = await alice.invite(BOB)
    await chat.send("three, in a session")
    place.bob.chat.send("four, in a session")
    await heard(alice, "four, in a session")
    await chat.close()
    await alice.message(f"sip:bob%40msn.test@{ALICE[10:]}", "five, by MSN", conversation_id=talk)
    await place.bob.text("five, by MSN")
    await place.until(lambda: place.bob.chat.peers)
    place.bob.chat.send("six, by MSN")
    await heard(alice, "six, by MSN")

    shown, *others = sorted(await place.api.get("/conversations"), key=lambda one: one["peer"]["name"] != "Bob")
    assert [one["peer"]["id"] for one in others] == ["cpm:service"]  # the word about the session's end
    history = await place.api.get(f"/conversations/{shown['peer']['id']}/messages")
    texts = [(m["direction"], m["text"].partition(",")[0]) for m in history["messages"]]
    words = ["one", "two", "three", "four", "five", "six"]
    assert texts == [("sent" if at % 2 == 0 else "received", word) for at, word in enumerate(words)]
    assert sip(alice, "sip.in", "two, by SMS").get("conversation-id") == talk
    assert sip(alice, "sip.in", "six, by MSN").get("conversation-id") == talk


async def test_an_answer_goes_where_bob_last_wrote_also_after_a_restart(tmp_path: Path) -> None:
    async with village(tmp_path) as place, place.device() as alice:
        await place.bob_signs_in()
        chat = await alice.invite(BOB)
        place.bob.chat.send("I am at my computer")
        await heard(alice, "I am at my computer")
        await chat.close()
        sent = await alice.message(BOB, "So I see")
        assert (await place.until_state(sent.message_id, "accepted")).network == "msn"
    async with village(tmp_path) as place, place.device() as alice:
        await place.bob_signs_in()
        sent = await alice.message(BOB, "Still there?")
        selected = await place.line(sent.message_id, "selected")
        assert "the other side last wrote from there" in selected.what
        assert (await place.until_state(sent.message_id, "accepted")).network == "msn"


async def test_a_reply_from_a_network_without_ids_names_what_it_answers(place: Village, alice: LabDevice) -> None:
    await alice.message(BOB, "Shall we?")
    await place.phone.wait_text(0)
    asked = sip(alice, "sip.out", "Shall we?")
    place.phone.reply("We shall.")
    await heard(alice, "We shall.")
    answered = sip(alice, "sip.in", "We shall.")
    assert answered.get("conversation-id") == asked.get("conversation-id")
    assert answered.get("inreplyto-contribution-id") == asked.get("contribution-id")
    assert answered.get("contribution-id") not in ("", asked.get("contribution-id"))


async def test_every_reply_has_a_contribution_of_its_own(place: Village, alice: LabDevice) -> None:
    await alice.message(BOB, "And?")
    await place.phone.wait_text(0)
    for text in ("reply one", "reply two"):
        place.phone.reply(text)
        await heard(alice, text)
    one, two = (sip(alice, "sip.in", text) for text in ("reply one", "reply two"))
    assert one.get("contribution-id") != two.get("contribution-id")
    assert one.get("conversation-id") == two.get("conversation-id")


async def test_the_conversation_of_a_stranger_stays_the_same(place: Village, alice: LabDevice) -> None:
    """Nobody has given an id: the server chooses one and keeps it, also over a restart."""
    stranger = place.mobile.handset("+12025550166")
    for text in ("who is this", "please tell me"):
        stranger.send(text, "+12025550100")
        await heard(alice, text)
    first, second = (sip(alice, "sip.in", text) for text in ("who is this", "please tell me"))
    assert first.get("conversation-id") == second.get("conversation-id") != ""
    assert first.get("p-asserted-identity").startswith("<tel:+12025550166>")


async def test_it_stays_the_same_over_a_restart(tmp_path: Path) -> None:
    said = []
    for text in ("before", "after"):
        async with village(tmp_path) as place, place.device() as alice:
            place.mobile.handset(BOB_NUMBER).send(text, "+12025550100")
            await heard(alice, text)
            said.append(sip(alice, "sip.in", text).get("conversation-id"))
    assert said[0] == said[1] != ""


async def test_between_two_devices_all_ids_are_kept(place: Village, alice: LabDevice) -> None:
    async with place.device("carol") as carol:
        sent = await alice.message(CAROL, "Hello Carol", message_id="mine-1", conversation_id="talk-1")
        assert sent.status == 202
        await heard(carol, "Hello Carol")
        out, came = sip(alice, "sip.out", "Hello Carol"), sip(carol, "sip.in", "Hello Carol")
        for name in ("conversation-id", "contribution-id"):
            assert came.get(name) == out.get(name) != ""
        assert came.get("p-asserted-identity").find(ALICE) > 0
        assert b"imdn.Message-ID: mine-1" in came.body
        assert out.body.partition(b"DateTime: ")[2][:24] == came.body.partition(b"DateTime: ")[2][:24]


async def test_a_session_between_two_devices_keeps_its_ids(place: Village, alice: LabDevice) -> None:
    async with place.device("carol") as carol:
        chat = await alice.invite(CAROL)
        _, status = await chat.send("in the session")
        assert status == 200
        await heard(carol, "in the session")
        [out] = alice.journal.find("sip.out", lambda e: e.what.startswith("INVITE"))
        [came] = carol.journal.find("sip.in", lambda e: e.what.startswith("INVITE"))
        for name in ("conversation-id", "contribution-id"):
            assert parse(came.raw).get(name) == parse(out.raw).get(name) != ""
        assert await chat.close() == 200
        await carol.journal.wait("closed")


async def test_alice_reaches_bob_under_every_spelling(place: Village, alice: LabDevice) -> None:
    spellings = [BOB, "sip:+12025550101@cpm.test;user=phone", "tel:+1-202-555-0101", "tel:2025550101"]
    spellings += ["sip:+1(202)5550101@cpm.test", "sip:bob%40msn.test@cpm.test"]
    for number, spelling in enumerate(spellings):
        assert (await alice.message(spelling, f"number {number}")).status == 202, spelling
    assert len(await place.api.get("/conversations")) == 1


async def test_who_calls_from_msn_is_the_same_bob(place: Village, alice: LabDevice) -> None:
    chat = await place.bob.start_chat(ALICE_MSN)
    chat.send("It is me")
    came = await heard(alice, "It is me")
    assert BOB_MSN.replace("@", "%40") in came.facts["sender"]
    [shown] = await place.api.get("/conversations")
    assert shown["peer"]["name"] == "Bob"
