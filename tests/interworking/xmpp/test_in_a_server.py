"""The whole server with XMPP: what an XMPP user is told of what they write, and when; waiting, failing, restarting."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from opencpm.app import build
from opencpm.app.people import opened
from opencpm.app.server import App
from opencpm.domain.address import Address, tel
from opencpm.domain.delivery import DeliveryState
from opencpm.lab.device import LabDevice
from opencpm.lab.http import Api
from opencpm.lab.xmpp import LabXmpp
from opencpm.settings import Settings, parse
from tests.interworking.sms.support import eventually

ALICE, NUMBER = "sip:alice@cpm.test", "+12025550100"
ALICE_JID, BOB_JID = "alice@cpm.xmpp.test", "bob@xmpp.test"
BOB = "sip:bob%40xmpp.test@cpm.test"
PASSWORD = "correct horse"


def settings(folder: Path, server: LabXmpp, **more: Any) -> Settings:
    values = {
        "domain": "cpm.test",
        "secret_key": "k" * 32,
        "data_dir": str(folder / "data"),
        "sip": {"udp_port": 0, "tcp_port": 0, "msrp_port": 0},
        "web": {"port": 0},
        "policy": {"domains": {"xmpp.test": "xmpp"}},
        "networks": {"xmpp": {"type": "xmpp", **server.settings, "reconnect_min": 0.05, **more}},
    }
    return parse(values, folder)


class House:
    def __init__(self, app: App, server: LabXmpp, token: str) -> None:
        self.app, self.server, self.bob = app, server, server.person("bob")
        self.api = Api(*app.endpoints["web"]["http"], token)

    @asynccontextmanager
    async def device(self, **options: Any) -> AsyncIterator[LabDevice]:
        async with LabDevice(ALICE, PASSWORD, self.app.endpoints["sip"]["tcp"], transport="TCP", **options) as device:
            assert await device.register() == 200
            yield device

    def state(self) -> DeliveryState | None:
        """Of the last message in Alice's conversations."""
        threads = self.app.store.threads("alice")
        return threads[0].last.state if threads else None


@asynccontextmanager
async def house(folder: Path, server: LabXmpp, **more: Any) -> AsyncIterator[House]:
    of = settings(folder, server, **more)
    async with opened(of) as (_, people):
        if people.subscriber("alice") is None:
            people.add_user("alice", "Alice", PASSWORD, [Address("sip", "alice@cpm.test"), tel(NUMBER)])
        token = people.new_token("alice", "test")
    async with build(of).running() as app:
        await server.wait_component()
        yield House(app, server, token)


@pytest.fixture
async def server() -> AsyncIterator[LabXmpp]:
    async with LabXmpp() as server:
        server.person("bob").sign_in()
        yield server


async def test_a_receipt_waits_for_the_device(tmp_path: Path, server: LabXmpp) -> None:
    """She is away: kept. She comes: delivered, and only then he is told. She reads it: told too."""
    async with house(tmp_path, server) as here:
        ident = here.bob.write(ALICE_JID, "are you there?")
        await eventually(lambda: here.state() is DeliveryState.QUEUED)
        assert here.bob.receipts == []
        async with here.device() as alice:
            await alice.journal.wait("message", lambda entry: entry.what == "are you there?")
            await here.bob.until(lambda: ident in here.bob.receipts)
            assert here.bob.displayed == []
            await alice.displayed(alice.inbox[0])
            await here.bob.until(lambda: ident in here.bob.displayed)
            assert here.bob.receipts == [ident]


async def test_who_does_not_want_it_told_that_they_read(tmp_path: Path, server: LabXmpp) -> None:
    async with house(tmp_path, server) as here, here.device() as alice:
        await here.api.patch("/me/preferences", {"display_reports": False})
        ident = here.bob.write(ALICE_JID, "hello")
        await alice.journal.wait("message")
        await here.bob.until(lambda: ident in here.bob.receipts)
        await alice.displayed(alice.inbox[0])
        await eventually(lambda: here.state() is DeliveryState.DISPLAYED)
        second = here.bob.write(ALICE_JID, "again")
        await here.bob.until(lambda: second in here.bob.receipts)
        assert here.bob.displayed == []


async def test_he_is_told_nothing_that_he_did_not_ask(tmp_path: Path, server: LabXmpp) -> None:
    async with house(tmp_path, server) as here, here.device() as alice:
        here.bob.write(ALICE_JID, "quiet", requests=False, markable=False)
        await alice.journal.wait("message", lambda entry: entry.what == "quiet")
        asked = here.bob.write(ALICE_JID, "loud")
        await here.bob.until(lambda: asked in here.bob.receipts)
        assert here.bob.receipts == [asked]


@pytest.mark.parametrize(
    "who", ["nobody@cpm.xmpp.test", r"carol\40else.test@cpm.xmpp.test", "+19999999999@cpm.xmpp.test"]
)
async def test_who_is_not_here(tmp_path: Path, server: LabXmpp, who: str) -> None:
    """We are no way from XMPP to other networks or servers."""
    async with house(tmp_path, server) as here:
        ident = here.bob.write(who, "hello", thread="t1")
        await here.bob.until(lambda: here.bob.errors)
        error = here.bob.errors[0]
        assert (error.id, error.sender) == (ident, who)
        assert error.error is not None
        assert error.error.condition in ("item-not-found", "forbidden")
        assert error.error.text


async def test_who_is_blocked(tmp_path: Path, server: LabXmpp) -> None:
    async with house(tmp_path, server) as here:
        contact = await here.api.post("/contacts", {"name": "Bob", "addresses": [f"xmpp:{BOB_JID}"]})
        here.app.directory.set_blocked("alice", contact["id"], True)
        here.bob.write(ALICE_JID, "hello")
        await here.bob.until(lambda: here.bob.errors)
        assert here.bob.errors[0].error.condition == "forbidden"


async def test_to_her_number_and_answered_from_it(tmp_path: Path, server: LabXmpp) -> None:
    async with house(tmp_path, server) as here, here.device() as alice:
        here.bob.write(f"{NUMBER}@cpm.xmpp.test", "hello")
        heard = await alice.journal.wait("message")
        await alice.message(heard.facts["sender"], "hello yourself")
        assert (await here.bob.text("hello yourself")).sender == f"{NUMBER}@cpm.xmpp.test"


async def test_what_waits_while_the_link_is_down_goes_when_it_is_back(tmp_path: Path, server: LabXmpp) -> None:
    async with house(tmp_path, server) as here, here.device() as alice:
        await server.down()
        await eventually(lambda: here.app.messaging.connectors["xmpp"].health().state.value == "down")
        assert (await alice.message(BOB, "when you are back")).status == 202
        assert here.state() is DeliveryState.QUEUED
        await server.up()
        await here.bob.text("when you are back")
        await eventually(lambda: here.state() is DeliveryState.DELIVERED)


async def test_a_link_that_breaks_under_a_message_doubles_it_by_the_same_id_at_most(
    tmp_path: Path, server: LabXmpp
) -> None:
    async with house(tmp_path, server, add_contacts=False) as here, here.device() as alice:
        server.faults.drop_after = 2  # the message is taken, its confirmation is not
        await alice.message(BOB, "once")
        await eventually(lambda: here.state() is DeliveryState.DELIVERED, 20.0)
        assert len({text.id for text in here.bob.texts}) == 1


async def test_a_receipt_finds_its_message_after_a_restart(tmp_path: Path, server: LabXmpp) -> None:
    bob = server.person("bob")
    bob.sign_out()
    async with house(tmp_path, server) as here, here.device() as alice:
        await alice.message(BOB, "later")
        await eventually(lambda: here.state() is DeliveryState.ACCEPTED)
    async with house(tmp_path, server) as here:
        bob.sign_in()
        await bob.text("later")
        await eventually(lambda: here.state() is DeliveryState.DELIVERED)


async def test_his_receipt_survives_a_restart_of_ours(tmp_path: Path, server: LabXmpp) -> None:
    """He wrote before the server went down, she reads after it: he is told, by the id of his message."""
    async with house(tmp_path, server) as here:
        ident = here.bob.write(ALICE_JID, "are you there?")
        await eventually(lambda: here.state() is DeliveryState.QUEUED)
    async with house(tmp_path, server) as here, here.device() as alice:
        await alice.journal.wait("message", lambda entry: entry.what == "are you there?")
        await here.bob.until(lambda: ident in here.bob.receipts)


async def test_a_picture_goes_as_a_text_with_a_link(tmp_path: Path, server: LabXmpp) -> None:
    async with house(tmp_path, server) as here:
        png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
        await here.api.post(
            "/messages",
            {"to": [f"xmpp:{BOB_JID}"], "parts": [{"content_type": "image/png", "body": png, "name": "dot.png"}]},
        )
        await here.bob.until(lambda: here.bob.texts)
        assert here.bob.texts[0].text.startswith("Picture: http")


async def test_online_on_xmpp_is_known_to_selection(tmp_path: Path, server: LabXmpp) -> None:
    """A contact in her book is let in at once, and what she is shown of him is what the plan says."""
    async with house(tmp_path, server) as here:
        await here.api.post("/contacts", {"name": "Bob", "addresses": [f"xmpp:{BOB_JID}"]})
        here.bob.watch(ALICE_JID)
        await here.bob.until(lambda: ALICE_JID in here.bob.sees)
        here.bob.set_status("away", "lunch")
        reach = here.app.messaging.connectors["xmpp"].reach
        await eventually(lambda: reach("alice", Address("xmpp", BOB_JID)).availability.value == "away")
        plan = await here.api.post("/routes/explain", {"to": f"xmpp:{BOB_JID}", "text": "hi"})
        assert "away, lunch" in str(plan)
