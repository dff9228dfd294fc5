"""Alice and Bob on XMPP: with the lab's server always, with Prosody where it is installed, and by the command."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from opencpm.cli.demo_setup import prepare
from opencpm.lab.story.driver import run_steps
from opencpm.lab.story.trails import Trails
from opencpm.lab.story.xmpp import STEPS, XmppWorld
from opencpm.lab.story.xmpp.stage import Stage
from opencpm.lab.xmpp.prosody import installed


@pytest.mark.parametrize("real", [False, pytest.param(True, marks=pytest.mark.interop)])
async def test_the_story_is_true(tmp_path: Path, real: bool) -> None:
    if real and not installed():
        pytest.skip("Prosody is not installed (Debian: prosody)")
    async with XmppWorld(tmp_path, prepare, real) as world:
        await world.start_server()
        async with world.device() as device:
            assert await device.register() == 200
            now = time.time()
            stage = Stage(world, device, Trails(world.api(), now), now)
            results = [result async for result in run_steps(STEPS, stage)]
    assert [(result.what, result.evidence) for result in results if not result.ok] == []
    assert len(results) == 17


def test_the_command_tells_it() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "opencpm.cli", "demo", "--story", "xmpp", "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line for line in lines if not line["ok"]] == []
    assert done.returncode == 0
    assert lines[0]["evidence"]["server"] == ("Prosody" if installed() else "the lab's")
    assert "urn:xmpp:receipts" in lines[7]["evidence"]["XMPP log"]
