"""JsSIP in node: installed once into a cache folder, driven by lines of JSON."""

from __future__ import annotations

import fcntl
import json
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.interop.house import DOMAIN, HOST
from tests.interop.programs import Program, running

SOURCE = Path(__file__).parent / "jssip"
INSTALL = ("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--fetch-retries=0")


class NotThere(Exception):
    """JsSIP cannot be run here; the text is why."""


def installed(folder: Path) -> Path:
    """The folder with phone.js and what it needs. :raises NotThere:"""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            raise NotThere(f"{program} is not installed (Debian: nodejs, npm)")
    with (folder / ".lock").open("w") as one_at_a_time:
        fcntl.flock(one_at_a_time, fcntl.LOCK_EX)
        wanted = (SOURCE / "package-lock.json").read_bytes()
        done = folder / "node_modules" / "installed-lock.json"
        if not done.exists() or done.read_bytes() != wanted:
            for name in ("package.json", "package-lock.json"):
                shutil.copy(SOURCE / name, folder)
            _install(folder)
            done.write_bytes(wanted)
        shutil.copy(SOURCE / "phone.js", folder)
    return folder


def _install(folder: Path) -> None:
    try:
        run = subprocess.run(
            INSTALL, cwd=folder, capture_output=True, text=True, timeout=90, stdin=subprocess.DEVNULL, check=False
        )
    except subprocess.TimeoutExpired:
        raise NotThere("npm could not install JsSIP within 90 s") from None
    if run.returncode:
        said = [line for line in run.stderr.splitlines() if "error" in line]
        raise NotThere(f"npm could not install JsSIP: {said[0] if said else run.returncode}")


def version(folder: Path) -> str:
    return str(json.loads((folder / "node_modules/jssip/package.json").read_text())["version"])


class Phone:
    """One JsSIP user agent."""

    def __init__(self, program: Program) -> None:
        self.program = program

    async def event(self, name: str) -> dict[str, Any]:
        """The next event of this name; others before it are passed over."""
        found = await self.program.says(rf'(?m)^(\{{"event":"{name}".*\}})$')
        return dict(json.loads(found[1]))

    async def send(self, to: str, text: str, content_type: str = "text/plain") -> dict[str, Any]:
        """Send and wait for the answer, which must be a success."""
        await self.program.write(json.dumps({"to": to, "text": text, "type": content_type}))
        return await self.event("(?:sent|failed)")

    async def quit(self) -> None:
        await self.program.write('"quit"')


@asynccontextmanager
async def phone(installation: Path, home: Path, user: str, password: str, port: int) -> AsyncIterator[Phone]:
    home.mkdir()
    command = ("node", str(installation / "phone.js"), f"ws://{HOST}:{port}/", f"sip:{user}@{DOMAIN}", password)
    async with running(*command, home=home) as program:
        yield Phone(program)
