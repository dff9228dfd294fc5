"""What is done now and then: close what no network will report on, forget what is old."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from opencpm.domain.delivery import DeliveryState
from opencpm.domain.trail import Step
from opencpm.interfaces import Changes
from opencpm.messaging import trail
from opencpm.messaging.ground import Ground
from opencpm.messaging.records import finish, update_of

EVERY = 60.0
"""Seconds between rounds."""

log = logging.getLogger("opencpm.messaging")

_BITE = 500  # rows at a time, so that a round never holds up the messages


class Housekeeping:
    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self.chores: list[Callable[[], Awaitable[None]]] = []
        """What others want done in each round."""

    async def run(self) -> None:
        """One round after the other, until cancelled."""
        while True:
            await asyncio.sleep(EVERY)
            self.close_unreported()
            while await self.forget() >= _BITE:
                pass
            await self.do_chores()

    async def do_chores(self) -> None:
        """One that fails costs nothing but itself, and has its turn again."""
        for chore in self.chores:
            try:
                await chore()
            except Exception:
                log.exception("a chore failed")

    def close_unreported(self) -> int:
        """What was accepted and never reported on is closed as unknown: never as delivered. How many there were."""
        now = self._ground.clock.now()
        changes = Changes()
        for stored in self._ground.store.unreported(now - self._ground.policy.unreported_after, _BITE):
            record = self._ground.working.get(stored.id) or stored
            finish(record, DeliveryState.UNKNOWN, now, detail="the network never reported")
            changes.updates.append(update_of(record))
            changes.trail.append(trail.line(record, Step.EXPIRED, "the network never reported on it", now))
            self._ground.working.release(record.id)
        if changes.updates:
            self._ground.store.commit(changes)
        return len(changes.updates)

    async def forget(self) -> int:
        """Remove a bite of what was finished before the operator's retention time; the number of rows removed."""
        retention = self._ground.policy.retention
        if not retention:
            return 0
        removed: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        def done(number: int) -> None:
            if not removed.done():
                removed.set_result(number)

        self._ground.store.prune(self._ground.clock.now() - retention, _BITE, done)
        return await removed
