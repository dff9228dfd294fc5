"""The story of the photograph, as people run it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from opencpm.cli.demo_setup import prepare
from opencpm.lab.story import trails as patience
from opencpm.lab.story.mms import STEPS, tell
from opencpm.lab.story.mms import steps as the_steps
from opencpm.lab.story.mms.world import BOB_NUMBER, MmsWorld


def test_the_story_is_told() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "opencpm.cli", "demo", "--story", "mms", "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line for line in lines if not line["ok"]] == []
    assert [line["step"] for line in lines] == list(range(1, len(STEPS) + 1))
    assert done.returncode == 0
    submitted, phone = lines[2]["evidence"], lines[3]["evidence"]["phone"]
    assert submitted["MMSC log"]["operation"] == "SubmitReq"
    assert submitted["octets"] < 160_000
    assert phone["picture"] == "640x480"
    assert lines[9]["evidence"]["phone"]["text"].count("http") == 1


async def test_where_the_phone_refuses_the_step_says_so_and_the_rest_is_not_reached(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(the_steps, "PATIENCE", 0.5)
    monkeypatch.setattr(patience, "PATIENCE", 0.5)
    async with MmsWorld(tmp_path, prepare) as world:
        world.phone.rejects = True
        await world.start_server()
        lines = [line async for line in tell(world)]
    assert [line.step for line in lines if line.ok] == [1, 2, 3]
    assert "TimeoutError" in lines[3].evidence["error"]
    assert {line.evidence["error"] for line in lines[4:]} == {"not reached"}


async def test_where_mms_is_refused_from_the_start_nothing_is_claimed_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "PATIENCE", 1.0)
    async with MmsWorld(tmp_path, prepare) as world:
        world.mmsc.faults.refuse[BOB_NUMBER] = 4007
        await world.start_server()
        lines = [line async for line in tell(world)]
    assert not lines[2].ok
