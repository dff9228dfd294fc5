"""Alice is offline, or gone without a word: what comes is kept, and pushed in order when she returns (point 3)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from opencpm.access.sip.core import Core
from opencpm.lab.device import LabDevice
from opencpm.protocols import cpim
from opencpm.protocols.sip.message import Message, parse
from opencpm.protocols.sip.transaction import Timers
from tests.story.village import ALICE, CAROL, OFF, USERS, Village, raw, village

FIVE = [f"number {n}" for n in range(5)]
NUMBER = USERS["alice"][1]


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Village]:
    async with village(tmp_path, web=OFF) as found:
        yield found


async def get_all(device: LabDevice, count: int) -> list[str]:
    """The texts that came, in the order in which they came, once there are so many."""
    await device.journal.wait("message", lambda e: len(device.inbox) >= count)
    return [heard.text for heard in device.inbox]


def requests(device: LabDevice) -> list[Message]:
    return [parse(entry.raw) for entry in device.journal.find("sip.in", lambda e: e.what.startswith("MESSAGE"))]


async def drop(place: Village, device: LabDevice) -> None:
    """The connection breaks and nobody says good-bye; returns when the server has seen it."""
    device.agent.close()
    sip = place.app.messaging.connectors["sip"]
    alice = place.app.directory.subscriber("alice")
    assert alice is not None
    await place.until(lambda: sip.reach("alice", alice.addresses[0]).availability == "offline")


async def test_what_came_from_every_side_is_pushed_in_order_with_its_own_times(place: Village) -> None:
    """SMS, MSN and another device; Alice had never registered."""
    await place.bob_signs_in()
    long_ago = "2026-01-02T03:04:05Z"
    async with place.device("carol") as carol:
        body = cpim.compose(b"from Carol", "text/plain", message_id="old-1", datetime=long_ago)
        assert (await raw(carol, ALICE, "message/cpim", body)).status == 202
        sent = place.phone.send("from Bob's phone", NUMBER)
        await place.until(lambda: sent.status == "accepted")
        chat = await place.bob.start_chat("alice@msn.test")
        chat.send("from Bob's computer")
        await place.until(lambda: place.app.store.waiting("user:alice") == 3)
    async with place.device() as alice:
        assert await get_all(alice, 3) == ["from Carol", "from Bob's phone", "from Bob's computer"]
        first = requests(alice)[0]
        assert cpim.parse(first.body).datetime == long_ago
        assert first.get("date") == "Fri, 02 Jan 2026 03:04:05 GMT"


async def test_gone_without_unregistering_over_tcp(place: Village) -> None:
    async with place.device("carol") as carol, place.absent() as gone:
        await gone.register()
        await drop(place, gone)
        for text in FIVE:
            assert (await carol.message(ALICE, text)).status == 202
        assert carol.imdns == []
        async with place.device(instance=gone.instance) as back:
            assert await get_all(back, 5) == FIVE
        await place.until(lambda: len(carol.imdns) == 5)
        assert {found.status for found in carol.imdns} == {"delivered"}


async def test_the_connection_breaks_while_a_message_is_under_way(place: Village) -> None:
    """The device has it and its answer is lost: it comes again, with the same Message-ID, and is shown once."""
    async with place.device("carol") as carol, Deaf(place.absent()) as alice:
        sent = await carol.message(ALICE, "are you there?")
        await alice.journal.wait("sip.in", lambda e: e.what.startswith("MESSAGE"))
        await drop(place, alice)
        await place.line(sent.message_id, "deferred", "until Alice is online")
        async with place.device() as back:
            await get_all(back, 1)
            one, again = requests(alice)[0], requests(back)[0]
            assert cpim.parse(one.body).message_id == cpim.parse(again.body).message_id == sent.message_id
            assert one.get("call-id").partition("@")[0][:30] == again.get("call-id").partition("@")[0][:30]
        await carol.journal.wait("imdn", lambda e: e.what == "delivered")


async def test_a_device_over_udp_that_no_longer_answers(place: Village) -> None:
    """It counts as away; when it registers again from another port everything comes, at once and in order."""
    quick(place)
    async with place.device("carol") as carol, Deaf(place.absent(transport="udp")) as silent:
        for text in FIVE:
            assert (await carol.message(ALICE, text)).status == 202
        await place.until(lambda: place.app.store.waiting("user:alice") == 5)
        assert requests(silent)
        [binding] = core(place).location.of("alice")
        assert binding.silences == 1  # five at once are one silence
        async with place.device(transport="udp", instance=silent.instance) as back:
            assert await get_all(back, 5) == FIVE


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_a_device_that_comes_back_elsewhere_is_not_kept_waiting_for_the_old_place(
    place: Village, transport: str
) -> None:
    """What is under way to where the device was goes to where it is; and its silence there is not held against it.
    Over TCP: the network changed, and the old connection does not know it yet."""
    async with place.device("carol") as carol, Deaf(place.absent(transport=transport)) as silent:
        for text in FIVE[:3]:
            assert (await carol.message(ALICE, text)).status == 202
        await silent.journal.wait("sip.in", lambda e: e.what.startswith("MESSAGE"))
        async with place.device(transport=transport, instance=silent.instance) as back:
            assert await get_all(back, 3) == FIVE[:3]
            assert (await carol.message(ALICE, FIVE[3])).status == 202
            assert await get_all(back, 4) == FIVE[:4]


async def test_expiry_is_told_to_a_cpm_sender(place: Village) -> None:
    async with place.device("carol") as carol:
        wants = ("positive-delivery", "negative-delivery")
        body = cpim.compose(b"now or never", "text/plain", message_id="late-1", datetime=NOW, dispositions=wants)
        assert (await raw(carol, ALICE, "message/cpim", body, ("Expires", "1"))).status == 202
        told = await carol.journal.wait("imdn", lambda e: e.facts["message_id"] == "late-1")
        assert told.what == "failed"
        await place.until(lambda: place.records("late-1", CAROL)[0].state == "expired")
        async with place.device() as alice:
            await carol.message(ALICE, "another")
            assert await get_all(alice, 1) == ["another"]


NOW = "2026-03-01T12:00:00Z"


async def test_it_waits_over_a_restart(tmp_path: Path) -> None:
    async with village(tmp_path, web=OFF) as place, place.device("carol") as carol:
        for text in FIVE:
            assert (await carol.message(ALICE, text)).status == 202
    async with village(tmp_path, web=OFF) as place, place.device("carol") as carol, place.device() as alice:
        assert await get_all(alice, 5) == FIVE
        await place.until(lambda: len(carol.imdns) == 5)


async def test_new_messages_do_not_overtake_those_that_wait(place: Village) -> None:
    async with place.device("carol") as carol:
        for text in FIVE:
            assert (await carol.message(ALICE, text)).status == 202
        async with place.absent() as alice:
            registering = asyncio.create_task(alice.register())
            for text in ("late one", "late two"):
                assert (await carol.message(ALICE, text)).status == 202
            assert await registering == 200
            assert await get_all(alice, 7) == [*FIVE, "late one", "late two"]


async def test_two_devices_and_one_of_them_silent(place: Village) -> None:
    async with (
        place.device("carol") as carol,
        Deaf(place.absent(transport="udp")) as silent,
        place.device() as alice,
    ):
        sent = await carol.message(ALICE, "to whichever")
        assert await get_all(alice, 1) == ["to whichever"]
        await silent.journal.wait("sip.in", lambda e: e.what.startswith("MESSAGE"))
        await place.until_state(sent.message_id, "delivered", sender=CAROL)
        await carol.journal.wait("imdn", lambda e: e.what == "delivered")
        assert [found.status for found in carol.imdns] == ["delivered"]


async def test_all_devices_get_their_copy_and_the_sender_hears_once(place: Village) -> None:
    async with place.device("carol") as carol, place.device() as phone, place.device(transport="udp") as tablet:
        await carol.message(ALICE, "to all of yours")
        assert await get_all(phone, 1) == await get_all(tablet, 1) == ["to all of yours"]
        await carol.journal.wait("imdn")
        await phone.displayed(phone.inbox[0])
        await tablet.displayed(tablet.inbox[0])
        await carol.journal.wait("imdn", lambda e: e.what == "displayed")
        await carol.message(ALICE, "another")
        await place.until(lambda: len(carol.imdns) == 3)
        assert [found.status for found in carol.imdns] == ["delivered", "displayed", "delivered"]


async def test_who_signs_out_is_away(place: Village) -> None:
    async with place.device("carol") as carol, place.device() as alice:
        assert await alice.register(0) == 200
        sent = await carol.message(ALICE, "after you left")
        assert sent.status == 202
        assert requests(alice) == []
        assert await alice.register() == 200
        assert await get_all(alice, 1) == ["after you left"]


async def test_a_notification_waits_for_its_sender_too(place: Village) -> None:
    """Carol asks, goes away, and hears of the delivery when she is back."""
    async with place.device() as alice:
        async with place.absent("carol") as carol:
            await carol.register()
            alice.auto_delivered = False
            sent = await carol.message(ALICE, "read this")
            await get_all(alice, 1)
            assert await carol.register(0) == 200
        assert await alice.displayed(alice.inbox[0]) in (200, 202)
        async with place.device("carol") as back:
            told = await back.journal.wait("imdn", lambda e: e.what == "displayed")
            assert told.facts["message_id"] == sent.message_id


class Deaf:
    """A device that registers, and then hears every MESSAGE and says nothing."""

    def __init__(self, device: LabDevice) -> None:
        self._device = device

    async def __aenter__(self) -> LabDevice:
        await self._device.__aenter__()
        assert await self._device.register() == 200
        self._device.auto_delivered = False
        self._device.agent.respond = lambda *args, **more: None  # type: ignore[method-assign]
        return self._device

    async def __aexit__(self, *_: object) -> None:
        self._device.agent.close()


def quick(place: Village) -> None:
    """Requests to devices are given up after one second instead of 32 (RFC 3261 §17.1.2.2: timer F is 64 T1)."""
    core(place).endpoint._layer.timers = Timers(t1=0.015)


def core(place: Village) -> Core:
    """The parts of the running SIP access."""
    found: Core = place.app.messaging.connectors["sip"].inner.core  # type: ignore[attr-defined]
    return found
