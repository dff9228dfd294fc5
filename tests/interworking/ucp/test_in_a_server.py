"""The whole server with SMS over UCP, which it knows by the entry point of an installed package and by nothing else."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from opencpm.app import build
from opencpm.app.networks import installed
from opencpm.app.people import opened
from opencpm.app.server import App
from opencpm.domain.address import Address, tel
from opencpm.domain.delivery import DeliveryState
from opencpm.lab.device import LabDevice
from opencpm.lab.http import Api
from opencpm.lab.ucp import LabUcp
from opencpm.settings import Settings, SettingsError, parse
from tests.interworking.sms.support import eventually

ALICE, NUMBER, PHONE = "sip:alice@cpm.test", "+12025550100", "+12025550101"
PASSWORD = "correct horse"
ROOT = Path(__file__).parents[3]


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A package of somebody else, installed: a folder with metadata on the path, as pip leaves it."""
    folder = tmp_path / "site" / "a_network-1.0.dist-info"
    folder.mkdir(parents=True)
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: a-network\nVersion: 1.0\n")
    (folder / "entry_points.txt").write_text("[opencpm.networks]\nplugged = opencpm.interworking.ucp:build\n")
    monkeypatch.syspath_prepend(str(folder.parent))
    return "plugged"


def settings(folder: Path, kind: str, where: tuple[str, int], **more: object) -> Settings:
    link = {
        "host": where[0],
        "port": where[1],
        "account": "cpm",
        "password": "sesame",
        "reconnect_min": 0.05,
        "apart": 0,
    }
    values = {
        "domain": "cpm.test",
        "secret_key": "k" * 32,
        "data_dir": str(folder / "data"),
        "sip": {"udp_port": 0, "tcp_port": 0, "msrp_port": 0},
        "web": {"port": 0},
        "policy": {"order": ["sms-ucp"], "home_region": "US"},
        "networks": {"sms-ucp": {"type": kind, **link, **more}},
    }
    return parse(values, folder)


class House:
    def __init__(self, app: App, centre: LabUcp, token: str) -> None:
        self.app, self.centre, self.phone = app, centre, centre.phone(PHONE)
        self.api = Api(*app.endpoints["web"]["http"], token)

    @asynccontextmanager
    async def device(self) -> AsyncIterator[LabDevice]:
        async with LabDevice(ALICE, PASSWORD, self.app.endpoints["sip"]["tcp"], transport="TCP") as device:
            assert await device.register() == 200
            yield device


@asynccontextmanager
async def house(folder: Path, kind: str, centre: LabUcp, **more: object) -> AsyncIterator[House]:
    of = settings(folder, kind, centre.address, **more)
    async with opened(of) as (_, people):
        if people.subscriber("alice") is None:
            people.add_user("alice", "Alice", PASSWORD, [Address("sip", "alice@cpm.test"), tel(NUMBER)])
        token = people.new_token("alice", "test")
    async with build(of).running() as app:
        await centre.wait_session()
        yield House(app, centre, token)


@pytest.mark.parametrize("text", ["Hello €", "a text of many words " * 15])
async def test_from_a_device_to_the_phone_and_the_word_comes_back(tmp_path: Path, plugin: str, text: str) -> None:
    async with (
        LabUcp(accounts={"cpm": "sesame"}, unique=True) as centre,
        house(tmp_path, plugin, centre) as here,
        here.device() as alice,
    ):
        assert (await alice.message(f"tel:{PHONE}", text)).status == 202
        await alice.journal.wait("imdn", lambda entry: entry.what == "delivered")
        got = here.phone.texts[0]
        assert (got.text, got.sender) == (text, NUMBER)
        assert [line.frame.fields[15:17] for line in centre.log.of(53)] == [("0", "000")] * got.segments


async def test_one_word_only_once_all_segments_are_there(tmp_path: Path, plugin: str) -> None:
    async with (
        LabUcp(accounts={"cpm": "sesame"}, unique=True) as centre,
        house(tmp_path, plugin, centre) as here,
        here.device() as alice,
    ):
        here.phone.on = False
        await alice.message(f"tel:{PHONE}", "a text of many words " * 15)
        await eventually(lambda: len(centre.log.of(51, results=True)) == 3)
        await eventually(lambda: len(centre._stored.get(PHONE[1:], [])) == 3)
        *first, last = centre._stored.pop(PHONE[1:])
        here.phone.on = True
        for stored in first:
            centre.carry(*stored)
        await eventually(lambda: len(centre.log.of(53, results=True)) == 2)
        assert not alice.journal.find("imdn", lambda entry: entry.what == "delivered")
        centre.carry(*last)
        await alice.journal.wait("imdn", lambda entry: entry.what == "delivered")
        assert len(alice.journal.find("imdn", lambda entry: entry.what == "delivered")) == 1


async def test_from_the_api_and_what_fails_says_why(tmp_path: Path, plugin: str) -> None:
    async with (
        LabUcp(accounts={"cpm": "sesame"}, unique=True) as centre,
        house(tmp_path, plugin, centre) as here,
        here.device() as alice,
    ):
        centre.faults.undeliverable[PHONE[1:]] = "108"
        await here.api.post("/messages", {"to": [PHONE], "text": "are you there?"})
        store = here.app.store
        await eventually(
            lambda: store.threads("alice") and store.threads("alice")[0].last.state == DeliveryState.FAILED
        )
        last = store.threads("alice")[0].last
        assert last.network == "sms-ucp"
        assert any("SMSC notification" in entry.what for entry in store.trail(last.message.id))
        await alice.message(f"tel:{PHONE}", "still not?")
        await alice.journal.wait("imdn", lambda entry: entry.what == "failed")


async def test_a_text_of_the_phone_comes_to_alice(tmp_path: Path, plugin: str) -> None:
    async with (
        LabUcp(accounts={"cpm": "sesame"}, unique=True) as centre,
        house(tmp_path, plugin, centre) as here,
        here.device() as alice,
    ):
        sent = here.phone.send("let us talk 😀", to=NUMBER)
        assert (await alice.journal.wait("message")).what == "let us talk 😀"
        await centre.happenings.until(lambda: sent.status == "accepted")


async def test_a_notification_finds_its_message_after_a_restart(tmp_path: Path, plugin: str) -> None:
    async with LabUcp(accounts={"cpm": "sesame"}, unique=True) as centre:
        async with house(tmp_path, plugin, centre) as here:
            here.phone.on = False
            await here.api.post("/messages", {"to": [PHONE], "text": "later"})
            await eventually(lambda: _state(here) == DeliveryState.ACCEPTED)
        async with house(tmp_path, plugin, centre) as here:
            here.phone.on = True
            await eventually(lambda: _state(here) == DeliveryState.DELIVERED)


async def test_what_waits_while_the_centre_is_down_goes_when_it_is_back(tmp_path: Path, plugin: str) -> None:
    async with LabUcp(accounts={"cpm": "sesame"}, unique=True) as centre, house(tmp_path, plugin, centre) as here:
        await centre.down()
        await here.api.post("/messages", {"to": [PHONE], "text": "when you are back"})
        await centre.up()
        await eventually(lambda: _state(here) == DeliveryState.DELIVERED, 20.0)
        assert [text.text for text in here.phone.texts] == ["when you are back"]


def _state(here: House) -> DeliveryState | None:
    threads = here.app.store.threads("alice")
    return threads[0].last.state if threads else None


# -- the interface is enough


async def test_without_its_entry_point_it_is_not_there(tmp_path: Path) -> None:
    assert "plugged" not in installed()
    with pytest.raises(SettingsError, match="no network of type 'plugged'"):
        async with build(settings(tmp_path, "plugged", ("127.0.0.1", 1))).running():
            pass


async def test_settings_that_cannot_be_used_are_said_by_the_network_itself(tmp_path: Path, plugin: str) -> None:
    with pytest.raises(SettingsError, match=r"networks\.sms-ucp.*window"):
        async with build(settings(tmp_path, plugin, ("127.0.0.1", 1), window=100)).running():
            pass


def test_nothing_outside_its_rooms_knows_it() -> None:
    own = re.compile(r"src/opencpm/(interworking|protocols|lab)/ucp/")
    for path in (ROOT / "src").rglob("*.py"):
        if own.search(path.as_posix()):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
            assert not [name for name in names if "ucp" in name.split(".")], path


def test_it_is_one_line_of_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert project["project"]["entry-points"]["opencpm.networks"]["ucp"] == "opencpm.interworking.ucp:build"
    (independent,) = [c for c in project["tool"]["importlinter"]["contracts"] if c["id"] == "networks"]
    assert "opencpm.interworking.ucp" in independent["modules"]
