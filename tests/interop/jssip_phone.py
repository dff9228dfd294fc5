"""JsSIP, as a page in a browser uses it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.interop.house import DOMAIN, HOST
from tests.interop.node import Script, script


class Phone:
    """One JsSIP user agent."""

    def __init__(self, running: Script) -> None:
        self._script = running
        self.event = running.event

    async def send(self, to: str, text: str, content_type: str = "text/plain") -> dict[str, Any]:
        """Send a MESSAGE and wait for what became of it."""
        await self._script.order({"to": to, "text": text, "type": content_type})
        return await self.event("sent|failed")

    async def quit(self) -> None:
        await self._script.order("quit")


@asynccontextmanager
async def phone(
    installation: Path, home: Path, user: str, password: str, port: int, *, scheme: str = "ws"
) -> AsyncIterator[Phone]:
    arguments = (f"{scheme}://{HOST}:{port}/", f"sip:{user}@{DOMAIN}", password)
    async with script(installation / "phone.js", *arguments, home=home) as running:
        yield Phone(running)
