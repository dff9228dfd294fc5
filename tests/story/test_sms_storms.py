"""Bad weather at the SMS centre, at the running server: nothing accepted is lost, what comes twice is said to."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from opencpm.lab.device import LabDevice, Sent
from tests.story.village import OFF, Village, village

PHONE = "+12025550155"
MARK = "an earlier attempt may have arrived as well"


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Village]:
    async with village(tmp_path, web=OFF, sms={"response_timeout": 0.3, "reconnect_min": 0.02}) as found:
        policy = found.app.messaging.policy
        found.policy(allowed=frozenset({"sms"}), retry_schedule=(0.05,), limits=replace(policy.limits, attempts=50))
        yield found


@pytest.fixture
async def alice(place: Village) -> AsyncIterator[LabDevice]:
    async with place.device() as device:
        yield device


class Ledger:
    """What Alice wrote and was answered, against what the phone shows and what she was told."""

    def __init__(self, place: Village, device: LabDevice) -> None:
        self.place, self.device = place, device
        self.phone = place.mobile.handset(PHONE)
        self.sent: dict[str, Sent] = {}

    async def write(self, count: int, text: str = "text") -> None:
        for _ in range(count):
            words = f"{text} {len(self.sent)}"
            sent = await self.device.message(f"tel:{PHONE}", words)
            assert sent.status == 202
            self.sent[words] = sent

    async def all_delivered(self) -> Counter[str]:
        """How often each text is on the phone, once all are, and each was told once."""
        await self.place.until(lambda: len(self.told()) == len(self.sent))
        shown = Counter(text.text for text in self.phone.texts)
        assert shown.keys() == self.sent.keys()
        assert set(self.told().values()) == {("delivered", 1)}
        return shown

    def told(self) -> dict[str, tuple[str, int]]:
        statuses: dict[str, list[str]] = {}
        for one in self.device.imdns:
            statuses.setdefault(one.message_id, []).append(one.status)
        return {message_id: (found[0], len(found)) for message_id, found in statuses.items()}

    def unmarked(self, shown: Counter[str]) -> list[str]:
        """What came twice without a word of it."""
        return [
            text
            for text, count in shown.items()
            if count > 1 and not any(MARK in line.what for line in self.place.trail(self.sent[text].message_id))
        ]


async def test_a_storm_of_throttling_doubles_nothing(place: Village, alice: LabDevice) -> None:
    ledger = Ledger(place, alice)
    place.mobile.faults.throttle, place.mobile.faults.queue_full = 2, 2  # each a pause of a second and half the rate
    await ledger.write(15)
    shown = await ledger.all_delivered()
    assert set(shown.values()) == {1}
    assert not [one for sent in ledger.sent.values() for one in place.trail(sent.message_id) if one.step == "retried"]


async def test_lost_responses_double_no_more_than_were_lost(place: Village, alice: LabDevice) -> None:
    ledger = Ledger(place, alice)
    for _ in range(4):
        place.mobile.faults.no_response = 2
        await ledger.write(6)
        await place.until(lambda: place.mobile.faults.no_response == 0)
    shown = await ledger.all_delivered()
    assert sum(shown.values()) <= len(shown) + 8
    assert ledger.unmarked(shown) == []


async def test_a_long_text_of_which_one_response_is_lost_is_whole_on_the_phone(
    place: Village, alice: LabDevice
) -> None:
    ledger = Ledger(place, alice)
    place.mobile.faults.no_response = 1
    await ledger.write(1, "many words " * 40)
    shown = await ledger.all_delivered()
    assert sum(shown.values()) <= 2
    assert ledger.unmarked(shown) == []


async def test_a_link_that_flaps(place: Village, alice: LabDevice) -> None:
    ledger = Ledger(place, alice)
    for flap in range(6):
        place.mobile.faults.delay = 0.05 * (flap % 2)  # so that some are under way
        await ledger.write(8)
        await place.mobile.disconnect()
    place.mobile.faults.clear()
    shown = await ledger.all_delivered()
    assert sum(shown.values()) <= len(shown) + 6 * 10  # the window, a flap
    assert ledger.unmarked(shown) == []


@pytest.mark.parametrize("seed", [1, 2])
async def test_all_of_it_together(place: Village, alice: LabDevice, seed: int) -> None:
    chance = random.Random(seed)
    ledger = Ledger(place, alice)
    faults = place.mobile.faults
    for _ in range(8):
        fault = chance.choice(["throttle", "queue_full", "no_response", "disconnect", "down"])
        if fault in ("throttle", "queue_full", "no_response"):
            setattr(faults, fault, chance.randint(1, 3))
        await ledger.write(chance.randint(1, 6), chance.choice(["short", "long " * 50]))
        if fault == "disconnect":
            await place.mobile.disconnect()
        elif fault == "down":
            await place.mobile.down()
            await ledger.write(2)
            await place.mobile.up()
    faults.clear()
    shown = await ledger.all_delivered()
    assert ledger.unmarked(shown) == []
