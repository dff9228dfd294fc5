"""Connectors that fall over are logged, stood up again, and said to be down meanwhile."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from opencpm.domain.address import Address
from opencpm.domain.delivery import Delivery
from opencpm.domain.message import Message
from opencpm.domain.profile import Fit, Health, HealthState, Profile, Reach
from opencpm.domain.session import Composing, SessionOffer
from opencpm.interfaces import Clock, Connector, DeliveryRecord, Inbox, Leg, LegEvents, Recalling

log = logging.getLogger("opencpm.app")

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 60.0
STEADY = 60.0
"""Seconds of running after which a fault counts as a first one again."""


class StartError(Exception):
    """The server cannot start; the text says why and what to do."""


class Supervised:
    """A connector that never ends by itself: the same connector in everything but ``run`` and ``health``."""

    def __init__(self, inner: Connector, clock: Clock) -> None:
        self.inner = inner
        self.name: str = inner.name
        self.profile: Profile = inner.profile
        # bound once: no second call on the hot path
        self.send: Callable[[Sequence[Delivery]], None] = inner.send
        self.fit: Callable[[Message], Fit] = inner.fit
        self.reach: Callable[[str, Address], Reach] = inner.reach
        self._clock = clock
        self._fault: Health | None = None
        self._started = False

    @property
    def endpoints(self) -> Mapping[str, tuple[str, int]]:
        """Where it listens; empty for those that do not."""
        return getattr(self.inner, "endpoints", {})

    @property
    def listening(self) -> bool:
        """Whether it is ready: those that listen do so, those that do not have nothing to wait for."""
        if not hasattr(self.inner, "endpoints"):
            return True
        return bool(self.endpoints) and self.health().state is not HealthState.DOWN

    def started(self) -> None:
        """From now on a fault is survived; before, it ends the start."""
        self._started = True

    async def run(self, inbox: Inbox) -> None:
        """:raises StartError: it fell before the server was ready."""
        pause = FIRST_PAUSE
        while True:
            began = self._clock.now()
            try:
                await self.inner.run(inbox)
                error: Exception = RuntimeError("it ended by itself")
            except Exception as fault:  # noqa: BLE001 - whatever it is, the others go on
                error = fault
            if not self._started:
                raise StartError(f"{self.name} cannot start: {_words(error)}") from error
            log.error("%s failed, again in %.0f s", self.name, pause, exc_info=error)
            if self._clock.now() - began > STEADY:
                pause = FIRST_PAUSE
            self._fault = Health(HealthState.DOWN, f"failed: {_words(error)}", self._clock.now())
            inbox.health_changed(self.name, self._fault)
            await asyncio.sleep(pause)
            self._fault = None
            pause = min(pause * 2, LONGEST_PAUSE)

    async def open(self, offer: SessionOffer, events: LegEvents) -> Leg:
        return await self.inner.open(offer, events)

    async def recall(self, record: DeliveryRecord) -> str:
        return await cast(Recalling, self.inner).recall(record)  # asked only where the profile says so

    def composing(self, source: Address, target: Address, composing: Composing) -> None:
        self.inner.composing(source, target, composing)

    def health(self) -> Health:
        return self._fault or self.inner.health()

    def describe(self) -> Mapping[str, Any]:
        return self.inner.describe()


def _words(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror and not str(error).startswith("["):
        return str(error)
    return f"{error}" if isinstance(error, OSError | ValueError) else f"{type(error).__name__}: {error}"
