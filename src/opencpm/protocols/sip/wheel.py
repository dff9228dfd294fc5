"""A timer wheel: many deadlines, no timer object for any of them.

Entries are never cancelled; when one comes due its owner finds that there is nothing to do any more.
"""

from __future__ import annotations

import heapq
from typing import Generic, TypeVar

Entry = TypeVar("Entry")


class TimerWheel(Generic[Entry]):
    """Entries in buckets of `resolution` seconds; an entry comes out up to one bucket late, never early."""

    def __init__(self, resolution: float = 0.02) -> None:
        self._per_second = 1 / resolution
        self._resolution = resolution
        self._buckets: dict[int, list[Entry]] = {}
        self._order: list[int] = []

    def add(self, due: float, entry: Entry) -> None:
        slot = int(due * self._per_second) + 1
        bucket = self._buckets.get(slot)
        if bucket is None:
            self._buckets[slot] = [entry]
            heapq.heappush(self._order, slot)
        else:
            bucket.append(entry)

    def next(self) -> float | None:
        """When the first bucket comes due, or None."""
        return self._order[0] * self._resolution if self._order else None

    def take(self, now: float) -> list[Entry]:
        """All entries that are due."""
        due: list[Entry] = []
        # The same product as in `next`: a caller that sleeps until `next()` must find the bucket due.
        while self._order and self._order[0] * self._resolution <= now:
            due += self._buckets.pop(heapq.heappop(self._order))
        return due
