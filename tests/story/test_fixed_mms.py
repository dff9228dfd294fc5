"""MMS of the fixed network at the running server: to its MMS centre, and over the telephone line itself."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image

from opencpm.app import build
from opencpm.app.people import opened
from opencpm.app.server import App
from opencpm.domain.address import Address, tel
from opencpm.domain.message import message_ident
from opencpm.domain.profile import HealthState
from opencpm.lab.device import File, LabDevice
from opencpm.lab.line import LabExchange, trunk_to
from opencpm.lab.mm1 import MmsPhone
from opencpm.lab.mmsc import LabMmsc
from opencpm.settings import parse
from tests.interworking.mms.pictures import jpeg
from tests.interworking.sms.support import eventually

ALICE, NUMBER, PASSWORD = "sip:alice@cpm.test", "+442079460100", "correct horse"
MOBILE, LINE, LARGER_LINE = "+447700900123", "+442079460155", "+442079460222"
CENTRE = "+442079460199"
PATIENCE = 30.0


class House:
    def __init__(self, app: App) -> None:
        self.app = app

    @asynccontextmanager
    async def device(self) -> AsyncIterator[LabDevice]:
        where = self.app.endpoints["sip"]["tcp"]
        async with LabDevice(ALICE, PASSWORD, where, transport="TCP") as device:
            assert await device.register() == 200
            yield device

    def trail(self, message_id: str) -> list[str]:
        ident = message_ident(Address.parse(ALICE), message_id)
        return [entry.what for entry in self.app.store.trail(ident)]


@asynccontextmanager
async def house(folder: Path, networks: Mapping[str, Any], **policy: Any) -> AsyncIterator[House]:
    values = {
        "domain": "cpm.test",
        "secret_key": "k" * 32,
        "data_dir": str(folder / "data"),
        "sip": {"udp_port": 0, "tcp_port": 0, "msrp_port": 0},
        "web": {"enabled": False},
        "policy": {"order": list(networks), "home_region": "GB", "retry_schedule": [0.1], **policy},
        "networks": networks,
    }
    settings = parse(values, folder)
    async with opened(settings) as (_, people):
        people.add_user("alice", "Alice", PASSWORD, [Address("sip", "alice@cpm.test"), tel(NUMBER)])
    async with build(settings).running() as app:
        yield House(app)


def centre(mmsc: LabMmsc, **more: Any) -> dict[str, Any]:
    account = {"username": "vas1", "password": "sesame", "vasp_id": "vas1"}
    listen = {"port": 0, "username": "mmsc", "password": "secret"}
    return {"type": "mm7", "url": mmsc.url, **account, "listen": listen, "retry_min": 0.05, **more}


def photo() -> File:
    return File("image/jpeg", jpeg(2000, 1500), "beach.jpg")


async def test_a_fixed_number_is_served_by_the_fixed_networks_centre_with_its_terminals_class(tmp_path: Path) -> None:
    """A mobile and a fixed network, told apart by the numbering plan; one range of lines has better terminals."""
    async with LabMmsc(vasps={"vas1": "sesame"}) as mobile, LabMmsc(vasps={"vas1": "sesame"}) as fixed:
        networks = {
            "mms": centre(mobile, content_class="megapixel"),
            "fixed-mms": centre(
                fixed,
                label="MMS to telephone lines",
                number_types=["fixed"],
                content_class="image-basic",
                classes={"+4420794602": "image-rich"},
            ),
        }
        async with house(tmp_path, networks) as here, here.device() as alice:
            for name, mmsc in (("mms", mobile), ("fixed-mms", fixed)):
                host, port = here.app.endpoints[name]["http"]
                mmsc.reach(f"http://{host}:{port}/mm7", "mmsc", "secret")
            phones = [
                (mobile.phone(MOBILE, "megapixel"), (1600, 1200)),
                (fixed.phone(LINE, "image-basic"), (160, 120)),
                (fixed.phone(LARGER_LINE, "image-rich"), (640, 480)),
            ]
            for phone, pixels in phones:
                sent = await alice.files.send(f"tel:{phone.number}", "Look", photo(), form="large")
                mm = await phone.wait_mm(0)
                assert (mm.text, mm.pictures[0].pixels, mm.trouble) == ("Look", pixels, "")
                mine = sent.message_id
                await alice.journal.wait(
                    "imdn", lambda e, mine=mine: e.what == "delivered" and e.facts["message_id"] == mine
                )
            assert len(fixed.log.of("SubmitReq")) == 2


@asynccontextmanager
async def line_house(folder: Path, exchange: LabExchange, **line: Any) -> AsyncIterator[House]:
    """A centre of our own for lines: word of an MMS goes over the line, content is fetched by HTTP."""
    trunk = trunk_to(exchange, CENTRE, "44", fallback_source=CENTRE, **line)
    networks = {
        "fixed-mms": {
            "type": "mm1",
            "listen_port": 0,
            "domain": "mms.cpm.test",
            "number_types": ["fixed"],
            "content_class": "image-basic",
            "notify_network": "line",
        },
        "line": trunk,
    }
    async with house(folder, networks) as here:
        line = next(one for one in here.app.connectors if one.name == "line")
        await eventually(lambda: line.health().state is HealthState.UP, PATIENCE)
        yield here


async def test_a_picture_for_a_line_is_told_of_as_sound_and_fetched_over_http(tmp_path: Path) -> None:
    async with LabExchange() as exchange:
        handset = exchange.handset(LINE, CENTRE)
        async with line_house(tmp_path, exchange, notifications=True) as here, here.device() as alice:
            host, port = here.app.endpoints["fixed-mms"]["http"]
            async with MmsPhone(handset, f"http://{host}:{port}/mms") as bob:
                sent = await alice.files.send(f"tel:{LINE}", "Look", photo(), form="large")
                mms = await bob.wait_mms(0, PATIENCE)
                mine = sent.message_id
                await alice.journal.wait("imdn", lambda e: e.what == "delivered" and e.facts["message_id"] == mine)
            assert mms.text == "Look"
            assert mms.sender == f"{NUMBER}/TYPE=PLMN"
            assert Image.open(BytesIO(mms.media[0].body)).size == (160, 120)
            assert handset.texts == []  # a notification is shown to nobody as text
            (call,) = exchange.log.of(LINE)
            said = [t.frame for t in call.trace if t.frame.startswith("91")]
            assert said
            assert all("0b84" in frame for frame in said)  # to port 2948
            assert any("kept for +442079460155, which is notified by line" in what for what in here.trail(mine))


async def test_where_terminals_take_no_word_of_mms_she_is_told_so(tmp_path: Path) -> None:
    async with LabExchange() as exchange:
        exchange.handset(LINE, CENTRE)
        async with line_house(tmp_path, exchange) as here, here.device() as alice:
            sent = await alice.files.send(f"tel:{LINE}", "Look", photo(), form="large")
            mine = sent.message_id
            await alice.journal.wait("imdn", lambda e: e.what == "failed" and e.facts["message_id"] == mine)
            assert any("telephone lines here take no word of MMS" in what for what in here.trail(mine))
        assert len(exchange.log) == 0
