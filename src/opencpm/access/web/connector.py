"""The web as a way to our own subscribers: an open page is a device."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from opencpm.access.web import views
from opencpm.access.web.handover import Handovers, unreachable
from opencpm.access.web.hub import Hubs, Stream
from opencpm.access.web.needs import UseCases
from opencpm.access.web.sessions import Sessions
from opencpm.domain.address import Address
from opencpm.domain.delivery import Delivery, Outcome
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import Message
from opencpm.domain.profile import WHOLE, Availability, Fit, Health, HealthState, Profile, Reach
from opencpm.domain.report import Status
from opencpm.domain.session import Composing, SessionOffer
from opencpm.interfaces import Context, Inbox, Leg, LegEvents
from opencpm.transport.http_server import Server

PROFILE = Profile(
    label="Web page",
    kind="cpm",
    schemes=frozenset({"sip", "tel"}),
    access=True,
    content_types=("*/*",),
    reports=frozenset({Status.DELIVERED, Status.DISPLAYED}),
    sessions=True,
    typing=True,
    subject=True,
)
SWEEP = 1.0  # seconds between looks at what was not acknowledged
_OFFLINE = Reach(Availability.OFFLINE, detail="no page open")


class WebConnector:
    """Connector "web" (rules: :mod:`opencpm.interfaces`). What goes over HTTP is in ``api/``."""

    name: str
    profile: Profile = PROFILE

    def __init__(self, context: Context, messaging: UseCases) -> None:
        self.name = context.name
        self.messaging = messaging
        self.clock = context.clock
        self.ids = context.ids
        self.hubs = Hubs(context.ids.new()[:8])
        self.handovers = Handovers(self._offer)
        self.sessions = Sessions(context.clock, self.hubs.publish, self._carry, OrderedDict())
        self.endpoints: dict[str, tuple[str, int]] = {}
        self.inbox: Inbox = messaging
        self.server: Server | None = None
        self._health = Health(HealthState.DOWN, "not started")

    # -- life ----------------------------------------------------------------------------------------------

    async def run(self, inbox: Inbox) -> None:
        """Serve until cancelled."""
        self.inbox = inbox
        assert self.server is not None
        sweeping = asyncio.create_task(self._sweep(), name="web sweep")
        try:
            await self.server.run(self._listening)
        finally:
            sweeping.cancel()
            self._health = Health(HealthState.DOWN, "stopped", self.clock.now())
            self.endpoints.clear()

    def _listening(self, address: tuple[str, int]) -> None:
        self.endpoints["http"] = address
        self._health = Health(HealthState.UP, f"listening on {address[0]}:{address[1]}", self.clock.now())

    def stopping(self) -> None:
        """Before the listener closes: give back what is in hand and end the streams, so that it can close."""
        self.sessions.shut_down()
        self.handovers.abandon(self.clock.now())
        self.hubs.end_all()

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP)
            now = self.clock.now()
            self.handovers.sweep(now)
            self.sessions.sweep(now, self.hubs.is_open)
            self.hubs.forget_silent(now - 60.0)

    # -- pages ---------------------------------------------------------------------------------------------

    def page_opened(self, owner: str, last: int | None) -> Stream:
        """A page listens to its events; its subscriber is available from now on."""
        hub = self.hubs.hub(owner)
        if hub.unsubscribe is None:
            hub.unsubscribe = self.messaging.bus.subscribe(f"user:{owner}", self._hearing(owner))
        first = not hub.streams
        stream = hub.open(last)
        self.handovers.page_opened(owner, self.clock.now())
        if first:
            self.inbox.reach_changed(self.name, owner, self._reach_of(owner))
        return stream

    def page_closed(self, owner: str, stream: Stream) -> None:
        hub = self.hubs.hub(owner)
        hub.close(stream)
        if not hub.streams:
            now = self.clock.now()
            hub.silent_since = now
            self.handovers.pages_gone(owner, now)
            self.inbox.reach_changed(self.name, owner, _OFFLINE)

    def acknowledged(self, owner: str, event_ids: Sequence[str]) -> int:
        numbers = [n for n in map(self.hubs.number_of, event_ids) if n is not None]
        return self.handovers.acknowledged(owner, numbers, self.clock.now())

    def _hearing(self, owner: str) -> Callable[[Mapping[str, Any]], None]:
        def heard(hint: Mapping[str, Any]) -> None:
            kind, data = views.of_hint(self.messaging.store, owner, hint)
            self.hubs.publish(owner, kind, data)

        return heard

    # -- deliveries ----------------------------------------------------------------------------------------

    def send(self, deliveries: Sequence[Delivery]) -> None:
        refused: list[Outcome] = []
        for delivery in deliveries:
            subscriber = self.messaging.directory.owner_of(delivery.target)
            if subscriber is None or not self.hubs.is_open(subscriber.id):
                refused.append(unreachable(delivery, self.clock.now()))
            else:
                self._carry(subscriber.id, delivery, self._settled)
        if refused:
            asyncio.get_running_loop().call_soon(self._settled, refused)

    def _settled(self, outcomes: Sequence[Outcome]) -> None:
        self.inbox.settled(outcomes)

    def _carry(self, owner: str, delivery: Delivery, settle: Callable[[Sequence[Outcome]], None]) -> None:
        self.handovers.add(owner, delivery, settle, self.clock.now())

    def _offer(self, owner: str, delivery: Delivery) -> int | None:
        if not self.hubs.is_open(owner):
            return None
        kind, data = views.of_delivery(self.messaging, owner, delivery)
        return self.hubs.publish(owner, kind, data)

    # -- sessions and typing -------------------------------------------------------------------------------

    async def open(self, offer: SessionOffer, events: LegEvents) -> Leg:
        subscriber = self.messaging.directory.owner_of(offer.target)
        if subscriber is None or not self.hubs.is_open(subscriber.id):
            raise SendError(Reason.OFFLINE, detail="No web page of this person is open.")
        peer = self.messaging.directory.contact(subscriber.id, offer.initiator).id
        return await self.sessions.invited(offer, events, subscriber, peer)

    def composing(self, source: Address, target: Address, composing: Composing) -> None:
        subscriber = self.messaging.directory.owner_of(target)
        if subscriber is not None:
            peer = self.messaging.directory.contact(subscriber.id, source).id
            data = {"peer": peer, "active": composing.active, "refresh": composing.refresh}
            self.hubs.publish(subscriber.id, "composing", data)

    # -- what is known -------------------------------------------------------------------------------------

    def reach(self, owner: str, target: Address) -> Reach:
        return self._reach_of(owner)

    def _reach_of(self, owner: str) -> Reach:
        hub = self.hubs.known(owner)
        if hub is None or not hub.streams:
            return _OFFLINE
        pages = len(hub.streams)
        detail = "1 page open" if pages == 1 else f"{pages} pages open"
        return Reach(Availability.AVAILABLE, frozenset({"session", "largemsg", "cpim"}), detail)

    def fit(self, message: Message) -> Fit:
        """A page takes everything whole."""
        return WHOLE

    def health(self) -> Health:
        return self._health

    def describe(self) -> Mapping[str, Any]:
        return {
            "endpoints": {kind: f"{host}:{port}" for kind, (host, port) in self.endpoints.items()},
            "pages": self.hubs.count(),
            "subscribers_online": self.hubs.owners(),
            "unacknowledged": len(self.handovers),
            "sessions": self.sessions.live(),
        }
