"""What happens in the lab, as a list one can look at and wait for."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

MAX_KEPT = 1000


@dataclass(frozen=True, slots=True)
class Happening:
    """``what``: submitted, refused, notified, retrieved, read, sent, pushed, not pushed. ``at`` epoch seconds."""

    at: float
    what: str
    number: str = ""
    text: str = ""


class Happenings:
    """Keeps the last ones, and wakes who waits."""

    def __init__(self) -> None:
        self.all: deque[Happening] = deque(maxlen=MAX_KEPT)
        self._news: list[asyncio.Event] = []

    def add(self, happening: Happening) -> None:
        self.all.append(happening)
        for event in self._news:
            event.set()

    async def until(self, true: Callable[[], bool], patience: float = 10.0) -> None:
        """Wait until something that happened makes it true. Raises TimeoutError."""
        news = asyncio.Event()
        self._news.append(news)
        try:
            async with asyncio.timeout(patience):
                while not true():
                    news.clear()
                    await news.wait()
        finally:
            self._news.remove(news)
