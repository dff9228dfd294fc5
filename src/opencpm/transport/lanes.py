"""Submissions, a bounded number at a time, in order for each phone."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from hashlib import blake2b

from opencpm.domain.delivery import Delivery

Work = Callable[[Delivery], Awaitable[None]]


class Lanes:
    """``count`` lanes, each doing one delivery after the other; what goes to one phone is always in the same lane."""

    def __init__(self, count: int, bound: int, work: Work) -> None:
        self._lanes = [_Lane() for _ in range(count)]
        self._bound, self._work = bound, work
        self._in_hand = 0

    def __len__(self) -> int:
        return self._in_hand

    @property
    def full(self) -> bool:
        return self._in_hand >= self._bound

    def add(self, delivery: Delivery) -> None:
        lane = self._lanes[blake2b(delivery.target.value.encode(), digest_size=2).digest()[0] % len(self._lanes)]
        lane.waiting.append(delivery)
        lane.news.set()
        self._in_hand += 1

    def drain(self) -> list[Delivery]:
        """What has not begun, taken out."""
        left = [delivery for lane in self._lanes for delivery in lane.waiting]
        for lane in self._lanes:
            lane.waiting.clear()
        self._in_hand -= len(left)
        return left

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for lane in self._lanes:
                tasks.create_task(self._drive(lane))

    async def _drive(self, lane: _Lane) -> None:
        while True:
            while lane.waiting:
                delivery = lane.waiting.popleft()
                try:
                    await self._work(delivery)
                finally:
                    self._in_hand -= 1
            lane.news.clear()
            await lane.news.wait()


class _Lane:
    def __init__(self) -> None:
        self.waiting: deque[Delivery] = deque()
        self.news = asyncio.Event()
