"""The story of the telephone line as people run it, and its world in trouble."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from opencpm.cli.demo_setup import prepare
from opencpm.lab.line import Manner
from opencpm.lab.smsc import LabSmsc
from opencpm.lab.story.line import STEPS, tell
from opencpm.lab.story.line.world import BOB_LINE, OLD_LINE, LineWorld
from opencpm.lab.story.trails import Trails
from opencpm.lab.world import smsc_link


def told(*options: str) -> tuple[int, list[dict[str, Any]]]:
    done = subprocess.run(
        [sys.executable, "-m", "opencpm.cli", "demo", "--story", "line", "--json", *options],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


def test_the_story_is_told() -> None:
    status, lines = told()
    assert [line for line in lines if not line["ok"]] == []
    assert (status, len(lines)) == (0, len(STEPS))
    sound = lines[3]["evidence"]["sound"]
    assert sound["samples each way"] > 8000
    assert -16 < sound["heard by the line, dBm0"] < -10
    assert lines[10]["evidence"]["trail"].startswith("undeliverable: there is no SMS terminal on this line")


def test_a_lost_packet_makes_the_text_be_said_again() -> None:
    status, lines = told("--break", "packet")
    assert [line for line in lines if not line["ok"]] == []
    assert status == 0
    assert any(" ERROR 92" in frame for frame in lines[3]["evidence"]["frames"])


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[LineWorld]:
    async with LineWorld(tmp_path, prepare) as found:
        await found.start_server()
        yield found


async def test_it_can_be_told_again_in_the_same_world(world: LineWorld) -> None:
    for _ in range(2):
        assert [line async for line in tell(world) if not line.ok] == []


async def test_what_was_acknowledged_to_the_handset_is_not_lost_when_the_server_is_killed(world: LineWorld) -> None:
    """Alice is away. The handset's call ends with ACK; then the power goes; then Alice comes back."""
    sent = await world.handset.wait_sent(world.handset.send("before the cut", to="+442079460100"))
    assert sent.status == "accepted"
    await world.server.kill()
    await world.server.start()
    async with world.device() as device:
        await device.register()
        await device.journal.wait("message", lambda e: e.what == "before the cut", 20)


async def test_a_call_broken_off_by_a_kill_is_made_again_with_the_same_octets(world: LineWorld) -> None:
    """The server dies while the handset speaks its acknowledgement: what is not settled is brought once more."""
    async with world.device() as device:
        await device.register()
        sent = await device.message(f"tel:{BOB_LINE}", "only once")
        await world.handset.wait_text(0)
        await world.server.kill()
        await world.server.start()
        world.exchange.connect(world.server.endpoints["line"]["sip"])
    await Trails(world.api(), 0.0).message(sent.message_id, "delivered")
    first, *others = world.exchange.log.of(BOB_LINE)
    said = next(t.frame for t in first.trace if t.frame.startswith("91"))
    assert all(said in [t.frame for t in call.trace] for call in others)


@pytest.mark.parametrize(
    ("manner", "words"),
    [
        (Manner.FAX, "the answer tone of a fax machine or a modem"),
        (Manner.SILENT, "silence"),
        (Manner.MARKS, "carrier did not end"),
    ],
)
async def test_whatever_answers_the_call_is_bounded_and_the_reason_clear(
    world: LineWorld, manner: Manner, words: str
) -> None:
    world.exchange.line(OLD_LINE, manner)
    async with world.device() as device:
        await device.register()
        sent = await device.message(f"tel:{OLD_LINE}", "hello?")
        line = await Trails(world.api(), 0.0).message(sent.message_id, "failed")
        assert line["what"].startswith("undeliverable: there is no SMS terminal on this line")
        assert words in line["what"]
    assert max(call.seconds for call in world.exchange.log) < 15


async def test_a_busy_line_waits_and_the_trail_says_so(world: LineWorld) -> None:
    world.exchange.faults.busy.add(BOB_LINE)
    async with world.device() as device:
        await device.register()
        sent = await device.message(f"tel:{BOB_LINE}", "are you on the phone?")
        line = await Trails(world.api(), 0.0).message(sent.message_id, "retried")
        assert "busy, the telephone line is busy [SIP 486" in line["what"]


async def test_word_of_a_message_goes_back_to_the_line_that_asked(tmp_path: Path) -> None:
    """The handset asks for a report; Alice's device gets the text; the centre calls the handset with the report."""
    async with LineWorld(tmp_path, prepare) as world:
        world.handset.wants_reports = True
        await world.start_server()
        async with world.device() as device:
            await device.register()
            sent = await world.handset.wait_sent(world.handset.send("tell me", to="+442079460100"))
            assert sent.status == "accepted"
            await device.journal.wait("message", lambda e: e.what == "tell me", 20)
            await world.exchange.happenings.until(lambda: bool(world.handset.reports), 20)
        (report,) = world.handset.reports
        assert (report.status, report.reference) == (0x00, sent.marks[0])


async def test_a_line_without_a_terminal_lets_the_next_network_have_the_text(tmp_path: Path) -> None:
    """The operator has another way to telephone lines: a centre that speaks SMPP, and reads texts out by voice."""
    async with LabSmsc(accounts={"opencpm": "sesame"}) as smsc, LineWorld(tmp_path, prepare) as world:
        spoken = smsc.handset(OLD_LINE)
        world.more = {"sms": {**smsc_link(smsc), "label": "the old centre"}}
        await world.start_server()
        await smsc.wait_bound(1, 20)
        async with world.device() as device:
            await device.register()
            sent = await device.message(f"tel:{OLD_LINE}", "read this out")
            assert (await spoken.wait_text(0, 20)).text == "read this out"
            trails = Trails(world.api(), 0.0)
            why = await trails.message(sent.message_id, "retried")
            assert "there is no SMS terminal on this line" in why["what"]
            await trails.message(sent.message_id, "delivered")
