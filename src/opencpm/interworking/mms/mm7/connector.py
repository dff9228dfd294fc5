"""MMS over MM7 as messaging sees it."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from opencpm.domain.address import Address
from opencpm.domain.delivery import Delivery, Outcome
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import Message
from opencpm.domain.profile import UNKNOWN_REACH, Fit, Health, HealthState, Reach
from opencpm.domain.session import Composing, SessionOffer
from opencpm.interfaces import Context, Inbox, Leg, LegEvents
from opencpm.interworking.mms.fit import Fits
from opencpm.interworking.mms.profile import profile_of
from opencpm.interworking.mms.targets import Targets
from opencpm.protocols.breaker import Breaker
from opencpm.transport.http_client import Poster
from opencpm.transport.http_post import Resource
from opencpm.transport.http_server import Server
from opencpm.transport.lanes import Lanes

from . import reasons
from .exchange import Exchange, failed
from .inbound import Inbound
from .linked import Linked
from .settings import Mm7Settings

log = logging.getLogger("opencpm.mm7")

_TICK = 0.25
_FORGET = 3600.0
_MARGIN = 1.0


class Mm7Connector:
    """A service (VASP) of one MMS centre: submits by HTTP, and listens for what the centre brings."""

    def __init__(self, settings: Mm7Settings, context: Context) -> None:
        self.name = context.name
        self.profile = profile_of(settings)
        self.endpoints: dict[str, tuple[str, int]] = {}
        self.counters: Counter[str] = Counter()
        self._settings, self._context = settings, context
        now = context.clock.now()
        targets = Targets(settings)
        self._fits = Fits(targets)
        self._linked = Linked(context.store, f"{context.name}.linked", context.directory, settings.linked_for, now)
        self._breaker = Breaker(settings.url, settings.retry_min, settings.retry_max, settings.refused_retry, now)
        self._exchange = Exchange(settings, context, targets, self._linked, self._breaker)
        self._inbound = Inbound(settings, context, self._linked)
        self._lanes = Lanes(settings.connections, settings.in_hand, self._carry)
        self._poster: Poster | None = None
        self._inbox: Inbox | None = None
        self._health = Health(HealthState.DOWN, "not started", now)

    # -- life

    async def run(self, inbox: Inbox) -> None:
        """See :meth:`opencpm.interfaces.Connector.run`. Raises OSError: the address cannot be listened on."""
        self._inbox = inbox
        self._inbound.start(inbox)
        self._poster = _poster(self._settings)
        where = self._settings.listen
        resource = Resource(
            where.path,
            self._inbound.handle,
            self._proves,
            limit=where.max_request,
            digest=where.gate,
            basic=where.authentication != "digest",
        )
        server = Server(
            resource, where.host, where.port, name=self.name, certificate=where.tls_certificate, key=where.tls_key
        )
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(server.run(self._listening))
                tasks.create_task(self._lanes.run())
                tasks.create_task(self._tick())
        finally:
            self.endpoints.clear()
            now = self._context.clock.now()
            stopping = reasons.no_connection("the connector is stopping")
            self._settle([failed(one, stopping, now) for one in self._lanes.drain()])
            self._health = Health(HealthState.DOWN, "stopped", now)
            await self._poster.close()

    def _listening(self, address: tuple[str, int]) -> None:
        self.endpoints["https" if self._settings.listen.tls_certificate else "http"] = address
        self._watch_health()

    def _proves(self, user: str, password: str | None, peer: str) -> bool:
        """Whether this is the centre. Whoever is not leaves a line for the operator."""
        if self._settings.listen.proves(user, password, peer):
            return True
        self.counters["strangers"] += 1
        if self._inbox is not None:
            what = f"a request over MM7 from {peer} with wrong credentials or from a wrong address"
            self._inbox.turned_away(f"mm7:{user[:64]}", Reason.AUTHENTICATION.value, what)
        return False

    # -- sending

    def send(self, deliveries: Sequence[Delivery]) -> None:
        """See :meth:`opencpm.interfaces.Connector.send`."""
        now = self._context.clock.now()
        refused = [failed(one, error, now) for one in deliveries if (error := self._take(one, now)) is not None]
        self._settle(refused)
        self._watch_health()

    def _take(self, delivery: Delivery, now: float) -> SendError | None:
        if delivery.notice is not None:
            return SendError(Reason.NOT_ACCEPTABLE, detail="notices are not sent over MM7")
        if delivery.expires_at and delivery.expires_at <= now:
            return reasons.expired()
        if not self._breaker.up:
            return reasons.no_connection(self._breaker.detail)
        if self._lanes.full:
            return reasons.queue_full()
        try:
            self._exchange.composer.source(delivery)
        except SendError as error:
            return error
        shared = self._exchange.composer.shared(delivery)
        if shared:
            self._inbound.replies.sent(shared, delivery.target, delivery.message.sender)
        self._lanes.add(delivery)
        return None

    async def _carry(self, delivery: Delivery) -> None:
        """One delivery, within the time that messaging gives it (interfaces, rule 3)."""
        assert self._poster is not None
        now = self._context.clock.now()
        left = delivery.deadline - now - _MARGIN if delivery.deadline else None
        if left is not None and left <= 0:
            outcome = failed(delivery, reasons.too_late(), now)
        elif not self._breaker.up:
            outcome = failed(delivery, reasons.no_connection(self._breaker.detail), now)
        else:
            outcome = await self._in_time(delivery, left)
        self._settle([outcome])
        self._watch_health()

    async def _in_time(self, delivery: Delivery, left: float | None) -> Outcome:
        assert self._poster is not None
        try:
            async with asyncio.timeout(left):
                return await self._exchange.submit(delivery, self._poster)
        except TimeoutError:
            error = self._exchange.interrupted(delivery)
        except Exception:
            log.exception("%s could not be submitted", delivery.id)
            error = SendError(Reason.INTERNAL, detail="a fault of this server; it is in the log")
        return failed(delivery, error, self._context.clock.now())

    def _settle(self, outcomes: Sequence[Outcome]) -> None:
        if outcomes and self._inbox is not None:
            for outcome in outcomes:
                self.counters[outcome.kind.value] += 1
            self._inbox.settled(outcomes)

    # -- health

    async def _tick(self) -> None:
        """Look whether the centre is back, and forget what is old."""
        forget_at = self._context.clock.now() + _FORGET
        while True:
            await asyncio.sleep(_TICK)
            now = self._context.clock.now()
            if self._breaker.due(now):
                await self._look()
            if now >= forget_at:
                forget_at = now + _FORGET
                self._linked.forget_old(now)

    async def _look(self) -> None:
        """Whether somebody listens there; the next message tells the rest."""
        parts = urlsplit(self._settings.url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        try:
            async with asyncio.timeout(self._settings.connect_timeout):
                _, writer = await asyncio.open_connection(parts.hostname, port)
            writer.close()
        except (OSError, TimeoutError) as error:
            self._breaker.failed(f"cannot connect to {self._settings.url}: {error or 'no answer'}", self._now())
        else:
            self._breaker.half_open(self._now())
        self._watch_health()

    def _now(self) -> float:
        return self._context.clock.now()

    def _watch_health(self) -> None:
        """Tell messaging when the state changed."""
        before, breaker = self._health, self._breaker
        if not breaker.up or not self.endpoints:
            state = HealthState.DOWN
        elif self._lanes.full:
            state = HealthState.BUSY
        else:
            state = HealthState.UP
        if state is before.state and breaker.detail == before.detail:
            return
        since = before.since if state is before.state else self._now()
        self._health = Health(state, breaker.detail, since, len(self._lanes))
        if state is not before.state and self._inbox is not None:
            log.log(logging.INFO if state is HealthState.UP else logging.WARNING, "%s: %s", self.name, breaker.detail)
            self._inbox.health_changed(self.name, self._health)

    def health(self) -> Health:
        health = self._health
        return Health(health.state, health.detail, health.since, len(self._lanes))

    # -- what is known

    def fit(self, message: Message) -> Fit:
        return self._fits.of(message)

    def reach(self, owner: str, target: Address) -> Reach:
        """A centre tells nothing before it is asked to deliver."""
        return UNKNOWN_REACH

    async def open(self, offer: SessionOffer, events: LegEvents) -> Leg:
        raise SendError(Reason.NOT_ACCEPTABLE, detail="MMS has no sessions")

    def composing(self, source: Address, target: Address, composing: Composing) -> None:
        """MMS shows nobody typing."""

    def describe(self) -> Mapping[str, Any]:
        return {
            "centre": self._settings.url,
            "vasp": self._settings.vasp_id,
            "release": self._exchange.release.version,
            "class": self._settings.content_class.value,
            "listening": {kind: f"{host}:{port}" for kind, (host, port) in self.endpoints.items()},
            "detail": self._breaker.detail,
            "in hand": len(self._lanes),
            "unanswered": len(self._exchange.underway),
            "counters": dict(self.counters + self._exchange.counters + self._inbound.counters),
        }


def _poster(settings: Mm7Settings) -> Poster:
    return Poster(
        settings.url,
        username=settings.username,
        password=settings.password,
        scheme=settings.authentication,
        tls=settings.tls,
        connections=settings.connections,
        connect_timeout=settings.connect_timeout,
        answer_timeout=settings.answer_timeout,
    )
