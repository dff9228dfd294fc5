"""One message to several people, and several media in one message (points 2 and 3)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from opencpm.domain.address import Address, tel
from opencpm.lab.device import Entry, LabDevice
from opencpm.lab.http import ApiError
from opencpm.protocols import cpim, resource_lists
from opencpm.protocols.mime import Part, build_multipart
from opencpm.protocols.sip.message import Message, parse
from tests.story.village import BOB, BOB_MSN, CAROL, DOMAIN, Village, raw, village

NOBODY = f"sip:nobody@{DOMAIN}"
EVERYBODY = f"sip:list@{DOMAIN}"
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(256))


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Village]:
    async with village(tmp_path) as found:
        await found.bob_signs_in()
        yield found


@pytest.fixture
async def alice(place: Village) -> AsyncIterator[LabDevice]:
    async with place.device() as device:
        yield device


def text(said: str, message_id: str) -> bytes:
    wants = ("positive-delivery", "negative-delivery")
    when = "2026-03-01T12:00:00Z"
    return cpim.compose(said.encode(), "text/plain", message_id=message_id, datetime=when, dispositions=wants)


async def to_list(device: LabDevice, receivers: list[str], body: bytes) -> Message:
    listed = resource_lists.build([resource_lists.Entry(uri) for uri in receivers])
    where = (("Content-Type", "application/resource-lists+xml"), ("Content-Disposition", "recipient-list"))
    whole = build_multipart([Part(where, listed), Part((("Content-Type", "message/cpim"),), body)], "cut")
    fields = ("Require", "recipient-list-message")
    return await raw(device, EVERYBODY, 'multipart/mixed;boundary="cut"', whole, fields)


def saying(wanted: str) -> Callable[[Entry], bool]:
    return lambda entry: entry.what == wanted


def told(device: LabDevice) -> dict[str, str]:
    """What the device was told, by receiver."""
    return {str(found.recipient_uri): found.status for found in device.imdns}


async def test_one_list_three_networks_and_one_bad_address(place: Village, alice: LabDevice) -> None:
    async with place.device("carol") as carol:
        receivers = ["tel:+12025550101", CAROL, "sip:bob%40msn.test@cpm.test", NOBODY]
        place.contact("Bob", tel("+12025550101"))  # on MSN he is somebody else to her
        response = await to_list(alice, receivers, text("to all of you", "list-1"))
        assert response.status == 202
        await carol.journal.wait("message", lambda e: e.what == "to all of you")
        assert await place.bob.text() == "to all of you"
        assert (await place.phone.wait_text(0)).text == "to all of you"
        await place.until(lambda: len(alice.imdns) >= 3)
    assert told(alice) == {"tel:+12025550101": "delivered", CAROL: "delivered", NOBODY: "failed"}
    assert {found.message_id for found in alice.imdns} == {"list-1"}
    await place.until(lambda: all(record.state != "sending" for record in place.records("list-1")))
    states = {str(record.recipient): (record.network, record.state.value) for record in place.records("list-1")}
    assert states == {
        "tel:+12025550101": ("sms", "delivered"),
        CAROL: ("sip", "delivered"),
        f"im:{BOB_MSN}": ("msn", "accepted"),
        NOBODY: ("", "failed"),
    }
    assert "unknown-address" in (await place.line("list-1", "failed")).what


async def test_a_list_of_bad_addresses_alone_is_refused(place: Village, alice: LabDevice) -> None:
    response = await to_list(alice, [NOBODY, f"sip:neither@{DOMAIN}"], text("to nobody", "list-2"))
    assert response.status == 404
    assert len([one for one in place.trail("list-2") if one.step == "refused"]) == 2


async def test_somebody_listed_twice_gets_it_once(place: Village, alice: LabDevice) -> None:
    receivers = [BOB, "sip:+12025550101@cpm.test;user=phone", "tel:+1-202-555-0101", "tel:2025550101"]
    assert (await to_list(alice, receivers, text("once", "list-3"))).status == 202
    await place.until_state("list-3", "delivered")
    assert [one.text for one in place.phone.texts] == ["once"]


async def test_a_list_over_the_api(place: Village, alice: LabDevice) -> None:
    sent = await place.api.post("/messages", {"to": [BOB, NOBODY], "text": "to both"})
    await place.phone.wait_text(0)
    await place.until_state(sent["message_id"], "delivered")
    shown = await place.api.get(f"/messages/{sent['id']}")
    assert {one["recipient"]: one["state"] for one in shown["deliveries"]} == {BOB: "delivered", NOBODY: "failed"}


def album(message_id: str) -> bytes:
    parts = [
        Part((("Content-Type", "text/plain;charset=UTF-8"),), "Look, a café".encode()),
        Part(
            (("Content-Type", "image/png"), ("Content-Disposition", 'attachment; filename="cafe.png"')),
            PICTURE,
        ),
    ]
    return cpim.compose(
        build_multipart(parts, "inner"),
        'multipart/mixed;boundary="inner"',
        message_id=message_id,
        datetime="2026-03-01T12:00:00Z",
        dispositions=("positive-delivery", "negative-delivery"),
    )


async def test_text_and_picture_reach_a_cpm_device_whole(place: Village, alice: LabDevice) -> None:
    async with place.device("carol") as carol:
        assert (await raw(alice, CAROL, "message/cpim", album("album-1"))).status == 202
        await carol.journal.wait("message", lambda e: e.facts["message_id"] == "album-1")
        (heard,) = carol.inbox
        (picture,) = heard.media
        assert (heard.text, picture.decoded()) == ("Look, a café", PICTURE)
        assert picture.get("Content-Disposition") == 'attachment; filename="cafe.png"'


async def test_text_and_picture_are_not_sent_by_sms_as_if_they_were_a_text(place: Village, alice: LabDevice) -> None:
    place.policy(link_lifetime=0)
    refused = await raw(alice, "tel:+12025550109", "message/cpim", album("album-2"))
    assert refused.status == 415
    assert "SMS carries text only" in refused.get("warning")
    assert "text/plain" in refused.get("accept")
    assert "image/png" in (await place.line("album-2", "received")).what
    assert "SMS carries text only" in (await place.line("album-2", "refused")).what
    assert place.mobile.taken == place.land.taken == 0


async def test_text_and_picture_go_by_sms_as_a_link(place: Village, alice: LabDevice) -> None:
    assert (await raw(alice, BOB, "message/cpim", album("album-3"))).status == 202
    text = (await place.phone.wait_text(0)).text
    assert text.startswith("Look, a café\nhttp://127.0.0.1:")
    assert "as a text with a link" in (await place.line("album-3", "selected")).data
    assert place.mobile.taken == 1


async def test_the_api_says_the_same(place: Village) -> None:
    place.policy(link_lifetime=0)
    parts = [{"text": "Look"}, {"content_type": "image/png", "body": "iVBORw0K"}]
    with pytest.raises(ApiError) as refused:
        await place.api.post("/messages", {"to": [BOB], "parts": parts})
    assert (refused.value.status, refused.value.problem["reason"]) == (415, "unsupported-media")
    trail = await place.api.get(f"/messages/{refused.value.problem['message']}/trail")
    assert [line["step"] for line in trail["trail"]] == ["received", "refused"]


async def test_a_plain_client_gets_the_text_with_a_link_and_the_loss_is_said(place: Village, alice: LabDevice) -> None:
    async with place.absent("carol") as carol:
        carol.services = ()
        await _registers_as_a_plain_client(carol)
        assert (await raw(alice, CAROL, "message/cpim", album("album-4"))).status == 202
        entry = await carol.journal.wait("sip.in", lambda e: e.what.startswith("MESSAGE"))
        request = parse(entry.raw)
        assert request.get("content-type").startswith("text/plain")
        assert request.body.decode().startswith("Look, a café\nhttp://127.0.0.1:")
        await place.line("album-4", "delivered", "as a text with a link")


async def test_two_texts_in_one_message_are_one_sms(place: Village, alice: LabDevice) -> None:
    parts = [Part((("Content-Type", "text/plain"),), said) for said in (b"one", b"two")]
    body = cpim.compose(
        build_multipart(parts, "b"), "multipart/mixed;boundary=b", message_id="two-1", datetime="2026-03-01T12:00:00Z"
    )
    assert (await raw(alice, BOB, "message/cpim", body)).status == 202
    assert (await place.phone.wait_text(0)).text == "one\ntwo"


async def test_a_message_to_carol_on_two_addresses_is_hers_once_each(place: Village, alice: LabDevice) -> None:
    """Her sip and tel address are hers both: she is one person in Alice's list of conversations."""
    place.contact("Carol", Address("sip", CAROL[4:]), tel("+12025550102"))
    async with place.device("carol") as carol:
        for number, target in enumerate((CAROL, "tel:+12025550102")):
            await alice.message(target, f"to you {number}")
            await carol.journal.wait("message", saying(f"to you {number}"))
    assert [one["peer"]["name"] for one in await place.api.get("/conversations")] == ["Carol"]


async def _registers_as_a_plain_client(device: LabDevice) -> None:
    fields = [
        ("Max-Forwards", "70"),
        ("From", f"<{device.identity}>;tag=plain"),
        ("To", f"<{device.identity}>"),
        ("Call-ID", "plain-client"),
        ("CSeq", "1 REGISTER"),
        ("Contact", f"<{device.agent.contact}>;expires=600"),
    ]
    _, response = await device.agent.request("REGISTER", f"sip:{DOMAIN}", fields)
    assert response.status == 200
