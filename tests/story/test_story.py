"""The story as people run it: the command, its lines and its exit status."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from opencpm.cli.demo_setup import prepare
from opencpm.lab.smsc import Coverage
from opencpm.lab.story import trails as patience
from opencpm.lab.story.concert import STEPS, tell
from opencpm.lab.world import BOB_NUMBER, World


def told(*options: str) -> tuple[int, list[dict[str, Any]]]:
    done = subprocess.run(
        [sys.executable, "-m", "opencpm.cli", "demo", "--story", "--json", *options],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


def test_the_story_is_told() -> None:
    status, lines = told()
    assert [line["step"] for line in lines] == list(range(1, 24))
    assert [line for line in lines if not line["ok"]] == []
    assert status == 0
    sms = lines[4]["evidence"]
    assert sms["SMSC log"]["pdu"] == "submit_sm"
    assert sms["SMSC log"]["destination_addr"] == BOB_NUMBER[1:]
    assert bytes.fromhex(sms["octets"])[4:8] == b"\x00\x00\x00\x04"
    assert lines[13]["evidence"]["MSN log"].startswith("CAL ")
    assert lines[20]["evidence"]["MSN log"] == "OUT"


def test_with_a_broken_sms_network_the_text_waits_and_arrives() -> None:
    status, lines = told("--break", "sms")
    assert [line for line in lines if not line["ok"]] == []
    assert (status, len(lines)) == (0, 23)
    step = lines[4]["evidence"]
    assert step["while it was down"]["PDUs at the SMSC"] == 0
    assert step["while it was down"]["trail"]["waits for"] == "network:sms"
    assert step["when it was back"]["SMSC log"]["pdu"] == "submit_sm"


async def test_a_step_that_fails_is_said_and_the_rest_not_reached(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bob's phone is off: the SMS system has the text, the phone never shows it."""
    monkeypatch.setattr("opencpm.lab.story.concert.message_steps.PATIENCE", 0.5)
    monkeypatch.setattr(patience, "PATIENCE", 0.5)
    async with World(tmp_path, prepare) as world:
        await world.start_server()
        world.phone.coverage = Coverage.OFF
        lines = [line async for line in tell(world)]
    assert len(lines) == len(STEPS) == 23
    assert [line.step for line in lines if line.ok] == [1, 2, 3, 4, 5]
    assert "TimeoutError" in lines[5].evidence["error"]
    assert {line.evidence["error"] for line in lines[6:]} == {"not reached"}


async def test_it_can_be_told_again_in_the_same_world(tmp_path: Path) -> None:
    async with World(tmp_path, prepare) as world:
        await world.start_server()
        for _ in range(2):
            assert [line async for line in tell(world) if not line.ok] == []


async def test_links_come_back_after_the_server_was_killed(tmp_path: Path) -> None:
    async with World(tmp_path, prepare) as world:
        await world.start_server()
        await world.server.kill()
        await world.server.start()
        await world.linked()
        assert [line async for line in tell(world) if not line.ok] == []
