"""A process that is killed while it writes: everything it was answered is in the store."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

from opencpm.domain.delivery import DeliveryState
from opencpm.storage.sqlite import SqliteStore, open_store
from tests.contract.drive import claim, release_leases
from tests.contract.values import NOW

REPOSITORY = Path(__file__).parents[2]


def _run_and_kill(path: Path, lines: int) -> list[str]:
    """The complete lines it wrote; it is killed when there are so many of them."""
    command = [sys.executable, "-m", "tests.crash.writer", str(path)]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        said = [process.stdout.readline() for _ in range(lines)]
        process.kill()
        said += process.stdout.readlines()
    return [line.decode().strip() for line in said if line.endswith(b"\n")]


async def _check(store: SqliteStore, said: list[str]) -> None:
    delivered = {line[1:] for line in said if line[0] == "="}
    for ident in (line[1:] for line in said if line[0] == "+"):
        assert store.message(ident) is not None
        (record,) = store.deliveries_of(ident)
        assert len(store.trail(ident)) == 1
        if ident in delivered:
            assert record.state is DeliveryState.DELIVERED


@pytest.mark.crash
async def test_nothing_answered_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    said: list[str] = []
    for _ in range(3):
        said += _run_and_kill(path, random.randrange(1, 3000))
        store = await open_store(str(path))
        await _check(store, said)
        await release_leases(store)
        claimed = await claim(store, NOW, NOW + 60, 1_000_000)
        counts = store.counts()
        assert len(claimed) == counts["sending"] == counts["messages"] - counts["delivered"]
        await store.close()
