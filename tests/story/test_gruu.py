"""A peer uses a GRUU: what is sent to it is for that one device (RFC 5627 §4.3, point 3)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from opencpm.lab.device import LabDevice, Refused
from opencpm.protocols.sip.headers import parse_name_addr
from opencpm.protocols.sip.message import parse
from tests.story.village import ALICE, OFF, Village, village

KINDS = ["pub-gruu", "temp-gruu"]


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Village]:
    async with village(tmp_path, web=OFF, signed_in=False) as found:
        yield found


def gruu(device: LabDevice, kind: str) -> str:
    """What the registrar gave the device, as it tells others."""
    answers = [parse(entry.raw) for entry in device.journal.find("sip.in") if b"pub-gruu" in entry.raw]
    contacts = [parse_name_addr(value) for value in answers[-1].values("contact")]
    return next(c.parameters[kind] for c in contacts if device.instance in c.parameters["+sip.instance"])


def texts(device: LabDevice) -> list[str]:
    return [heard.text for heard in device.inbox]


@pytest.mark.parametrize("kind", KINDS)
async def test_a_message_reaches_that_device_alone(place: Village, kind: str) -> None:
    async with place.device("carol") as carol, place.device() as phone, place.device(transport="udp") as tablet:
        sent = await carol.message(gruu(tablet, kind), "to the tablet")
        assert sent.status == 202
        await carol.journal.wait("imdn", lambda e: e.facts["message_id"] == sent.message_id)
        await carol.message(ALICE, "to all")
        for device in (phone, tablet):
            await device.journal.wait("message", lambda e: e.what == "to all")
        assert (texts(phone), texts(tablet)) == (["to all"], ["to the tablet", "to all"])


async def test_a_device_that_has_gone_loses_nobody_a_message(place: Village) -> None:
    async with place.device("carol") as carol, place.device() as phone:
        async with place.device() as tablet:
            there = gruu(tablet, "pub-gruu")
            assert await tablet.register(0) == 200
        assert (await carol.message(there, "anybody?")).status == 202
        await phone.journal.wait("message", lambda e: e.what == "anybody?")


async def test_nor_does_one_that_comes_back_later(place: Village) -> None:
    async with place.device("carol") as carol:
        async with place.device() as tablet:
            there = gruu(tablet, "pub-gruu")
            assert await tablet.register(0) == 200
        sent = await carol.message(there, "when you are back")
        assert sent.status == 202
        async with place.device(instance=tablet.instance) as back:
            await back.journal.wait("message", lambda e: e.what == "when you are back")
        await place.until_state(sent.message_id, "delivered", "displayed", sender="sip:carol@cpm.test")


@pytest.mark.parametrize("kind", KINDS)
async def test_a_session_rings_that_device_alone(place: Village, kind: str) -> None:
    async with place.device("carol") as carol, place.device() as phone, place.device() as tablet:
        chat = await carol.invite(gruu(tablet, kind))
        assert (await chat.send("on your tablet"))[1] == 200
        await tablet.journal.wait("message", lambda e: e.what == "on your tablet")
        assert not phone.journal.find("sip.in", lambda e: e.what.startswith("INVITE"))
        assert await chat.close() == 200


async def test_nobody_else_answers_for_a_device_that_has_gone(place: Village) -> None:
    async with place.device("carol") as carol, place.device() as phone:
        async with place.device() as tablet:
            there = gruu(tablet, "pub-gruu")
            assert await tablet.register(0) == 200
        with pytest.raises(Refused) as refused:
            await carol.invite(there)
        assert refused.value.status == 480
        assert not phone.journal.find("sip.in", lambda e: e.what.startswith("INVITE"))
