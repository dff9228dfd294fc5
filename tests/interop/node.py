"""Programs for node: installed once into a cache folder, driven by lines of JSON."""

from __future__ import annotations

import fcntl
import json
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.interop.programs import Program, running

HERE = Path(__file__).parent
INSTALL = ("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--fetch-retries=0")


class NotThere(Exception):
    """The program cannot be run here; the text is why."""


def installed(name: str, folder: Path) -> Path:
    """The folder with the program of tests/interop/`name` and what it needs. :raises NotThere:"""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            raise NotThere(f"{program} is not installed (Debian: nodejs, npm)")
    source = HERE / name
    with (folder / ".lock").open("w") as one_at_a_time:
        fcntl.flock(one_at_a_time, fcntl.LOCK_EX)
        wanted = (source / "package-lock.json").read_bytes()
        done = folder / "node_modules" / "installed-lock.json"
        if not done.exists() or done.read_bytes() != wanted:
            for file in ("package.json", "package-lock.json"):
                shutil.copy(source / file, folder)
            _install(folder)
            done.write_bytes(wanted)
        for script in source.glob("*.js"):
            shutil.copy(script, folder)
    return folder


def _install(folder: Path) -> None:
    try:
        run = subprocess.run(
            INSTALL, cwd=folder, capture_output=True, text=True, timeout=90, stdin=subprocess.DEVNULL, check=False
        )
    except subprocess.TimeoutExpired:
        raise NotThere("npm could not install it within 90 s") from None
    if run.returncode:
        said = [line for line in run.stderr.splitlines() if "error" in line]
        raise NotThere(f"npm could not install it: {said[0] if said else run.returncode}")


def version(folder: Path, package: str) -> str:
    return str(json.loads((folder / "node_modules" / package / "package.json").read_text())["version"])


class Script:
    """A running script of ours: orders in, events out, a line of JSON each."""

    def __init__(self, program: Program) -> None:
        self.program = program

    async def order(self, order: Any) -> None:
        await self.program.write(json.dumps(order))

    async def event(self, name: str) -> dict[str, Any]:
        """The next event of this name; others before it are passed over."""
        found = await self.program.says(rf'(?m)^(\{{"event":"(?:{name})".*\}})$')
        return dict(json.loads(found[1]))


@asynccontextmanager
async def script(path: Path, *arguments: str, home: Path) -> AsyncIterator[Script]:
    home.mkdir(exist_ok=True)
    async with running("node", str(path), *arguments, home=home) as program:
        yield Script(program)
