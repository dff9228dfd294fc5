"""MMS for phones as messaging sees it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from opencpm.domain.address import Address
from opencpm.domain.delivery import Delivery, Outcome
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import Message
from opencpm.domain.profile import UNKNOWN_REACH, Fit, Health, HealthState, Reach
from opencpm.domain.session import Composing, SessionOffer
from opencpm.interfaces import Context, Inbox, Leg, LegEvents
from opencpm.interworking.mms.carrying import Carrier
from opencpm.interworking.mms.fit import Fits
from opencpm.interworking.mms.targets import Targets
from opencpm.transport.http_server import Server

from .centre import Centre
from .door import Door
from .posts import Posts
from .profile import profile_of
from .pusher import Pusher
from .settings import Mm1Settings

_TICK = 1.0
_SWEEP = 3600.0


class Mm1Connector:
    """The MMS centre of phones."""

    def __init__(self, settings: Mm1Settings, context: Context) -> None:
        self.name = context.name
        self.profile = profile_of(settings)
        self.endpoints: dict[str, tuple[str, int]] = {}
        self._settings, self._context = settings, context
        targets = Targets(settings)
        self._fits = Fits(targets)
        self._pusher = Pusher(context, settings.notify_network)
        self._centre = Centre(settings, context, targets, self._pusher)
        self._posts = Posts(settings, context, self._centre, self._pusher)
        self._door = Door(settings, self._centre, self._posts)
        self._carrier = Carrier(context, settings.in_hand, self._carry, "the phones' MMS centre")
        self._inbox: Inbox | None = None
        self._health = Health(HealthState.DOWN, "not started", context.clock.now())

    # -- what messaging calls

    async def run(self, inbox: Inbox) -> None:
        """See :meth:`opencpm.interfaces.Connector.run`. Raises OSError: the address cannot be listened on."""
        self._inbox = inbox
        for part in (self._pusher, self._centre, self._posts, self._carrier):
            part.start(inbox)
        settings = self._settings
        server = Server(
            self._door,
            settings.listen_host,
            settings.listen_port,
            name=self.name,
            certificate=settings.tls_certificate,
            key=settings.tls_key,
        )
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(server.run(self._listening))
                tasks.create_task(self._tick())
        finally:
            self.endpoints.clear()
            await self._carrier.close()
            self._health = Health(HealthState.DOWN, "stopped", self._context.clock.now())

    def _listening(self, address: tuple[str, int]) -> None:
        secure = bool(self._settings.tls_certificate)
        self.endpoints["https" if secure else "http"] = address
        here = f"http{'s' if secure else ''}://{address[0]}:{address[1]}{self._settings.path}"
        self._centre.location = (self._settings.public_url or here).rstrip("/")
        self._health = Health(HealthState.UP, f"phones fetch at {self._centre.location}", self._context.clock.now())
        if self._inbox is not None:
            self._inbox.health_changed(self.name, self._health)

    def send(self, deliveries: Sequence[Delivery]) -> None:
        """See :meth:`opencpm.interfaces.Connector.send`."""
        self._carrier.send(deliveries)

    async def open(self, offer: SessionOffer, events: LegEvents) -> Leg:
        raise SendError(Reason.NOT_ACCEPTABLE, detail="MMS has no sessions")

    def composing(self, source: Address, target: Address, composing: Composing) -> None:
        """MMS shows nobody typing."""

    def reach(self, owner: str, target: Address) -> Reach:
        """A phone tells nothing before it is notified."""
        return UNKNOWN_REACH

    def fit(self, message: Message) -> Fit:
        return self._fits.of(message)

    def health(self) -> Health:
        health = self._health
        if health.state is HealthState.UP and self._carrier.full:
            return Health(HealthState.BUSY, "too many messages in hand", health.since, len(self._carrier))
        return Health(health.state, health.detail, health.since, len(self._carrier))

    def describe(self) -> Mapping[str, Any]:
        return {
            "phones reach it at": self._centre.location,
            "notifications go by": self._settings.notify_network,
            "messages kept": len(self._centre),
            "counters": dict(
                self._carrier.counters + self._centre.counters + self._posts.counters + self._door.counters
            ),
        }

    # -- work

    async def _carry(self, delivery: Delivery) -> Outcome:
        """One attempt. Raises SendError."""
        if delivery.notice is None:
            return await self._centre.offer(delivery)
        if delivery.message.sender == self._pusher.service:
            return await self._centre.unheard(delivery)
        return await self._posts.tell(delivery)

    async def _tick(self) -> None:
        """Duties that need no precision."""
        swept = self._context.clock.now()
        while True:
            await asyncio.sleep(_TICK)
            await self._centre.tick()
            now = self._context.clock.now()
            if now - swept > _SWEEP:
                swept = now
                self._posts.forget(now)
