"""How many deliveries wait for what, so that a new one goes behind those that came before it."""

from __future__ import annotations

from opencpm.interfaces import Store


class Waiting:
    """Counts by queue name; the store is asked once per queue, then the count is kept."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._counts: dict[str, int] = {}

    def count(self, queue: str) -> int:
        known = self._counts.get(queue)
        if known is None:
            known = self._counts[queue] = self._store.waiting(queue)
        return known

    def queues(self) -> list[str]:
        """Those in which something is known to wait."""
        return [queue for queue, count in self._counts.items() if count]

    def joined(self, queue: str) -> None:
        if queue:
            self._counts[queue] = self.count(queue) + 1

    def left(self, queue: str, number: int) -> None:
        self._counts[queue] = max(0, self.count(queue) - number)

    def emptied(self, queue: str) -> None:
        """A claim found nothing more in this queue."""
        self._counts[queue] = 0
