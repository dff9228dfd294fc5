"""What the server says of itself: its trails, read over the API."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, TypeVar

from opencpm.lab.http import Api, ApiError, segment

Found = TypeVar("Found")
Line = dict[str, Any]

LOOK = 0.02  # seconds between looks: the API has no "wait until"
PATIENCE = 30.0


class Missing(AssertionError):
    """The evidence did not appear; the text says which."""


async def patiently(what: str, look: Callable[[], Awaitable[Found | None]], patience: float = PATIENCE) -> Found:
    """Look until there is something. :raises Missing:"""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + patience
    while True:
        found = await look()
        if found is not None:
            return found
        if loop.time() > deadline:
            raise Missing(f"no {what} within {patience:.0f} s")
        await asyncio.sleep(LOOK)


class Trails:
    """The trails of messages and sessions. What is older than ``since`` (epoch seconds) is not looked at."""

    def __init__(self, api: Api, since: float) -> None:
        self._api, self._since = api, since

    async def message(self, ident: str, step: str, wanted: Callable[[Line], bool] = lambda line: True) -> Line:
        """The first line of a message's trail with this step that is wanted. :raises Missing:"""

        async def look() -> Line | None:
            return _first(await self._trail(f"/messages/{segment(ident)}/trail"), step, wanted)

        return await patiently(f"line {step!r} in the trail of message {ident}", look)

    async def session(self, ident: str, step: str, wanted: Callable[[Line], bool] = lambda line: True) -> Line:
        """The same of a session. :raises Missing:"""

        async def look() -> Line | None:
            return _first(await self._trail(f"/sessions/{segment(ident)}/trail"), step, wanted)

        return await patiently(f"line {step!r} in the trail of session {ident}", look)

    async def _trail(self, path: str) -> list[Line]:
        """Empty while it is not stored yet."""
        try:
            return list((await self._api.get(path))["trail"])
        except ApiError as error:
            if error.status == 404:
                return []
            raise

    async def newest_session(self, peer: str) -> str:
        """The id of the last session with a person. :raises Missing:"""

        async def look() -> str | None:
            standing = [one for one in await self._api.get("/sessions") if one["peer"] == peer]
            talk = await self._api.get(f"/conversations/{segment(peer)}/messages")
            fresh = [one for one in (*standing, *talk["sessions"]) if self._is_fresh(one, "opened_at")]
            return str(fresh[0]["session"]) if fresh else None

        return await patiently(f"session with {peer}", look)

    async def received(self, peer: str, text: str) -> Line:
        """The newest message from a person with this text. :raises Missing:"""

        async def look() -> Line | None:
            talk = await self._api.get(f"/conversations/{segment(peer)}/messages")
            came = [m for m in talk["messages"] if m["direction"] == "received" and m["text"] == text]
            fresh = [m for m in came if self._is_fresh(m, "received_at")]
            return fresh[-1] if fresh else None

        return await patiently(f"message {text!r} from {peer}", look)

    def _is_fresh(self, thing: Line, name: str) -> bool:
        at = thing.get(name)
        return at is not None and datetime.fromisoformat(at).timestamp() >= self._since - 0.001  # shown in ms


def _first(trail: list[Line], step: str, wanted: Callable[[Line], bool]) -> Line | None:
    return next((line for line in trail if line["step"] == step and wanted(line)), None)


def fact(line: Line, rule: str) -> Line:
    """One check of the plan that a line keeps. :raises Missing:"""
    for note in line.get("data", {}).get("facts", ()):
        if note["rule"] == rule:
            return dict(note)
    raise Missing(f"no check {rule!r} in {line['what']!r}")


def candidate(line: Line, network: str) -> Line:
    """One network of the plan that a line keeps, with its rules. :raises Missing:"""
    for found in line.get("data", {}).get("candidates", ()):
        if found["network"] == network:
            return dict(found)
    raise Missing(f"no candidate {network!r} in {line['what']!r}")
