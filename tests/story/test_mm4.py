"""MMS between our server and another MMS centre, over SMTP, with CPM devices at one end and phones at the other."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from opencpm.app import build
from opencpm.app.people import opened
from opencpm.app.server import App
from opencpm.domain.address import Address, tel
from opencpm.domain.message import Disposition, Message, Part, message_ident, text_part
from opencpm.interfaces import DeliveryRecord
from opencpm.lab.device import LabDevice
from opencpm.lab.mm4 import Handset, LabMm4, Quirks
from opencpm.lab.mm4.faults import RECORDED
from opencpm.protocols.mime import media_type
from opencpm.protocols.mms.content import part_of
from opencpm.settings import parse
from tests.interworking.sms.support import eventually

ALICE, ALICE_NUMBER, BOB_NUMBER, PASSWORD = "sip:alice@cpm.test", "+12025550100", "+12025550101", "alice-knows"
BOB = f"tel:{BOB_NUMBER}"


class House:
    def __init__(self, app: App, mmsc: LabMm4) -> None:
        self.app, self.mmsc = app, mmsc

    @property
    def bob(self) -> Handset:
        return self.mmsc.handset(BOB_NUMBER)

    @asynccontextmanager
    async def device(self) -> AsyncIterator[LabDevice]:
        where = self.app.endpoints["sip"]["tcp"]
        async with LabDevice(ALICE, PASSWORD, where, transport="TCP") as device:
            assert await device.register() == 200
            yield device

    def record(self, message_id: str, sender: str = ALICE) -> DeliveryRecord | None:
        found = self.app.store.deliveries_of(message_ident(Address.parse(sender), message_id))
        return found[0] if found else None

    def trail(self, ident: str) -> list[str]:
        return [entry.what for entry in self.app.store.trail(ident)]


@asynccontextmanager
async def house(folder: Path, mmsc: LabMm4, **more: Any) -> AsyncIterator[House]:
    network = {
        "type": "mm4",
        "domain": "mms.cpm.test",
        "listen_port": 0,
        "peers": [{"name": "lab", "domain": mmsc.domain, "port": mmsc.address[1]}],
        "retry_min": 0.02,
        **more,
    }
    values = {
        "domain": "cpm.test",
        "secret_key": "k" * 32,
        "data_dir": str(folder / "data"),
        "sip": {"udp_port": 0, "tcp_port": 0, "msrp_port": 0},
        "web": {"enabled": False},
        "policy": {
            "order": ["mms"],
            "home_region": "US",
            "retry_schedule": [0.05],
            "limits": {"message_bytes": 20_000_000},
        },
        "networks": {"mms": network},
    }
    settings = parse(values, folder)
    async with opened(settings) as (_, people):
        if people.subscriber("alice") is None:
            people.add_user("alice", "Alice", PASSWORD, [Address("sip", "alice@cpm.test"), tel(ALICE_NUMBER)])
    async with build(settings).running() as app:
        mmsc.reach(*app.endpoints["mms"]["smtp"])
        yield House(app, mmsc)


async def heard(device: LabDevice, message_id: str, what: str) -> None:
    await device.journal.wait("imdn", lambda e: e.what == what and e.facts["message_id"] == message_id)


@pytest.mark.parametrize("quirks", [Quirks(), RECORDED], ids=["by the book", "as recorded"])
async def test_a_text_by_mms_and_the_word_of_its_delivery(tmp_path: Path, quirks: Quirks) -> None:
    async with LabMm4(quirks=quirks) as mmsc, house(tmp_path, mmsc) as here, here.device() as alice:
        sent = await alice.message(BOB, "Grüße 😀")
        assert sent.status == 202
        await heard(alice, sent.message_id, "delivered")
        mms = await here.bob.wait_mms()
        assert (mms.text, mms.sender) == ("Grüße 😀", ALICE_NUMBER)
        record = here.record(sent.message_id)
        assert record is not None
        assert any("MM4_forward.RES: Ok from lab" in what for what in here.trail(record.message.id))
        assert any("MM4_delivery_report: Retrieved" in what for what in here.trail(record.message.id))


async def test_a_read_report_reaches_alice_where_the_operator_trusts_it(tmp_path: Path) -> None:
    async with (
        LabMm4() as mmsc,
        house(tmp_path, mmsc, read_to_display=True) as here,
        here.device() as alice,
    ):
        sent = await alice.message(BOB, "Hello", wants=("positive-delivery", "display"))
        await heard(alice, sent.message_id, "delivered")
        here.bob.read(await here.bob.wait_mms())
        await heard(alice, sent.message_id, "displayed")


async def test_a_photograph_is_made_to_fit_the_phone(tmp_path: Path) -> None:
    """4000×3000 pixels leave; what the phone gets is at most its class."""
    out = BytesIO()
    Image.radial_gradient("L").resize((4000, 3000)).convert("RGB").save(out, "JPEG", quality=90)
    sender = Address("sip", "alice@cpm.test")
    message = Message(
        id=message_ident(sender, "photo"),
        message_id="photo",
        sender=sender,
        recipients=(tel(BOB_NUMBER),),
        parts=(text_part("look"), Part("image/jpeg", out.getvalue(), "photo.jpg")),
        sent_at=time.time(),
        received_at=time.time(),
        origin="sip",
        wants=Disposition.POSITIVE_DELIVERY,
    )
    verdicts: list[Any] = []
    async with LabMm4() as mmsc, house(tmp_path, mmsc, content_class="image-rich") as here:
        here.app.messaging.received([message], verdicts.extend)
        mms = await here.bob.wait_mms(patience=30.0)
        assert verdicts == [None]
        (picture,) = mms.media
        image = Image.open(BytesIO(picture.body))
        assert max(image.size) <= 640
        assert len(picture.body) <= 100 * 1024
        assert mms.text == "look"
        await eventually(lambda: _state(here, "photo") == "delivered")
        assert any("4000×3000" in what for what in here.trail(message.id)), here.trail(message.id)


async def test_a_picture_of_the_phone_reaches_the_device_and_the_phone_is_told(tmp_path: Path) -> None:
    async with LabMm4() as mmsc, house(tmp_path, mmsc) as here, here.device() as alice:
        sent = here.bob.send(["let us talk"], to=ALICE_NUMBER)
        entry = await alice.journal.wait("message")
        assert entry.what == "let us talk"
        await eventually(lambda: sent.status == "Ok" and sent.delivery == ["Retrieved"])
        assert sent.read == []


async def test_alice_has_read_it_and_both_sides_want_that_said(tmp_path: Path) -> None:
    async with LabMm4() as mmsc, house(tmp_path, mmsc, display_to_read=True) as here, here.device() as alice:
        sent = here.bob.send(["let us talk"], to=ALICE_NUMBER)
        await alice.journal.wait("message")
        assert await alice.displayed(alice.inbox[0]) in (200, 202)
        await eventually(lambda: sent.read == ["Read"])
        assert sent.delivery == ["Retrieved"]


async def test_a_picture_alone_is_taken_and_kept(tmp_path: Path) -> None:
    out = BytesIO()
    Image.new("RGB", (64, 48), "teal").save(out, "JPEG")
    async with LabMm4(quirks=RECORDED) as mmsc, house(tmp_path, mmsc) as here:
        sent = here.bob.send(
            [part_of('image/jpeg; name="teal.jpg"', out.getvalue(), "teal", "teal.jpg")], to=ALICE_NUMBER
        )
        await eventually(lambda: sent.status == "Ok")
        thread = here.app.store.threads("alice")[0]
        assert [media_type(part.content_type) for part in thread.last.message.parts] == ["image/jpeg"]
        assert thread.last.state == "queued"
        async with here.device() as alice:
            await alice.journal.wait("message")
            await eventually(lambda: sent.delivery == ["Retrieved"])


async def test_nobody_here_has_that_number(tmp_path: Path) -> None:
    async with LabMm4() as mmsc, house(tmp_path, mmsc) as here:
        sent = here.bob.send(["Hello"], to="+12025550177")
        await eventually(lambda: sent.status == "Error-service-denied")


async def test_a_peer_that_is_away_gets_it_when_it_is_back(tmp_path: Path) -> None:
    async with LabMm4() as mmsc, house(tmp_path, mmsc) as here, here.device() as alice:
        await mmsc.down()
        sent = await alice.message(BOB, "when you are back")
        assert sent.status == 202
        await eventually(lambda: _state(here, sent.message_id) == "queued")
        await mmsc.up()
        await heard(alice, sent.message_id, "delivered")
        assert [mms.text for mms in here.bob.inbox] == ["when you are back"]


async def test_a_refusal_tells_alice_why(tmp_path: Path) -> None:
    async with LabMm4() as mmsc, house(tmp_path, mmsc) as here, here.device() as alice:
        mmsc.faults.refuse.append("Error-service-denied")
        sent = await alice.message(BOB, "Hello")
        await heard(alice, sent.message_id, "failed")
        record = here.record(sent.message_id)
        assert record is not None
        assert (record.error, record.detail) == ("barred", "the other MMS network does not allow this")


async def test_a_report_finds_its_message_after_a_restart(tmp_path: Path) -> None:
    async with LabMm4() as mmsc:
        here_bob = mmsc.handset(BOB_NUMBER)
        here_bob.reports = ""
        async with house(tmp_path, mmsc) as here, here.device() as alice:
            sent = await alice.message(BOB, "Hello")
            await eventually(lambda: _state(here, sent.message_id) == "accepted")
        async with house(tmp_path, mmsc) as here:
            here_bob.report(await here_bob.wait_mms(), "Retrieved")
            await eventually(lambda: _state(here, sent.message_id) == "delivered")


def _state(here: House, message_id: str) -> str:
    record = here.record(message_id)
    return record.state.value if record else ""
