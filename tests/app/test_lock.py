"""A data directory has one server: a second would send again what is under way in the first."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from opencpm.app import StartError, build
from opencpm.app.lock import NAME, alone
from tests.app.settings_of import small

HOLDER = """
import asyncio, sys
from pathlib import Path
from opencpm.app.lock import alone
async def main():
    async with alone(Path(sys.argv[1])):
        print("held", flush=True)
        await asyncio.Event().wait()
asyncio.run(main())
"""


async def test_a_second_server_does_not_start_and_says_who_runs(tmp_path: Path) -> None:
    settings = small(tmp_path)
    async with build(settings).running() as first:
        with pytest.raises(StartError, match=rf"process {os.getpid()}\)"):
            async with build(settings).running():
                pass
        assert first.endpoints["web"]["http"]
    async with build(settings).running():
        pass


async def test_the_lock_of_a_killed_server_is_free(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", HOLDER, str(tmp_path), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    assert await process.stdout.readline() == b"held\n"
    with pytest.raises(StartError, match=f"process {process.pid}"):
        async with alone(tmp_path):
            pass
    process.kill()
    await process.wait()
    async with alone(tmp_path):
        assert (tmp_path / NAME).read_text() == f"{os.getpid()}\n"
