"""MMS at the running server: pictures to phones and from phones, adapted, reported, refused, and sent as links."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from opencpm.app import build
from opencpm.app.people import opened
from opencpm.app.server import App
from opencpm.domain.address import Address, tel
from opencpm.domain.trail import TrailEntry
from opencpm.lab.device import File, LabDevice
from opencpm.lab.http import Api
from opencpm.lab.mmsc import LabMmsc
from opencpm.lab.smsc import LabSmsc
from opencpm.settings import parse
from tests.interworking.mms.pictures import jpeg
from tests.interworking.sms.support import eventually

ALICE, NUMBER, PHONE = "sip:alice@cpm.test", "+12025550100", "+12025550101"
PASSWORD = "correct horse"
PATIENCE = 30.0


@dataclass
class House:
    app: App
    mmsc: LabMmsc
    smsc: LabSmsc
    token: str

    @property
    def api(self) -> Api:
        return Api(*self.app.endpoints["web"]["http"], self.token)

    @asynccontextmanager
    async def device(self, transport: str = "tcp") -> AsyncIterator[LabDevice]:
        where = self.app.endpoints["sip"][transport]
        async with LabDevice(ALICE, PASSWORD, where, transport=transport.upper()) as device:
            assert await device.register() == 200
            yield device

    def trail(self, ident: str) -> list[TrailEntry]:
        subject = self.app.store.find(ident)
        return list(self.app.store.trail(subject)) if subject else []

    async def told(self, ident: str, step: str) -> TrailEntry:
        """The last line of a message's trail with this step."""
        await eventually(lambda: any(one.step.value == step for one in self.trail(ident)), PATIENCE)
        return [one for one in self.trail(ident) if one.step.value == step][-1]


def settings(folder: Path, mmsc: LabMmsc, smsc: LabSmsc, **mms: Any) -> Any:
    host, port = smsc.address
    values = {
        "domain": "cpm.test",
        "secret_key": "k" * 32,
        "data_dir": str(folder / "data"),
        "sip": {"udp_port": 0, "tcp_port": 0, "msrp_port": 0},
        "web": {"port": 0},
        "policy": {"order": ["sms", "mms"], "home_region": "US", "retry_schedule": [0.1]},
        "networks": {
            "mms": {
                "type": "mm7",
                "url": mmsc.url,
                "username": "vas1",
                "password": "sesame",
                "vasp_id": "vas1",
                "listen": {"port": 0, "username": "mmsc", "password": "secret"},
                "content_class": "image-rich",
                "read_to_display": True,
                "retry_min": 0.05,
                "retry_max": 0.2,
                **mms,
            },
            "sms": {"type": "sms", "host": host, "port": port, "system_id": "cpm", "password": "sesame"},
        },
    }
    return parse(values, folder)


@asynccontextmanager
async def serving(folder: Path, mmsc: LabMmsc, smsc: LabSmsc, **mms: Any) -> AsyncIterator[House]:
    of = settings(folder, mmsc, smsc, **mms)
    async with opened(of) as (_, people):
        if people.subscriber("alice") is None:
            people.add_user("alice", "Alice", PASSWORD, [Address("sip", "alice@cpm.test"), tel(NUMBER)])
        token = people.new_token("alice", "test")
    async with build(of).running() as app:
        await smsc.wait_bound(1)
        host, port = app.endpoints["mms"]["http"]
        mmsc.reach(f"http://{host}:{port}/mm7", "mmsc", "secret")
        yield House(app, mmsc, smsc, token)


@asynccontextmanager
async def house(folder: Path, **mms: Any) -> AsyncIterator[House]:
    async with (
        LabMmsc(vasps={"vas1": "sesame"}) as mmsc,
        LabSmsc(accounts={"cpm": "sesame"}) as smsc,
        serving(folder, mmsc, smsc, **mms) as here,
    ):
        yield here


def photo(width: int = 4000, height: int = 3000) -> File:
    return File("image/jpeg", jpeg(width, height), "beach.jpg")


async def test_a_photograph_goes_adapted_to_the_phones_class_and_both_reports_come_back(tmp_path: Path) -> None:
    async with house(tmp_path) as here, here.device() as alice:
        bob = here.mmsc.phone(PHONE, "image-rich")
        sent = await alice.files.send(f"tel:{PHONE}", "Look 😀", photo(), form="large")
        assert sent.status == 202
        mm = await bob.wait_mm(0)
        assert (mm.text, mm.sender, mm.trouble) == ("Look 😀", NUMBER, "")
        assert mm.size <= 100 << 10
        assert mm.pictures[0].pixels == (640, 480)
        mine = sent.message_id
        await alice.journal.wait("imdn", lambda e: e.what == "delivered" and e.facts["message_id"] == mine)
        await bob.read(mm)
        await alice.journal.wait("imdn", lambda e: e.what == "displayed" and e.facts["message_id"] == mine)
        accepted = next(one for one in here.trail(mine) if one.step.value == "accepted")
        assert "MM7 SubmitRsp: 1000" in accepted.what
        assert any("4000×3000" in loss for loss in json.loads(accepted.data)["losses"])
        selected = await here.told(mine, "selected")
        assert selected.what.startswith("MMS is the best")


async def test_a_text_goes_as_sms(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        phone = here.smsc.handset(PHONE)
        await here.api.post("/messages", {"to": [PHONE], "text": "just words"})
        text = await phone.wait_text(0)
        assert text.text == "just words"
        assert len(here.mmsc.log) == 0


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_a_picture_of_the_phone_reaches_her_device_in_the_conversation(tmp_path: Path, transport: str) -> None:
    async with house(tmp_path) as here, here.device(transport) as alice:
        bob = here.mmsc.phone(PHONE)
        sent = await alice.files.send(f"tel:{PHONE}", "Look", photo(800, 600), form="large")
        mm = await bob.wait_mm(0)
        answered = await bob.send("And me", [("me.jpg", "image/jpeg", jpeg(1600, 1200))], to=mm.sender)
        assert answered.status == "accepted"
        shown = await alice.journal.wait("message", lambda e: e.what == "And me")
        assert shown.facts["media"] == f"image/jpeg, {len(jpeg(1600, 1200))} octets"
        talk = await here.api.get(f"/conversations/{'tel:' + PHONE}/messages")
        assert [one["direction"] for one in talk["messages"]] == ["sent", "received"]
        ids = {one["conversation_id"] for one in talk["messages"]}
        assert ids == {sent.conversation_id} == {shown.facts["conversation"]}


async def test_where_mms_is_refused_a_text_with_a_link_that_opens_goes(tmp_path: Path) -> None:
    async with house(tmp_path) as here, here.device() as alice:
        here.mmsc.faults.refuse[PHONE] = 4007
        phone = here.smsc.handset(PHONE)
        sent = await alice.files.send(f"tel:{PHONE}", "Look", photo(1000, 800), form="large")
        text = await phone.wait_text(0)
        said, _, link = text.text.partition("\n")
        assert said == "Look"
        async with httpx.AsyncClient() as browser:
            page = await browser.get(link)
            assert page.status_code == 200
            pictures = [(await browser.get(f"{link}/{n}")).content for n in range(2)]
        assert jpeg(1000, 800) in pictures
        refused = await here.told(sent.message_id, "retried")
        assert "barred" in refused.what
        assert "4007" in refused.what
        await alice.journal.wait("imdn", lambda e: e.what == "delivered" and e.facts["message_id"] == sent.message_id)


async def test_while_the_centre_is_away_it_goes_as_link_or_waits_and_nothing_is_lost(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        phone, text = here.mmsc.phone(PHONE), here.smsc.handset(PHONE)
        await here.mmsc.down()
        first = await here.api.post("/messages", {"to": [PHONE], "parts": [_picture()], "route": "mms"})
        await here.mmsc.up()
        await eventually(lambda: bool(phone.mms or text.texts), PATIENCE)
        assert [one.step.value for one in here.trail(first["id"])].count("delivered") <= 1


async def test_a_report_that_comes_before_the_answer_counts(tmp_path: Path) -> None:
    async with house(tmp_path) as here, here.device() as alice:
        here.mmsc.faults.reports_first = True
        sent = await alice.files.send(f"tel:{PHONE}", "Look", photo(100, 80), form="large")
        await alice.journal.wait("imdn", lambda e: e.what == "delivered" and e.facts["message_id"] == sent.message_id)


async def test_a_rejected_message_is_told_as_failed(tmp_path: Path) -> None:
    async with house(tmp_path) as here, here.device() as alice:
        here.mmsc.phone(PHONE).rejects = True
        sent = await alice.files.send(f"tel:{PHONE}", "Look", photo(100, 80), form="large")
        await alice.journal.wait("imdn", lambda e: e.what == "failed" and e.facts["message_id"] == sent.message_id)
        assert "rejected" in (await here.told(sent.message_id, "failed")).what


async def test_a_report_finds_its_message_after_a_restart(tmp_path: Path) -> None:
    async with LabMmsc(vasps={"vas1": "sesame"}) as mmsc, LabSmsc(accounts={"cpm": "sesame"}) as smsc:
        phone = mmsc.phone(PHONE)
        phone.on = False
        async with serving(tmp_path, mmsc, smsc) as here:
            sent = await here.api.post("/messages", {"to": [PHONE], "parts": [_picture(), {"text": "Look"}]})
            await here.told(sent["id"], "accepted")
        async with serving(tmp_path, mmsc, smsc) as here:
            phone.on = True
            await here.told(sent["id"], "delivered")


async def test_no_answer_is_repeated_once_and_marked(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        here.mmsc.faults.no_answer = 1
        sent = await here.api.post("/messages", {"to": [PHONE], "parts": [_picture(), {"text": "Look"}]})
        await here.told(sent["id"], "delivered")
        accepted = next(one for one in here.trail(sent["id"]) if one.step.value == "accepted")
        assert "may have arrived" in accepted.what
        transactions = [line.message.transaction_id for line in here.mmsc.log.of("SubmitReq") if line.message]
        assert len(transactions) == 2
        assert len(set(transactions)) == 1


async def test_poison_costs_only_itself(tmp_path: Path) -> None:
    """A picture of a hundred megapixels, one that is damaged, and one that is whole, all at once."""
    bomb = BytesIO()
    Image.new("1", (12_000, 9_000)).save(bomb, "PNG")
    async with house(tmp_path) as here:
        phone = here.mmsc.phone(PHONE, "image-rich")

        async def send(kind: str, body: bytes, text: str) -> dict[str, Any]:
            part = {"content_type": kind, "body": _base64(body)}
            answer: dict[str, Any] = await here.api.post("/messages", {"to": [PHONE], "parts": [part, {"text": text}]})
            return answer

        await asyncio.gather(
            send("image/png", bomb.getvalue(), "bomb"),
            send("image/jpeg", jpeg()[:200], "damaged"),
            send("image/jpeg", jpeg(), "whole"),
        )
        await phone.happenings.until(lambda: len(phone.mms) >= 3, PATIENCE)
        by_text = {mm.text.splitlines()[-1]: mm for mm in phone.mms}
        assert by_text["whole"].pictures[0].body
        assert not by_text["bomb"].pictures
        assert not by_text["damaged"].pictures


async def test_more_than_the_operator_allows_is_refused_as_content(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        here.app.messaging.set_policy(
            replace(here.app.messaging.policy, limits=replace(here.app.messaging.policy.limits, message_bytes=10_000))
        )
        sent = await here.mmsc.phone(PHONE).send("Look", [("a.jpg", "image/jpeg", jpeg(1600, 1200))], to=NUMBER)
        assert sent.status == "DeliverRsp 2004"


async def test_a_stranger_at_the_listener_is_refused_and_in_the_trail(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        host, port = here.app.endpoints["mms"]["http"]
        async with httpx.AsyncClient() as stranger:
            answer = await stranger.post(f"http://{host}:{port}/mm7", content=b"<x/>", auth=("eve", "guess"))
        assert answer.status_code == 401
        await eventually(lambda: list(here.app.store.trail("mm7:eve")))


def _picture() -> dict[str, str]:
    return {"content_type": "image/jpeg", "body": _base64(jpeg())}


def _base64(body: bytes) -> str:
    import base64

    return base64.b64encode(body).decode()
