"""One server to a data directory. A second one would take the first one's leases for those of a dead server, and send
again what is under way."""

from __future__ import annotations

import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from opencpm.app.supervision import StartError

NAME = "server.lock"


@asynccontextmanager
async def alone(folder: Path) -> AsyncIterator[None]:
    """Hold the folder as long as the block runs. The kernel lets go of it however the process ends, kill -9 included;
    the file stays, with the number of the process that had it last.

    :raises StartError: another server has it, or the file cannot be written.
    """
    try:
        file = os.open(folder / NAME, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StartError(f"{folder / NAME} cannot be opened: {error}") from error
    try:
        _take(file, folder)
        yield
    finally:
        os.close(file)


def _take(file: int, folder: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        who = os.pread(file, 20, 0).decode("ascii", "replace").strip() or "unknown"
        raise StartError(f"another server (process {who}) runs with the data in {folder}") from None
    except OSError as error:  # a file system without locks
        raise StartError(f"{folder / NAME} cannot be locked: {error}") from error
    os.ftruncate(file, 0)
    os.pwrite(file, f"{os.getpid()}\n".encode(), 0)
