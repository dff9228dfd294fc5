"""The SMS network over UCP as messaging sees it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from opencpm.domain.address import Address
from opencpm.domain.delivery import Delivery, Outcome
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import Message
from opencpm.domain.profile import UNKNOWN_REACH, Fit, Health, HealthState, Reach
from opencpm.domain.session import Composing, SessionOffer
from opencpm.interfaces import Context, Inbox, Leg, LegEvents
from opencpm.protocols.ucp.events import Answered, Event, Received, Unanswered

from . import adapt, reasons
from .inbound import Inbound
from .link import CentreLink
from .outbox import Outbox, failed
from .outgoing import Composer
from .profile import profile_of
from .settings import UcpSettings

_TICK = 1.0


class UcpConnector:
    """A short message terminal (SMT) with one link to a centre."""

    def __init__(self, settings: UcpSettings, context: Context) -> None:
        self.name = context.name
        self.profile = profile_of(settings)
        self.counters: Counter[str] = Counter()
        self._settings = settings
        self._context = context
        self._composer = Composer(settings)
        self._outbox = Outbox(settings.queue, settings.apart if settings.receipts != "never" else 0.0)
        self._inbound = Inbound(settings, context)
        self._link = CentreLink(settings, self._heard, self._changed)
        self._inbox: Inbox | None = None
        self._again: asyncio.TimerHandle | None = None
        self._health = Health(HealthState.DOWN, "not started", context.clock.now())

    # -- what messaging calls

    async def run(self, inbox: Inbox) -> None:
        """See :meth:`opencpm.interfaces.Connector.run`."""
        self._inbox = inbox
        self._inbound.start(inbox)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._link.run())
            tasks.create_task(self._tick())

    def send(self, deliveries: Sequence[Delivery]) -> None:
        """See :meth:`opencpm.interfaces.Connector.send`."""
        now = self._context.clock.now()
        outcomes: list[Outcome] = []
        for delivery in deliveries:
            error = self._take(delivery, now)
            if error is not None:
                outcomes.append(failed(delivery, error, now, "this server"))
        self._settle(outcomes)
        self._pump()

    async def open(self, offer: SessionOffer, events: LegEvents) -> Leg:
        raise SendError(Reason.NOT_ACCEPTABLE, detail="SMS has no sessions")

    def composing(self, source: Address, target: Address, composing: Composing) -> None:
        """SMS shows nobody typing."""

    def reach(self, owner: str, target: Address) -> Reach:
        """A centre tells nothing before it is asked to deliver."""
        return UNKNOWN_REACH

    def fit(self, message: Message) -> Fit:
        return adapt.fit(message, self._terms(message))

    def _terms(self, message: Message) -> adapt.UcpTerms:
        return adapt.terms_for(self._composer.terms, self._context.directory.owner_of(message.sender))

    def health(self) -> Health:
        health = self._health
        return Health(health.state, health.detail, health.since, len(self._outbox))

    def describe(self) -> Mapping[str, Any]:
        return {
            "centre": f"{self._settings.host}:{self._settings.port}",
            "account": self._settings.account,
            "logged in": self._link.up,
            "detail": self._link.detail,
            "rate": self._link.throttle.rate,
            "in hand": len(self._outbox),
            "counters": dict(self.counters + self._inbound.counters),
        }

    # -- sending

    def _take(self, delivery: Delivery, now: float) -> SendError | None:
        """Put a delivery into the outbox, or say why not."""
        if delivery.expires_at and delivery.expires_at <= now:
            return reasons.expired()
        if not self._link.up:
            return reasons.no_link(self._health.detail)
        if self._outbox.full:
            return reasons.queue_full()
        try:
            segments = self._composer.compose(delivery, now, self._terms(delivery.message))
        except SendError as error:
            return error
        shared = self._settings.source or self._settings.fallback_source
        own = not self._settings.source and delivery.source.scheme == "tel"
        if not own and not adapt.is_push(delivery.message):  # nobody answers a push
            self._inbound.replies.sent(shared, delivery.target, delivery.message.sender)
        self._outbox.add(delivery, segments)
        return None

    def _pump(self) -> None:
        """Send what window, rate and distance allow, and come again when time allows more."""
        loop = asyncio.get_running_loop()
        again = self._outbox.pump(self._link, loop.time())
        self._link.flush()
        if again is not None and (self._again is None or self._again.when() > again):
            if self._again is not None:
                self._again.cancel()
            self._again = loop.call_at(again, self._pump_again)
        self._watch_health()

    def _pump_again(self) -> None:
        self._again = None
        self._pump()

    async def _tick(self) -> None:
        """Duties that need no precision."""
        while True:
            await asyncio.sleep(_TICK)
            self._settle(self._outbox.overdue(self._context.clock.now()))
            self._inbound.expire()

    # -- hearing

    def _heard(self, events: Sequence[Event]) -> None:
        """A batch of events: outcomes first, so that notifications in the same batch find their references."""
        now, at = asyncio.get_running_loop().time(), self._context.clock.now()
        outcomes: list[Outcome] = []
        received: list[Received] = []
        for event in events:
            outcome = None
            if isinstance(event, Answered):
                outcome = self._outbox.answered(self._link, event.context, event.ec, event.sm, now, at)
                if event.ec:
                    self.counters[f"EC {event.ec:02}"] += 1
            elif isinstance(event, Unanswered):
                outcome = self._outbox.unanswered(event.context, now, at)
                self.counters["unanswered"] += 1
            elif isinstance(event, Received):
                received.append(event)
            if outcome is not None:
                outcomes.append(outcome)
        self._settle(outcomes)
        if received:
            self._inbound.take(self._link.responder(), received)
        self._pump()

    def _settle(self, outcomes: Sequence[Outcome]) -> None:
        if outcomes and self._inbox is not None:
            for outcome in outcomes:
                self.counters[outcome.kind.value] += 1
            self._inbox.settled(outcomes)

    # -- health

    def _changed(self) -> None:
        """The link came up or went."""
        if self._link.up:
            self._outbox.opened(asyncio.get_running_loop().time())
        else:
            self._settle(self._outbox.stranded(self._context.clock.now()))
        self._pump()

    def _watch_health(self) -> None:
        """Tell messaging when the state changed."""
        before, detail = self._health, self._link.detail
        if not self._link.up:
            state = HealthState.DOWN
        elif self._outbox.full or (before.state is HealthState.BUSY and self._outbox.crowded):
            state = HealthState.BUSY
        else:
            state = HealthState.UP
        if state is before.state and detail == before.detail:
            return
        since = before.since if state is before.state else self._context.clock.now()
        self._health = Health(state, detail, since, len(self._outbox))
        if state is not before.state and self._inbox is not None:
            self._inbox.health_changed(self.name, self._health)
