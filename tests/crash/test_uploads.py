"""Killed amid uploads: what was answered is there, to the byte, and the rest can be brought."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

from opencpm.storage.uploads import DiskUploads
from tests.crash.uploader import Clock, Ids, content

REPOSITORY = Path(__file__).parents[2]


def _run_and_kill(folder: Path, lines: int) -> list[str]:
    command = [sys.executable, "-m", "tests.crash.uploader", str(folder)]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        said = [process.stdout.readline() for _ in range(lines)]
        process.kill()
        said += process.stdout.readlines()
    return [line.decode().strip() for line in said if line.endswith(b"\n")]


@pytest.mark.crash
async def test_nothing_answered_is_lost(tmp_path: Path) -> None:
    for _ in range(4):
        said = _run_and_kill(tmp_path, random.randrange(1, 30))
        uploads = DiskUploads(tmp_path, Clock(), Ids())
        answered = {tid: (mark, int(size)) for mark, tid, size in (line.split() for line in said)}
        for tid, (mark, size) in answered.items():
            found = uploads.of("alice", tid)
            assert found is not None, tid
            assert found.received >= size
            body = content(tid)
            if not found.complete:
                assert mark == "~"
                await uploads.append(found.id, found.received, body[found.received :])
                await uploads.finish(found.id)
            part = uploads.content(found.id)
            assert part is not None
            assert part.body == body
            await uploads.remove(found.id)
        for path in tmp_path.glob("*.json"):  # begun, and nothing said of it
            await uploads.remove(path.stem)
        assert list(tmp_path.iterdir()) == []
