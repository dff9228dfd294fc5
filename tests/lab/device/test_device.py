"""The stand-in device against a running server: what it is told, does, and keeps as evidence."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from opencpm.app import build
from opencpm.app.server import App
from opencpm.domain.address import Address
from opencpm.lab.device import LabDevice, Refused
from tests.app.settings_of import small

PASSWORD = "a-long-secret"


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[App]:
    async with build(small(tmp_path)).running() as running:
        for name in ("alice", "bob"):
            running.directory.add_user(name, name.title(), PASSWORD, [Address("sip", f"{name}@cpm.test")])
        yield running


def device(app: App, name: str, transport: str = "TCP", **options: bool) -> LabDevice:
    where = app.endpoints["sip"][transport.lower()]
    return LabDevice(f"sip:{name}@cpm.test", PASSWORD, where, transport=transport, **options)


@pytest.mark.parametrize("transport", ["UDP", "TCP"])
async def test_messages_and_dispositions(app: App, transport: str) -> None:
    async with device(app, "alice", transport) as alice, device(app, "bob", transport) as bob:
        assert (await alice.register(), await bob.register()) == (200, 200)
        assert alice.associated == ["sip:alice@cpm.test"]
        sent = await alice.message("sip:bob@cpm.test", "Grüße 🎫")
        assert sent.status == 202
        came = await bob.journal.wait("message")
        assert (came.what, came.facts["sender"]) == ("Grüße 🎫", "sip:alice@cpm.test")
        told = await alice.journal.wait("imdn")
        assert (told.what, told.facts["message_id"]) == ("delivered", sent.message_id)
        assert await bob.displayed(bob.inbox[0]) in (200, 202)
        await alice.journal.wait("imdn", lambda e: e.what == "displayed")
        assert any("MESSAGE" in e.what for e in alice.journal.find("sip.out"))
        assert await alice.register(0) == 200


async def test_a_wrong_password_is_refused(app: App) -> None:
    where = app.endpoints["sip"]["tcp"]
    async with LabDevice("sip:alice@cpm.test", "wrong", where) as alice:
        assert await alice.register() in (401, 403)


async def test_a_session_between_two_devices(app: App) -> None:
    async with device(app, "alice") as alice, device(app, "bob") as bob:
        await alice.register()
        await bob.register()
        chat = await alice.invite("sip:bob@cpm.test")
        await bob.journal.wait("established")
        message_id, status = await chat.send("Shall we?")
        assert status == 200
        heard = await bob.journal.wait("message", lambda e: e.facts.get("session") == "yes")
        assert heard.what == "Shall we?"
        await alice.journal.wait("imdn", lambda e: e.facts["message_id"] == message_id)
        chat.compose()
        await bob.journal.wait("composing", lambda e: e.what == "active")
        (other,) = bob.chats.values()
        await other.send("Yes!")
        await alice.journal.wait("message", lambda e: e.what == "Yes!")
        assert await chat.close() == 200
        await bob.journal.wait("closed")
        assert (alice.chats, bob.chats) == ({}, {})


async def test_a_session_that_is_not_wanted(app: App) -> None:
    async with device(app, "alice") as alice, device(app, "bob", auto_answer=False) as bob:
        await alice.register()
        await bob.register()
        with pytest.raises(Refused) as caught:
            await alice.invite("sip:bob@cpm.test")
        assert caught.value.status == 486


async def test_nobody_there(app: App) -> None:
    async with device(app, "alice") as alice:
        await alice.register()
        sent = await alice.message("sip:nobody@cpm.test", "Hello?")
        assert sent.status == 404


async def test_waiting_has_an_end(app: App) -> None:
    async with device(app, "alice") as alice:
        with pytest.raises(TimeoutError):
            await alice.journal.wait("message", patience=0.01)
