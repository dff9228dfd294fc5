"""Submissions of which no answer is known: durable, so that none is repeated more than once, also after a crash."""

from __future__ import annotations

import asyncio

from opencpm.interfaces import KeyedState

_MOST = 2
_KEPT = 8 * 86400.0
"""Seconds: longer than any message lives."""


class Underway:
    """How often each delivery was submitted without an answer."""

    def __init__(self, state: KeyedState, room: str, now: float) -> None:
        self._state, self._room, self._now = state, room, now
        self._count: dict[str, int] = {}
        for key, value in state.all_state(room).items():
            count, _, at = value.decode().partition(" ")
            self._count[key] = int(count)
            if now - float(at) > _KEPT:
                self.answered(key)

    def __len__(self) -> int:
        return len(self._count)

    def spent(self, delivery_id: str) -> bool:
        """Whether it may not be submitted again."""
        return self._count.get(delivery_id, 0) >= _MOST

    def begun(self, delivery_id: str) -> bool:
        """Whether it was submitted without an answer up to now."""
        return delivery_id in self._count

    def doubled(self, delivery_id: str) -> bool:
        """Whether an earlier submission than the present one may have arrived."""
        return self._count.get(delivery_id, 0) > 1

    async def begin(self, delivery_id: str, now: float) -> None:
        """It is submitted now; returns when that is durable."""
        stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._now = now
        count = self._count[delivery_id] = self._count.get(delivery_id, 0) + 1
        self._state.put_state(self._room, delivery_id, self._written(count), lambda: _set(stored))
        await stored

    def withdrawn(self, delivery_id: str) -> None:
        """The submission of now never left."""
        count = self._count.get(delivery_id, 0) - 1
        if count > 0:
            self._count[delivery_id] = count
            self._state.put_state(self._room, delivery_id, self._written(count))
        else:
            self.answered(delivery_id)

    def answered(self, delivery_id: str) -> None:
        """The centre said what became of it, or nobody will ask again."""
        if self._count.pop(delivery_id, None) is not None:
            self._state.put_state(self._room, delivery_id, None)

    def _written(self, count: int) -> bytes:
        return f"{count} {self._now:.0f}".encode()


def _set(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
