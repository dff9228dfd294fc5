"""What became of a message: delivered, displayed and failed, both ways, and never more than is known (point 3, 4)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from opencpm.lab.device import LabDevice, Sent
from opencpm.lab.smsc import Coverage, ReceiptStyle
from opencpm.protocols import cpim, imdn
from opencpm.protocols.sip.message import parse
from tests.story.village import ALICE, BOB, CAROL, OFF, Village, raw, village

NOW = "2026-03-01T12:00:00Z"


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Village]:
    async with village(tmp_path, web=OFF) as found:
        yield found


@pytest.fixture
async def alice(place: Village) -> AsyncIterator[LabDevice]:
    async with place.device() as device:
        yield device


@pytest.fixture
async def carol(place: Village) -> AsyncIterator[LabDevice]:
    async with place.device("carol") as device:
        yield device


async def hears(device: LabDevice, sent: Sent, status: str) -> imdn.Imdn:
    """The notification of this status about a message."""
    await device.journal.wait("imdn", lambda e: e.what == status and e.facts["message_id"] == sent.message_id)
    return next(one for one in device.imdns if (one.message_id, one.status) == (sent.message_id, status))


def statuses(device: LabDevice, sent: Sent) -> list[str]:
    return [one.status for one in device.imdns if one.message_id == sent.message_id]


async def nothing_more_comes(place: Village, device: LabDevice) -> None:
    """Whatever was to be told before has been told: a message to oneself takes the same way."""
    await device.message(device.identity, "the last word", wants=())
    await device.journal.wait("message", lambda e: e.what == "the last word")


# -- between two CPM devices


async def test_delivered_and_displayed_both_ways(place: Village, alice: LabDevice, carol: LabDevice) -> None:
    for sender, receiver in ((alice, carol), (carol, alice)):
        sent = await sender.message(receiver.identity, "Hello")
        await receiver.journal.wait("message")
        told = await hears(sender, sent, "delivered")
        assert (told.kind, told.recipient_uri) == ("delivery", receiver.identity)
        assert await receiver.displayed(receiver.inbox[0]) in (200, 202)
        await hears(sender, sent, "displayed")
        assert statuses(sender, sent) == ["delivered", "displayed"]
        assert (await place.until_state(sent.message_id, "displayed", sender=sender.identity)).state == "displayed"


async def test_only_what_was_asked_for_is_told(place: Village, alice: LabDevice, carol: LabDevice) -> None:
    for number, wants in enumerate([(), ("display",), ("positive-delivery",), ("negative-delivery",)]):
        sent = await alice.message(CAROL, f"number {number}", wants=wants)
        await carol.journal.wait("message", lambda e: len(carol.inbox) > number)  # noqa: B023
        await carol.displayed(carol.inbox[-1])
        await nothing_more_comes(place, alice)
        assert statuses(alice, sent) == {1: ["displayed"], 2: ["delivered"]}.get(number, [])


async def test_carol_does_not_tell_what_she_has_read(place: Village, alice: LabDevice, carol: LabDevice) -> None:
    subscriber = place.app.directory.subscriber("carol")
    assert subscriber is not None
    place.app.directory.set_preferences("carol", replace(subscriber.preferences, display_reports=False))
    sent = await alice.message(CAROL, "read this")
    await carol.journal.wait("message")
    await carol.displayed(carol.inbox[0])
    await nothing_more_comes(place, alice)
    assert statuses(alice, sent) == ["delivered"]


async def test_a_device_that_refuses_is_a_failure(place: Village, alice: LabDevice, carol: LabDevice) -> None:
    respond = carol.agent.respond

    def refuse(transaction, request, status, *args, **more):  # type: ignore[no-untyped-def]
        respond(transaction, request, 403 if request.method == "MESSAGE" else status)

    carol.agent.respond = refuse  # type: ignore[method-assign]
    carol.auto_delivered = False
    sent = await alice.message(CAROL, "take this")
    assert sent.status == 202
    told = await hears(alice, sent, "failed")
    assert told.recipient_uri == CAROL
    assert "The device answered: Forbidden" in (await place.line(sent.message_id, "failed")).what
    await nothing_more_comes(place, alice)
    assert statuses(alice, sent) == ["failed"]


async def test_nobody_else_can_speak_for_carol(place: Village, alice: LabDevice) -> None:
    """Alice herself says that Carol has read it: it is about Carol's copy and comes from somebody else."""
    sent = await alice.message(CAROL, "not delivered yet")
    body = imdn.build(imdn.Imdn(sent.message_id, NOW, "display", "displayed"))
    wrapped = cpim.compose(body, imdn.CONTENT_TYPE, message_id="lie", datetime=NOW)
    assert (await raw(alice, ALICE, "message/cpim", wrapped)).status in (200, 202)
    await nothing_more_comes(place, alice)
    assert statuses(alice, sent) == []
    assert place.records(sent.message_id)[0].state == "queued"


# -- from SMS

STYLES = {
    "same hex": ReceiptStyle(),
    "early": ReceiptStyle(early=True),
    "hex then decimal": ReceiptStyle(response="hex", receipt="decimal"),
    "early, hex then decimal": ReceiptStyle(response="hex", receipt="decimal", early=True),
    "decimal then hex": ReceiptStyle(response="decimal", receipt="hex"),
    "upper case, padded": ReceiptStyle(response="HEX", receipt="padded"),
    "parameters only, early, decimal": ReceiptStyle(
        response="hex", receipt="decimal", text=False, tlvs=True, early=True
    ),
    "on its way first": ReceiptStyle(enroute=True),
}


@pytest.mark.parametrize("style", STYLES.values(), ids=STYLES)
async def test_a_receipt_in_every_dialect_reaches_the_device(
    place: Village, alice: LabDevice, style: ReceiptStyle
) -> None:
    place.mobile.style = style
    sent = await alice.message(BOB, "one")
    long = await alice.message(BOB, "two " * 80)
    for one in (sent, long):
        told = await hears(alice, one, "delivered")
        assert told.recipient_uri == BOB
    await nothing_more_comes(place, alice)
    assert statuses(alice, sent) == statuses(alice, long) == ["delivered"]
    assert "SMSC receipt" in (await place.line(sent.message_id, "delivered")).what


async def test_the_phone_is_off_and_the_receipt_is_late(place: Village, alice: LabDevice) -> None:
    place.phone.coverage = Coverage.OFF
    sent = await alice.message(BOB, "when you can")
    await place.until_state(sent.message_id, "accepted")
    await nothing_more_comes(place, alice)
    assert statuses(alice, sent) == []
    place.phone.coverage = Coverage.ON
    await hears(alice, sent, "delivered")


async def test_the_receipt_comes_after_a_restart(tmp_path: Path) -> None:
    """From an SMS centre that lives on; and Alice's device, away meanwhile, hears of it."""
    async with village(tmp_path, web=OFF) as place, place.device() as alice:
        place.mobile.style = ReceiptStyle(response="hex", receipt="decimal")
        place.phone.coverage = Coverage.OFF
        sent = await alice.message(BOB, "over the restart")
        await place.until_state(sent.message_id, "accepted")
        carried = place.mobile
        [(_, short, number)] = carried._stored[BOB[5:]]
    async with village(tmp_path, web=OFF) as place, place.device() as alice:
        place.mobile.style = ReceiptStyle(response="hex", receipt="decimal")
        [connection] = place.mobile._connections
        place.mobile.carry(connection, short, number)
        connection.link.wake()
        await hears(alice, sent, "delivered")


@pytest.mark.parametrize("early", [False, True])
async def test_undeliverable_is_told_as_failed(place: Village, alice: LabDevice, early: bool) -> None:
    place.mobile.style = ReceiptStyle(early=early)
    place.mobile.undeliverable(BOB[4:])
    sent = await alice.message(BOB, "in vain")
    assert sent.status == 202
    told = await hears(alice, sent, "failed")
    assert told.recipient_uri == BOB
    await nothing_more_comes(place, alice)
    assert statuses(alice, sent) == ["failed"]
    assert "undeliverable" in (await place.line(sent.message_id, "failed")).what


async def test_the_network_took_it_is_told_to_whoever_asks_for_that(place: Village, alice: LabDevice) -> None:
    place.phone.coverage = Coverage.OFF
    sent = await alice.message(BOB, "taken", wants=("interworking", "positive-delivery"))
    told = await hears(alice, sent, "legacy-sms")
    assert told.kind == "interworking"
    assert statuses(alice, sent) == ["legacy-sms"]


async def test_without_receipts_nothing_is_ever_called_delivered(tmp_path: Path) -> None:
    async with village(tmp_path, web=OFF, sms={"receipts": "never"}) as place, place.device() as alice:
        sent = await alice.message(BOB, "no receipt")
        await place.phone.wait_text(0)
        await place.until_state(sent.message_id, "accepted")
        await nothing_more_comes(place, alice)
        assert statuses(alice, sent) == []


async def test_msn_took_it_and_that_is_all_we_know(place: Village, alice: LabDevice) -> None:
    await place.bob_signs_in()
    place.policy(allowed=frozenset({"msn"}))
    sent = await alice.message(BOB, "by MSN")
    await place.bob.text("by MSN")
    await place.until_state(sent.message_id, "accepted")
    await nothing_more_comes(place, alice)
    assert statuses(alice, sent) == []


# -- repetitions


async def test_a_repeated_message_id_is_stored_once_also_over_a_restart(tmp_path: Path) -> None:
    async with village(tmp_path, web=OFF) as place, place.device() as alice:
        for _ in range(2):
            assert (await alice.message(BOB, "once", message_id="same-1")).status == 202
        await hears(alice, Sent("same-1", "", 0, ""), "delivered")
        assert [one.text for one in place.phone.texts] == ["once"]
    async with village(tmp_path, web=OFF) as place, place.device() as alice:
        assert (await alice.message(BOB, "once", message_id="same-1")).status == 202
        assert (await alice.message(BOB, "another", message_id="same-2")).status == 202
        assert (await place.phone.wait_text(0)).text == "another"
        assert [one.text for one in place.phone.texts] == ["another"]
        assert len(place.app.store.history("alice", "bob")) == 2


async def test_the_same_message_id_of_somebody_else_is_another_message(
    place: Village, alice: LabDevice, carol: LabDevice
) -> None:
    await alice.message(CAROL, "from Alice", message_id="same-3")
    await carol.message(ALICE, "from Carol", message_id="same-3")
    await asyncio.gather(alice.journal.wait("message"), carol.journal.wait("message"))
    assert ([one.text for one in alice.inbox], [one.text for one in carol.inbox]) == (["from Carol"], ["from Alice"])


async def test_the_notification_is_a_message_of_its_own(place: Village, alice: LabDevice) -> None:
    """With a Message-ID of its own, the original's date, and in its conversation."""
    sent = await alice.message(BOB, "and this?", conversation_id="talk-9")
    await hears(alice, sent, "delivered")
    [entry] = alice.journal.find("sip.in", lambda e: e.what.startswith("MESSAGE"))
    request = parse(entry.raw)
    body = cpim.parse(request.body)
    assert body.message_id not in ("", sent.message_id)
    assert body.content_header("Content-Disposition") == "notification"
    assert request.get("conversation-id") == "talk-9"
    assert imdn.parse(body.content).datetime != ""
