"""CPM devices over every transport of SIP, and MSRP in clear and over TLS, whoever connects (point 3)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from opencpm.lab.device import LabDevice
from opencpm.protocols import sdp
from opencpm.protocols.sip.message import parse
from tests.story.village import ALICE, ALICE_MSN, BOB, CAROL, OFF, Village, tls, village
from tests.story.wires import Talk, by

TRANSPORTS = ["udp", "tcp", "tls", "ws", "wss"]


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Village]:
    async with village(tmp_path, web=OFF, sip=tls(tmp_path)) as found:
        yield found


def files(folder: Path) -> dict[str, str]:
    return {"trust": str(folder / "certificate.pem"), "key": str(folder / "key.pem")}


@asynccontextmanager
async def device(place: Village, folder: Path, user: str, transport: str) -> AsyncIterator[LabDevice]:
    made = place.absent(user, transport)
    trust = files(folder)["trust"]
    async with by(made, transport, place.app.endpoints["sip"][transport], trust) as found:
        assert await found.register() == 200
        yield found


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_messages_and_reports_both_ways(place: Village, tmp_path: Path, transport: str) -> None:
    async with device(place, tmp_path, "alice", transport) as alice:
        assert (await alice.message(BOB, f"by {transport}")).status == 202
        assert (await place.phone.wait_text(0)).text == f"by {transport}"
        await alice.journal.wait("imdn", lambda e: e.what == "delivered")
        place.phone.reply("and back")
        await alice.journal.wait("message", lambda e: e.what == "and back")
        [request] = [parse(one.raw) for one in alice.journal.find("sip.in") if b"and back" in one.raw]
        assert request.get("via").startswith(f"SIP/2.0/{transport.upper()} ")


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_session_with_a_device_elsewhere(place: Village, tmp_path: Path, transport: str) -> None:
    """Alice by this transport, with MSRP over TLS where SIP is; Carol by TCP, with MSRP in clear."""
    secure = transport in ("tls", "wss")
    async with (
        device(place, tmp_path, "alice", transport) as alice,
        place.device("carol") as carol,
        Talk(alice, "active", secure, **files(tmp_path)) as talk,
    ):
        answer = await talk.invite(CAROL)
        _, terms = sdp.msrp_media(sdp.parse(answer.body))
        assert (terms.secure, terms.setup, bool(terms.fingerprint)) == (secure, "passive", secure)
        assert await talk.say("Hello Carol") == 200
        await carol.journal.wait("message", lambda e: e.what == "Hello Carol")
        [chat] = carol.chats.values()
        assert (await chat.send("Hello Alice"))[1] == 200
        await talk.hear("Hello Alice")
        assert await talk.close() == 200
        await carol.journal.wait("closed")


@pytest.mark.parametrize("secure", [False, True], ids=["in clear", "over TLS"])
@pytest.mark.parametrize(
    ("offered", "answered"), [("active", "passive"), ("passive", "active"), ("actpass", "passive")]
)
async def test_whoever_connects_when_alice_asks(
    place: Village, tmp_path: Path, offered: str, answered: str, secure: bool
) -> None:
    await place.bob_signs_in()
    transport = "tls" if secure else "tcp"
    async with (
        device(place, tmp_path, "alice", transport) as alice,
        Talk(alice, offered, secure, **files(tmp_path)) as talk,
    ):
        answer = await talk.invite(BOB)
        assert sdp.msrp_media(sdp.parse(answer.body))[1].setup == answered
        assert await talk.say("Hello Bob") == 200
        await place.bob.text("Hello Bob")
        place.bob.chat.send("Hello Alice")
        await talk.hear("Hello Alice")
        assert await talk.close() == 200
        await place.bob.happened.wait(lambda it: it.what == "left" and it.peer == ALICE_MSN)


@pytest.mark.parametrize("secure", [False, True], ids=["in clear", "over TLS"])
@pytest.mark.parametrize("answered", ["active", "passive"])
async def test_whoever_connects_when_bob_asks(place: Village, tmp_path: Path, answered: str, secure: bool) -> None:
    await place.bob_signs_in()
    transport = "tls" if secure else "tcp"
    async with (
        device(place, tmp_path, "alice", transport) as alice,
        Talk(alice, answered, secure, **files(tmp_path)) as talk,
    ):
        alice._invited = talk.take  # type: ignore[method-assign]
        chat = await place.bob.start_chat(ALICE_MSN)
        chat.send("Are you there?")
        await talk.hear("Are you there?")
        [request] = [parse(e.raw) for e in alice.journal.find("sip.in", lambda e: e.what.startswith("INVITE"))]
        offer = sdp.msrp_media(sdp.parse(request.body))[1]
        assert (offer.setup, offer.secure) == ("actpass", secure)
        assert await talk.say("I am") == 200
        await place.bob.text("I am")
        assert await talk.close() == 200


async def test_two_devices_of_alice_over_different_transports(place: Village, tmp_path: Path) -> None:
    async with (
        device(place, tmp_path, "alice", "udp") as phone,
        device(place, tmp_path, "alice", "wss") as browser,
        device(place, tmp_path, "carol", "tls") as carol,
    ):
        await carol.message(ALICE, "to both")
        for one in (phone, browser):
            await one.journal.wait("message", lambda e: e.what == "to both")
