"""The story of MSN as people run it: presence, sessions from either side, messages for later."""

from __future__ import annotations

import json
import subprocess
import sys

from opencpm.lab.story.msn import STEPS


def test_the_story_is_told() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "opencpm.cli", "demo", "--story", "msn", "--json"],
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
    assert "SSO S <token> <response>" in evidence[0]["MSN log"][2]
    assert evidence[6]["Bob's texts"] == ["Hello Bob ☃", "It broke. Still there?", "I am."]
    assert evidence[11]["trail"].startswith("offline message:")
    assert "DeleteMessages" in evidence[13]["MSN log"][0]
