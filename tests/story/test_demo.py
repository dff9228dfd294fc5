"""The demo with its page: what the page is told, and Bob's side of it."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from opencpm.cli.demo_setup import prepare
from opencpm.lab.demo_api import LabDesk, lab_api
from opencpm.lab.world import ALICE, ALICE_MSN, BOB_MSN, BOB_NUMBER, HOME_NUMBER, World
from opencpm.protocols.fsk.demodulator import demodulate

LAB = "http://lab"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with World(tmp_path, prepare) as found:
        await found.start_server()
        await found.bob_signs_in()
        yield found


@pytest.fixture
async def lab(world: World) -> AsyncIterator[httpx.AsyncClient]:
    app = lab_api(LabDesk(world))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=LAB) as client:
        yield client


async def started() -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "opencpm.cli", "demo", "--no-browser", "--port", "0", "--json",
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip


async def test_the_command_tells_the_page_where_bob_is() -> None:
    process = await started()
    assert process.stdout is not None
    page = json.loads(await process.stdout.readline())["page"]
    async with httpx.AsyncClient(trust_env=False) as client:
        card = (await client.get(page + "demo.json")).json()
        assert (card["bob_number"], card["bob_home"], card["bob_msn"]) == (BOB_NUMBER, HOME_NUMBER, BOB_MSN)
        me = await client.get(page + "api/v1/me", headers={"Authorization": f"Bearer {card['alice_token']}"})
        assert me.json()["id"] == "alice"
        index = await client.get(page)
        assert "<html" in index.text
        assert card["lab"] in index.headers["content-security-policy"]
        assert (await client.get(card["lab"] + "/lab/phone")).json()["number"] == BOB_NUMBER
        assert (await client.get(card["lab"] + "/lab/home")).json()["number"] == HOME_NUMBER
    process.send_signal(signal.SIGINT)
    assert await process.wait() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
async def test_nothing_stays_behind_however_it_ends(number: signal.Signals) -> None:
    process = await started()
    assert process.stdout is not None
    host, port = json.loads(await process.stdout.readline())["endpoints"]["web"]["http"]
    process.send_signal(number)
    await process.wait()
    async with asyncio.timeout(20):
        while await _listens(host, port):
            await asyncio.sleep(0.02)


async def _listens(host: str, port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(host, port)
    except OSError:
        return False
    writer.close()
    return True


async def test_bobs_phone_gets_and_sends(world: World, lab: httpx.AsyncClient) -> None:
    async with world.device() as device:
        await device.register()
        await device.message(f"tel:{BOB_NUMBER}", "Hello")
        await world.phone.wait_text(0)
        assert (await lab.post("/lab/phone/send", json={"text": "Hi Alice"})).status_code == 202
        await device.journal.wait("message", lambda e: e.what == "Hi Alice")
    shown = (await lab.get("/lab/phone")).json()
    assert [(m["direction"], m["text"]) for m in shown["messages"]] == [("received", "Hello"), ("sent", "Hi Alice")]


@pytest.fixture
async def at_home(tmp_path: Path) -> AsyncIterator[World]:
    """The same, and Bob has a telephone line at home."""
    async with World(tmp_path, prepare, with_home=True) as found:
        await found.start_server()
        yield found


async def over(client: httpx.AsyncClient, calls: int) -> dict[str, Any]:
    """What the lab shows of the home telephone when so many calls are over."""
    async with asyncio.timeout(20):
        while True:
            shown: dict[str, Any] = (await client.get("/lab/home")).json()
            if len([call for call in shown["calls"] if call["state"] == "over"]) >= calls:
                return shown
            await asyncio.sleep(0.02)


async def test_bobs_home_telephone_gets_and_sends_as_sound(at_home: World) -> None:
    assert at_home.home is not None
    app = lab_api(LabDesk(at_home))
    async with (
        httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=LAB) as client,
        at_home.device() as device,
    ):
        await device.register()
        await device.message(f"tel:{HOME_NUMBER}", "Are you at home?")
        await at_home.home.handset.wait_text(0)
        assert (await client.post("/lab/home/send", json={"text": "Yes, come!"})).status_code == 202
        await device.journal.wait("message", lambda e: e.what == "Yes, come!")
        shown = await over(client, 2)
        assert [(m["direction"], m["text"]) for m in shown["messages"]] == [
            ("received", "Are you at home?"),
            ("sent", "Yes, come!"),
        ]
        to_bob, from_bob = shown["calls"]
        assert [(f["by"], f["name"], f["text"]) for f in to_bob["frames"]] == [
            ("line", "EST", ""),
            ("centre", "DATA", "Are you at home?"),
            ("line", "ACK", ""),
            ("centre", "REL", ""),
        ]
        assert (from_bob["by_line"], from_bob["end"]) == (True, "released")
        await _the_sound_is_the_calls(at_home, client, to_bob)
        assert (await client.get("/lab/home/calls/1/sound")).status_code == 404
        assert (await client.get(f"/lab/home/calls/{to_bob['id']}/bursts/99")).status_code == 404


async def _the_sound_is_the_calls(world: World, client: httpx.AsyncClient, call: dict[str, Any]) -> None:
    """What is drawn are the samples of the log; whoever demodulates them gets the frames that the line told of."""
    assert world.home is not None
    record = next(one for one in world.home.exchange.log.of(HOME_NUMBER) if not one.dialled_by_line)
    sound = (await client.get(f"/lab/home/calls/{call['id']}/sound")).json()
    assert (sound["rate"], sound["samples"]) == (8000, record.samples)
    assert [burst["hex"] for burst in sound["bursts"]] == [frame["hex"] for frame in call["frames"]]
    assert [min(low for low, _ in sound[side]) for side in ("centre", "line")] == [
        int(record.heard().min()),
        int(record.said().min()),
    ]
    data = (await client.get(f"/lab/home/calls/{call['id']}/bursts/1")).json()
    assert data["samples"] == record.heard()[data["start"] : data["end"]].tolist()
    octets = bytes(value for _, value in data["octets"])
    assert octets.hex() == data["hex"]
    assert demodulate(record.heard()[data["start"] : data["end"]]).octets[0].startswith(octets)


async def test_a_busy_line_is_shown_and_called_again(at_home: World) -> None:
    assert at_home.home is not None
    app = lab_api(LabDesk(at_home))
    async with (
        httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=LAB) as client,
        at_home.device() as device,
    ):
        await device.register()
        await client.post("/lab/home/fault", json={"kind": "busy"})
        await device.message(f"tel:{HOME_NUMBER}", "Hello?")
        await at_home.home.exchange.happenings.until(
            lambda: any(it.what == "ringing" for it in at_home.home.exchange.happenings.all)  # type: ignore[union-attr]
        )
        assert [call["state"] for call in (await client.get("/lab/home")).json()["calls"]] == ["busy"]
        await client.post("/lab/home/fault", json={"kind": "packet"})
        assert (await at_home.home.handset.wait_text(0)).text == "Hello?"
        calls = (await over(client, 1))["calls"]
        assert [call["state"] for call in calls] == ["busy", "over"]
        names = [frame["name"] for frame in calls[1]["frames"]]
        assert names.count("DATA") == 1
        assert {"?", "ERROR"} <= set(names)  # one frame was spoilt on the way, and said again
        assert (await client.post("/lab/home/fault", json={"kind": "on fire"})).status_code == 422


async def test_bob_opens_a_window_and_talks(world: World, lab: httpx.AsyncClient) -> None:
    async with world.device() as device:
        await device.register()
        assert (await lab.post("/lab/msn/open")).status_code == 202
        await lab.post("/lab/msn/send", json={"text": "Are you there?"})
        await device.journal.wait("message", lambda e: e.what == "Are you there?")
        window = (await lab.get("/lab/msn")).json()["window"]
        assert window["open"]
        assert window["peer"] == ALICE_MSN
        assert window["messages"][-1]["from"] == BOB_MSN
        await lab.post("/lab/msn/close")
        await world.bob.happened.wait(lambda it: it.what == "closed")
    assert not (await lab.get("/lab/msn")).json()["window"]["open"]


async def test_bobs_status_is_seen(world: World, lab: httpx.AsyncClient) -> None:
    await lab.post("/lab/msn/status", json={"status": "FLN"})
    assert (await lab.get("/lab/msn")).json()["status"] == "FLN"
    assert not world.bob.online
    assert (await lab.post("/lab/msn/open")).status_code == 409
    await lab.post("/lab/msn/status", json={"status": "BSY"})
    assert (await lab.get("/lab/msn")).json()["status"] == "BSY"
    assert (await lab.post("/lab/msn/status", json={"status": "XXX"})).status_code == 422


async def test_faults(world: World, lab: httpx.AsyncClient) -> None:
    await lab.post("/lab/sms/fault", json={"kind": "down"})
    assert world.smsc.bound == 0
    await lab.post("/lab/sms/fault", json={"kind": "up"})
    await world.smsc.wait_bound()
    await lab.post("/lab/sms/fault", json={"kind": "throttle"})
    assert world.smsc.faults.throttle
    await lab.post("/lab/sms/fault", json={"kind": "undeliverable"})
    assert world.smsc.faults.undeliverable
    await lab.post("/lab/sms/fault", json={"kind": "none"})
    assert not world.smsc.faults.undeliverable


async def test_watchers_see_the_present_first_and_then_every_change(world: World) -> None:
    desk = LabDesk(world)
    events = desk.events()
    first = [await _next(events), await _next(events)]
    assert [one["type"] for one in first] == ["phone", "msn"]
    world.phone.send("Hi", ALICE)
    desk.tell({"type": "story", "step": 1})
    assert (await _next(events))["type"] in ("story", "phone")
    await events.aclose()  # type: ignore[attr-defined]


async def test_a_strange_page_is_not_let_in(lab: httpx.AsyncClient) -> None:
    answer = await lab.get("/lab/phone", headers={"Origin": "http://evil.example"})
    assert "access-control-allow-origin" not in answer.headers
    ours = await lab.get("/lab/phone", headers={"Origin": "http://127.0.0.1:8080"})
    assert ours.headers["access-control-allow-origin"] == "http://127.0.0.1:8080"


async def _next(events: AsyncIterator[str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((await anext(events)).removeprefix("data: "))
    return found
