"""What happens to a buddy, as a list one can look at, listen to and wait for."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

MAX_KEPT = 1000


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that happened to a buddy.

    `what`: signed-in, signed-off, failed, presence, note, listed, unlisted, offline-message, rung, joined, left,
    text, sent, file, file-taken, file-refused, file-broken, accepted, lost, typing,
    nudge, closed. `peer` is who it was about, `text` what was said (or the state, the cause).
    """

    at: float
    what: str
    peer: str = ""
    text: str = ""


class Happenings:
    """Keeps the last ones, tells listeners, wakes who waits."""

    def __init__(self) -> None:
        self.all: deque[Happening] = deque(maxlen=MAX_KEPT)
        self._listeners: list[Callable[[Happening], None]] = []
        self._waiting: list[tuple[Callable[[Happening], bool], asyncio.Future[Happening]]] = []

    def add(self, happening: Happening) -> None:
        self.all.append(happening)
        for heard in tuple(self._listeners):
            heard(happening)
        for entry in tuple(self._waiting):
            wanted, future = entry
            if not future.done() and wanted(happening):
                future.set_result(happening)
                self._waiting.remove(entry)

    def subscribe(self, heard: Callable[[Happening], None]) -> Callable[[], None]:
        """Call `heard` with everything new; returns what ends it."""
        self._listeners.append(heard)
        return lambda: self._listeners.remove(heard) if heard in self._listeners else None

    async def wait(self, wanted: Callable[[Happening], bool], patience: float = 10.0) -> Happening:
        """The first one, past or future, that is wanted. Raises TimeoutError."""
        for happening in self.all:
            if wanted(happening):
                return happening
        future: asyncio.Future[Happening] = asyncio.get_running_loop().create_future()
        self._waiting.append((wanted, future))
        async with asyncio.timeout(patience):
            return await future
