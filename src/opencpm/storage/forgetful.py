"""A store that keeps people and settings but no message: what a message costs without storage.

For measurements only. A positive answer means nothing here, and a restart loses everything under way.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from opencpm.interfaces import Changes, Committed, DeliveryRecord, Store

_COMMITTED = Committed(frozenset())


class Forgetful:
    """Like the store it stands before, except that units of work are acknowledged and dropped."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._loop = asyncio.get_running_loop()
        self._waiting: list[Callable[[Committed], None]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def commit(self, changes: Changes, done: Callable[[Committed], None] | None = None) -> None:
        """Acknowledge at the end of the loop turn, as a group commit would."""
        if done is None:
            return
        if not self._waiting:
            self._loop.call_soon(self._acknowledge)
        self._waiting.append(done)

    def _acknowledge(self) -> None:
        waiting, self._waiting = self._waiting, []
        for done in waiting:
            done(_COMMITTED)

    def claim(
        self,
        now: float,
        lease_until: float,
        limit: int,
        done: Callable[[Sequence[DeliveryRecord]], None],
        queue: str | None = None,
    ) -> None:
        """Nothing waits here."""
        self._loop.call_soon(done, ())

    def seize(
        self,
        delivery_ids: Sequence[str],
        now: float,
        lease_until: float,
        done: Callable[[Sequence[DeliveryRecord]], None],
    ) -> None:
        """The same."""
        self._loop.call_soon(done, ())
