"""The story of one group session on four networks."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from opencpm.cli.demo_setup import prepare
from opencpm.lab.story import trails
from opencpm.lab.story.group import STEPS, tell
from opencpm.lab.story.group.world import GroupWorld


def test_the_story_is_told() -> None:
    command = [sys.executable, "-m", "opencpm.cli", "demo", "--story", "group", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line for line in lines if not line["ok"]] == []
    assert (done.returncode, len(lines)) == (0, len(STEPS))
    assert lines[8]["evidence"]["device"]["CPIM From"] == "sip:bob%40msn.test@cpm.test"
    assert lines[9]["evidence"]["MSN log"][1] == "Carol: Me too"
    assert lines[10]["evidence"]["XMPP log"].count("<body>+12025550133: ") == 1


async def test_without_the_xmpp_server_the_group_stands_and_the_step_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trails, "PATIENCE", 0.5)
    monkeypatch.setattr(trails.patiently, "__defaults__", (0.5,))
    async with GroupWorld(tmp_path, prepare) as world:
        await world.start_server()
        await world.xmpp.down()
        lines = [line async for line in tell(world)]
    assert [line.step for line in lines if line.ok] == [1, 2, 3]
    assert "xmpp:carol@xmpp.test" in lines[3].evidence["error"]
