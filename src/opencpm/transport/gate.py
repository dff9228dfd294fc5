"""How many accounts sign in at a time, and how many begin in a second, over the whole network."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Gate:
    """`per_second` 0: no limit. Whoever waits keeps their place in the line."""

    def __init__(self, at_a_time: int, per_second: float) -> None:
        self._places = asyncio.Semaphore(at_a_time)
        self._pause = 1.0 / per_second if per_second else 0.0
        self._next_at = 0.0

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Room for one sign-on."""
        async with self._places:
            loop = asyncio.get_running_loop()
            now = loop.time()
            at = max(now, self._next_at)
            self._next_at = at + self._pause
            if at > now:
                await asyncio.sleep(at - now)
            yield
