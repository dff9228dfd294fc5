"""Running the programs of others: found or skipped, talked to over pipes, ended by their own process id."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import subprocess
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

PATIENCE = 15.0


def version_of(program: str, arguments: Sequence[str], pattern: str) -> str | None:
    """The version a program says it has; None when it is not installed."""
    if shutil.which(program) is None:
        return None
    done = subprocess.run([program, *arguments], capture_output=True, text=True, timeout=10, stdin=subprocess.DEVNULL)
    found = re.search(pattern, done.stdout + done.stderr)
    return found[1] if found else "of unknown version"


class Program:
    """One running program: what it said so far, and its standard input."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._news = asyncio.Condition()
        self._over = False
        self._seen = 0
        self.said = ""

    @property
    def pid(self) -> int:
        return self._process.pid

    async def listen(self) -> None:
        assert self._process.stdout is not None
        while chunk := await self._process.stdout.read(65536):
            async with self._news:
                self.said += chunk.decode(errors="replace")
                self._news.notify_all()
        async with self._news:
            self._over = True
            self._news.notify_all()

    async def write(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line.encode() + b"\n")
        await self._process.stdin.drain()

    async def says(self, pattern: str, patience: float = PATIENCE) -> re.Match[str]:
        """Wait until it says this (after what was waited for before). Raises AssertionError with all it said."""
        wanted = re.compile(pattern)

        def there() -> bool:
            return self._over or wanted.search(self.said, self._seen) is not None

        try:
            async with asyncio.timeout(patience), self._news:
                await self._news.wait_for(there)
        except TimeoutError:
            pass
        found = wanted.search(self.said, self._seen)
        assert found is not None, f"never said {pattern!r}:\n{self.said[-3000:]}"
        self._seen = found.end()
        return found

    async def ended(self, patience: float = PATIENCE) -> int:
        """Wait until it ends by itself; its exit status."""
        async with asyncio.timeout(patience):
            return await self._process.wait()

    async def end(self) -> None:
        if self._process.returncode is None:
            self._process.terminate()
        try:
            async with asyncio.timeout(3):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()


@asynccontextmanager
async def running(*command: str, home: Path) -> AsyncIterator[Program]:
    """Start a program with `home` as its home and working directory; it has ended when the block ends."""
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=home,
        env={
            "PATH": os.environ.get("PATH", ""),
            "HOME": str(home),
            "TERM": "dumb",
            "LC_ALL": "C.UTF-8",
            "NODE_EXTRA_CA_CERTS": str(home.parent / "certificate.pem"),
            "NODE_NO_WARNINGS": "1",
        },
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    program = Program(process)
    listening = asyncio.create_task(program.listen())
    try:
        yield program
    finally:
        await program.end()
        await listening
