"""Calls to the running server's SMS centre by those who do not behave: each is bounded, and the others are not hurt."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from opencpm.cli.demo_setup import prepare
from opencpm.lab.line import CallRecord, Manner
from opencpm.lab.line.audio import sound_of
from opencpm.lab.story.line.world import ALICE_NUMBER, CENTRE, LineWorld
from opencpm.lab.story.trails import Trails, patiently
from opencpm.protocols.fsk import modulator
from opencpm.protocols.fsk.frames import sealed

CALLER = "+442079460133"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[LineWorld]:
    async with LineWorld(tmp_path, prepare) as found:
        await found.start_server()
        yield found


def frames(*octets: bytes) -> np.ndarray:
    quiet = np.zeros(6400, np.int16)
    return np.concatenate([part for frame in octets for part in (quiet, modulator.burst(frame))])


GARBAGE = np.random.default_rng(4).integers(0, 256, 100, dtype=np.uint8).tobytes()
SOUNDS = {
    "nothing at all": np.zeros(0, np.int16),
    "a voice": sound_of(Manner.VOICE),
    "a carrier without end": sound_of(Manner.MARKS),
    "noise": (np.random.default_rng(3).standard_normal(80_000) * 6000).astype(np.int16),
    "unknown frames for ever": frames(sealed(b"\x9a\x01\x01")),
    "garbage between start and stop bits": frames(GARBAGE),
    "a text that is none": frames(sealed(b"\x91\x04\x01\x02\x03\x04")),
    "acknowledgements nobody asked for": frames(sealed(b"\x95\x00"), sealed(b"\x96\x03\x00\xff\x00")),
    "EST for ever": frames(sealed(b"\x93\x00")),
    "keys": (np.sin(np.arange(16_000) * 0.547) * 8000 + np.sin(np.arange(16_000) * 0.95) * 8000).astype(np.int16),
}


@pytest.mark.parametrize("sound", SOUNDS)
async def test_the_call_is_ended_and_the_centre_serves_others_meanwhile(world: LineWorld, sound: str) -> None:
    record = world.exchange.prank(CENTRE, CALLER, SOUNDS[sound])
    sent = await world.handset.wait_sent(world.handset.send(f"beside {sound}", to=ALICE_NUMBER), 40)
    assert sent.status == "accepted"
    await _over(record)
    assert record.seconds < 65
    assert (await Trails(world.api(), 0.0).received("bob", f"beside {sound}"))["origin"] == "line"


async def test_a_text_that_is_none_leaves_a_line_for_the_operator(world: LineWorld) -> None:
    await _over(world.exchange.prank(CENTRE, CALLER, SOUNDS["a text that is none"]))
    status = await world.api().get("/status")
    assert any(one["name"] == "line" for one in status["connectors"])


async def test_a_withheld_number_is_refused(world: LineWorld) -> None:
    record = world.exchange.prank(CENTRE, "anonymous", np.zeros(0, np.int16))
    await _over(record)
    assert record.end.startswith("433")


async def test_a_number_that_is_not_ours_is_refused(world: LineWorld) -> None:
    record = world.exchange.prank("+442079460198", CALLER, np.zeros(0, np.int16))
    await _over(record)
    assert record.end.startswith("404")


async def _over(record: CallRecord) -> None:
    async def look() -> bool | None:
        return True if record.end else None

    await patiently("end of the call", look, 70)
