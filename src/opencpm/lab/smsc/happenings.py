"""What happens in the lab, as a list one can look at, listen to and wait for."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

MAX_KEPT = 1000


@dataclass(frozen=True, slots=True)
class Happening:
    """``what``: bound, lost, text (a handset got one), sent (a handset's text was taken), refused, receipt, push.

    ``number`` is the handset's (or the account's), ``peer`` the other end, ``at`` epoch seconds.
    """

    at: float
    what: str
    number: str = ""
    peer: str = ""
    text: str = ""


class Happenings:
    """Keeps the last ones, tells listeners, wakes who waits."""

    def __init__(self) -> None:
        self.all: deque[Happening] = deque(maxlen=MAX_KEPT)
        self._listeners: list[Callable[[Happening], None]] = []
        self._waiting: list[tuple[Callable[[], bool], asyncio.Future[None]]] = []

    def add(self, happening: Happening) -> None:
        self.all.append(happening)
        for heard in tuple(self._listeners):
            heard(happening)
        for entry in tuple(self._waiting):
            true, future = entry
            if not future.done() and true():
                future.set_result(None)
                self._waiting.remove(entry)

    def subscribe(self, heard: Callable[[Happening], None]) -> Callable[[], None]:
        """Call ``heard`` with everything new; returns what ends it."""
        self._listeners.append(heard)
        return lambda: self._listeners.remove(heard) if heard in self._listeners else None

    async def until(self, true: Callable[[], bool], patience: float = 10.0) -> None:
        """Wait until something that happened makes it true. Raises TimeoutError."""
        if true():
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((true, future))
        async with asyncio.timeout(patience):
            await future
