"""Everything that can go wrong on a network ends as the settings ask, and the trail says so (points 4, 5 and 6)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from opencpm.domain.address import Address
from opencpm.lab.device import LabDevice, Sent
from opencpm.protocols.smpp.status import RINVBNDSTS, RINVDSTADR
from tests.story.village import ALICE_MSN, BOB, BOB_MSN, BOB_NUMBER, OFF, Village, village

MSN_ONLY = "sip:bob%40msn.test@cpm.test"


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Village]:
    msn = {"ack_timeout": 0.4, "step_timeout": 0.4, "join_timeout": 0.4}
    async with village(tmp_path, web=OFF, sms={"response_timeout": 0.3, "login_retry": 0.1}, msn=msn) as found:
        found.policy(order=("sms", "msn"), allowed=frozenset({"sms", "msn"}))
        yield found


@pytest.fixture
async def alice(place: Village) -> AsyncIterator[LabDevice]:
    async with place.device() as device:
        yield device


async def told(device: LabDevice, sent: Sent, status: str) -> None:
    await device.journal.wait("imdn", lambda e: e.facts["message_id"] == sent.message_id and e.what == status)


async def arrives_once(place: Village, device: LabDevice, text: str) -> Sent:
    """By SMS: on the phone once, and told to be delivered once."""
    sent = await device.message("tel:+12025550155", text)
    assert sent.status == 202
    await told(device, sent, "delivered")
    assert [one.text for one in place.mobile.handset("+12025550155").texts] == [text]
    assert [found.status for found in device.imdns if found.message_id == sent.message_id] == ["delivered"]
    return sent


# -- the SMS centre


@pytest.mark.parametrize("fault", ["throttle", "queue_full"])
async def test_it_is_too_fast_for_the_sms_centre(place: Village, alice: LabDevice, fault: str) -> None:
    place.mobile.handset("+12025550155")
    setattr(place.mobile.faults, fault, 1)
    await arrives_once(place, alice, "slowly then")


async def test_the_sms_centre_does_not_answer_once(place: Village, alice: LabDevice) -> None:
    """It may have arrived; it is sent again and both is said."""
    place.mobile.handset("+12025550155")
    place.mobile.faults.no_response = 1
    sent = await arrives_once(place, alice, "hello?")
    await place.line(sent.message_id, "retried", "timeout", "not known")
    await place.line(sent.message_id, "accepted", "an earlier attempt may have arrived as well")


async def test_the_sms_centre_is_slow(place: Village, alice: LabDevice) -> None:
    place.mobile.handset("+12025550155")
    place.mobile.faults.delay = 0.15
    sent = await arrives_once(place, alice, "take your time")
    assert not [one for one in place.trail(sent.message_id) if one.step == "retried"]


async def test_the_link_breaks_while_messages_are_under_way(place: Village, alice: LabDevice) -> None:
    phone = place.mobile.handset("+12025550155")
    place.mobile.faults.no_response = 3
    texts = [f"number {n}" for n in range(3)]
    sent = [await alice.message("tel:+12025550155", text) for text in texts]
    await place.until(lambda: place.mobile.faults.no_response == 0)
    await place.mobile.disconnect()
    for one in sent:
        await told(alice, one, "delivered")
        await place.line(one.message_id, "retried", "no response")
    assert sorted(text.text for text in phone.texts) == texts


async def test_a_number_the_network_does_not_know(place: Village, alice: LabDevice) -> None:
    """Final on SMS: no second try there; Bob's other network gets it, and who has none is a failure."""
    place.mobile.refuse("+12025550155", RINVDSTADR)
    sent = await alice.message("tel:+12025550155", "in vain")
    await told(alice, sent, "failed")
    await place.line(sent.message_id, "failed", "unknown-address")
    assert len(place.mobile.log.of("submit_sm")) == 1
    place.mobile.refuse(BOB_NUMBER, RINVDSTADR)
    await place.bob_signs_in()
    await alice.message(BOB, "by MSN then")
    await place.bob.text("by MSN then")


async def test_it_gives_up_after_so_many_attempts(place: Village, alice: LabDevice) -> None:
    place.policy(limits=replace(place.app.messaging.policy.limits, attempts=3))
    place.mobile.refuse("+12025550155", 0x45)  # ESME_RSUBMITFAIL: worth another try
    sent = await alice.message("tel:+12025550155", "again and again")
    await told(alice, sent, "failed")
    assert len(place.mobile.log.of("submit_sm")) == 3
    assert len([one for one in place.trail(sent.message_id) if one.step == "retried"]) == 2


async def test_the_account_at_the_sms_centre_is_refused_for_a_while(place: Village, alice: LabDevice) -> None:
    place.mobile.faults.refuse_bind = RINVBNDSTS
    await place.mobile.disconnect()
    await place.until(lambda: place.app.messaging.connectors["sms"].health().state == "down")
    sent = await alice.message("tel:+12025550155", "kept")
    assert sent.status == 202
    await place.line(sent.message_id, "deferred", "kept until SMS can take it")
    place.mobile.faults.clear()
    await told(alice, sent, "delivered")


# -- MSN


async def on_msn(place: Village, device: LabDevice, text: str) -> Sent:
    sent = await device.message(MSN_ONLY, text)
    assert sent.status == 202
    return sent


@pytest.fixture
async def only_msn(place: Village) -> None:
    """Bob, and to Alice he is nothing but his MSN address."""
    place.policy(allowed=frozenset({"msn"}))
    await place.bob_signs_in()


@pytest.mark.usefixtures("only_msn")
async def test_msn_is_down_and_comes_back(place: Village, alice: LabDevice) -> None:
    await place.msn.down()
    await place.until(lambda: place.app.messaging.connectors["msn"].health().state == "down")
    sent = await on_msn(place, alice, "kept")
    await place.line(sent.message_id, "deferred", "MSN")
    await place.msn.up()
    await place.bob.sign_in()
    await place.bob.text("kept")
    await place.until_state(sent.message_id, "accepted")
    assert [line.text for chat in place.bob.chats for line in chat.lines] == ["kept"]


@pytest.mark.usefixtures("only_msn")
async def test_msn_is_slow(place: Village, alice: LabDevice) -> None:
    place.msn.faults.delay = 0.1
    sent = await on_msn(place, alice, "slowly")
    await place.bob.text("slowly")
    await place.until_state(sent.message_id, "accepted")


@pytest.mark.usefixtures("only_msn")
@pytest.mark.parametrize("fault", ["nak", "swallow"])
async def test_msn_does_not_take_it(place: Village, alice: LabDevice, fault: str) -> None:
    setattr(place.msn.faults, fault, True)
    sent = await on_msn(place, alice, "at last")
    await place.line(sent.message_id, "retried", "NAK" if fault == "nak" else "did not confirm")
    place.msn.faults.clear()
    await place.bob.text("at last")
    await place.until_state(sent.message_id, "accepted")
    assert alice.imdns == []


@pytest.mark.usefixtures("only_msn")
async def test_msn_does_not_answer(place: Village, alice: LabDevice) -> None:
    place.msn.faults.silent.update({"XFR", "CAL"})
    sent = await on_msn(place, alice, "hello?")
    await place.line(sent.message_id, "retried")
    place.msn.faults.clear()
    await place.bob.text("hello?")


@pytest.mark.usefixtures("only_msn")
async def test_everything_of_msn_is_cut_off(place: Village, alice: LabDevice) -> None:
    await on_msn(place, alice, "before")
    await place.bob.text("before")
    place.msn.disconnect()
    sent = await on_msn(place, alice, "after")
    await place.until(lambda: not place.bob.online)
    await place.bob.sign_in()
    await place.bob.text("after")
    await place.until_state(sent.message_id, "accepted")


@pytest.mark.usefixtures("only_msn")
async def test_bob_goes_and_comes(place: Village, alice: LabDevice) -> None:
    await place.bob.sign_out()
    reach = place.app.messaging.connectors["msn"].reach
    await place.until(lambda: reach("alice", Address("msn", BOB_MSN)).availability == "offline")
    texts = [f"number {n}" for n in range(3)]
    sent = [await on_msn(place, alice, text) for text in texts]
    await place.line(sent[0].message_id, "deferred", "online on MSN")
    await place.bob.sign_in()
    await place.bob.text("number 2")
    assert [it.text for it in place.bob.happened.all if it.what == "text"] == texts


async def test_the_password_on_msn_is_wrong_and_then_right(tmp_path: Path) -> None:
    """Waiting would not help: Alice is told at once, with what to do about it; then it goes."""
    async with village(tmp_path, web=OFF, msn_password="not-hers", signed_in=False) as place, place.device() as alice:
        place.policy(allowed=frozenset({"msn"}))
        describe = place.app.messaging.connectors["msn"].describe
        await place.until(lambda: "password" in str(describe()).lower())
        await place.bob.sign_in()
        sent = await on_msn(place, alice, "too early")
        await told(alice, sent, "failed")
        await place.line(sent.message_id, "failed", "authentication", "link the account again")
        right = place.msn.account(ALICE_MSN).password
        place.app.directory.link_account("alice", "msn", Address("msn", ALICE_MSN), right)
        await place.until(lambda: place.msn.is_online(ALICE_MSN))
        await on_msn(place, alice, "once it is mended")
        assert await place.bob.text() == "once it is mended"
