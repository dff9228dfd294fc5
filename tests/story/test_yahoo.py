"""The story of Yahoo as people run it: presence, sessions, a conference, messages for later."""

from __future__ import annotations

import json
import subprocess
import sys

from opencpm.lab.story.yahoo import STEPS


def test_the_story_is_told() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "opencpm.cli", "demo", "--story", "yahoo", "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["what"] for line in lines] == [what for what, _ in STEPS]
    assert [line for line in lines if not line["ok"]] == []
    assert done.returncode == 0
    evidence = [line["evidence"] for line in lines]
    assert "6=<secret> 96=<secret>" in evidence[0]["Yahoo log"][1]
    assert evidence[4]["state"] == "accepted"  # and never more
    assert evidence[6]["at Bob's"] == 1
    assert evidence[10]["device log"] == ["Dinner on Friday?", "carol: fine with me"]
    assert evidence[12]["kept for Bob"] == 1
