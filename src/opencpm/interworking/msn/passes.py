"""Passes into new switchboards: asked of the notification server, not too fast and not too many at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from opencpm.domain.errors import SendError
from opencpm.protocols.msnp.commands import Pass


class Passes:
    """The XFRs of one account. `ask` sends one and returns its transaction id (raises SendError)."""

    def __init__(self, ask: Callable[[], int], interval: float, at_a_time: int) -> None:
        self._ask = ask
        self._interval = interval
        self._places = asyncio.Semaphore(at_a_time)
        self._next_at = 0.0
        self._waiting: dict[int, asyncio.Future[Pass]] = {}

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Room for one more switchboard being set up."""
        async with self._places:
            yield

    async def get(self) -> Pass:
        """A pass, good once and for about two minutes. Raises SendError."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        at = max(now, self._next_at)
        self._next_at = at + self._interval
        if at > now:
            await asyncio.sleep(at - now)
        trid = self._ask()
        granted: asyncio.Future[Pass] = loop.create_future()
        self._waiting[trid] = granted
        try:
            return await granted
        finally:
            self._waiting.pop(trid, None)

    def granted(self, trid: int, entry: Pass) -> None:
        waiting = self._waiting.get(trid)
        if waiting is not None and not waiting.done():
            waiting.set_result(entry)

    def refused(self, trid: int, error: SendError) -> None:
        waiting = self._waiting.get(trid)
        if waiting is not None and not waiting.done():
            waiting.set_exception(error)

    def fail(self, error: SendError) -> None:
        """The notification server is gone: no pass will come."""
        for trid in tuple(self._waiting):
            self.refused(trid, error)
