"""The server as a process of its own, so that it can be measured, killed and started again."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from pathlib import Path
from typing import Any

START_PATIENCE = 30.0


class ServerError(RuntimeError):
    """The server did not start; the text is what it said."""


class ServerProcess:
    """``opencpm serve`` with a settings file; with ``profile`` under the profiler, which writes there at the end."""

    def __init__(self, config: Path, log: Path, profile: Path | None = None) -> None:
        self.config, self.log = config, log
        self._under = ["-m", "cProfile", "-o", str(profile)] if profile else []
        self.endpoints: dict[str, dict[str, tuple[str, int]]] = {}
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None, "not started"
        return self._process.pid

    async def start(self) -> None:
        """Start and wait until it says that it is ready. :raises ServerError:"""
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, *self._under, "-m", "opencpm.cli",
                "serve", "--json", "--until-eof", "--config", str(self.config),
                stdin=asyncio.subprocess.PIPE,  # ends with us, however we end
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
            )  # fmt: skip
        assert self._process.stdout is not None
        try:
            async with asyncio.timeout(START_PATIENCE):
                line = await self._process.stdout.readline()
        except TimeoutError:
            await self.kill()
            line = b""
        if not line:
            raise ServerError(f"the server did not start: {self.said()}")
        self.endpoints = _endpoints(json.loads(line)["endpoints"])

    def said(self, lines: int = 5) -> str:
        """The last lines of its log."""
        return "\n".join(self.log.read_text("utf-8", "replace").splitlines()[-lines:])

    async def stop(self) -> int | None:
        """Ask it to stop and wait; returns its exit status."""
        return await self._end(signal.SIGTERM)

    async def kill(self) -> int | None:
        """End it at once, as a power cut does."""
        return await self._end(signal.SIGKILL)

    async def _end(self, number: signal.Signals) -> int | None:
        process, self._process = self._process, None
        if process is None:
            return None
        if process.returncode is None:
            process.send_signal(number)
        try:
            async with asyncio.timeout(20):
                return await process.wait()
        except TimeoutError:
            process.kill()
            return await process.wait()


def _endpoints(found: dict[str, Any]) -> dict[str, dict[str, tuple[str, int]]]:
    return {name: {kind: (str(h), int(p)) for kind, (h, p) in kinds.items()} for name, kinds in found.items()}
