"""MMS between centres as messaging sees it."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from opencpm.domain.address import Address
from opencpm.domain.delivery import Delivery, Outcome
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.media import Target
from opencpm.domain.message import Message
from opencpm.domain.profile import UNKNOWN_REACH, Fit, Health, HealthState, Reach
from opencpm.domain.report import Report
from opencpm.domain.session import Composing, SessionOffer
from opencpm.interfaces import Context, Inbox, Leg, LegEvents
from opencpm.interworking.mms.carrying import Carrier, accepted, told
from opencpm.interworking.mms.fit import Fits
from opencpm.interworking.mms.mailhost import server_contexts
from opencpm.interworking.mms.outgoing import adapted
from opencpm.interworking.mms.targets import Targets, smaller
from opencpm.protocols.mm4 import answer, encode
from opencpm.protocols.mm4.messages import Request
from opencpm.transport.smtp_listener import Limits, SmtpListener

from . import compose
from .compose import Outgoing
from .exchange import Exchange
from .inbound import Inbound
from .names import reference
from .peer import Peer
from .profile import profile_of
from .settings import Mm4Settings

log = logging.getLogger("opencpm.mm4")

_TICK = 1.0
_SWEEP = 3600.0
_TRIES_OF_RESPONSE = (0.0, 5.0, 60.0)
_CONTENT = (Reason.UNSUPPORTED_MEDIA, Reason.TOO_LARGE)


class Mm4Connector:
    """Our MMS centre among its peers."""

    def __init__(self, settings: Mm4Settings, context: Context) -> None:
        self.name = context.name
        self.profile = profile_of(settings)
        self.endpoints: dict[str, tuple[str, int]] = {}
        self.counters: Counter[str] = Counter()
        self._settings, self._context = settings, context
        self._targets = Targets(settings)
        self._fits = Fits(self._targets)
        self._peers = {peer.name: Peer(peer, settings, self._watch) for peer in settings.peers}
        self._carrier = Carrier(context, settings.in_hand, self._carry, "the other MMS network", self._watch)
        self._exchange = Exchange(settings, context, self._peers, self._report, self._carrier.spawn)
        self._inbound = Inbound(settings, context, tuple(self._peers.values()), self._exchange, self._respond)
        self._inbox: Inbox | None = None
        self._health = Health(HealthState.DOWN, "not started", context.clock.now())

    # -- what messaging calls

    async def run(self, inbox: Inbox) -> None:
        """See :meth:`opencpm.interfaces.Connector.run`. Raises OSError: the address cannot be bound."""
        self._inbox = inbox
        self._carrier.start(inbox)
        self._inbound.start(inbox)
        self._exchange.waiting.load()
        listener = self._listener()
        try:
            self.endpoints["smtp"] = await listener.start(self._settings.listen_host, self._settings.listen_port)
            self._watch()
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._tick())
                for peer in self._peers.values():
                    tasks.create_task(peer.run())
        finally:
            await listener.close()
            await self._carrier.close()
            self.endpoints.clear()

    def send(self, deliveries: Sequence[Delivery]) -> None:
        """See :meth:`opencpm.interfaces.Connector.send`."""
        self._carrier.send(deliveries)

    async def open(self, offer: SessionOffer, events: LegEvents) -> Leg:
        raise SendError(Reason.NOT_ACCEPTABLE, detail="MMS has no sessions")

    def composing(self, source: Address, target: Address, composing: Composing) -> None:
        """MMS shows nobody typing."""

    def reach(self, owner: str, target: Address) -> Reach:
        """A centre tells nothing before it is asked to deliver."""
        return UNKNOWN_REACH

    def fit(self, message: Message) -> Fit:
        return self._fits.of(message)

    def health(self) -> Health:
        health = self._health
        return Health(health.state, health.detail, health.since, len(self._carrier))

    def describe(self) -> Mapping[str, Any]:
        return {
            "domain": self._settings.domain,
            "peers": {
                peer.name: {"host": f"{peer.settings.host}:{peer.settings.port}", "up": peer.up, "detail": peer.detail}
                for peer in self._peers.values()
            },
            "in hand": len(self._carrier),
            "waiting for a response": len(self._exchange.waiting),
            "counters": dict(self.counters + self._carrier.counters + self._inbound.counters + self._exchange.counters),
        }

    # -- sending

    async def _carry(self, delivery: Delivery) -> Outcome:
        """One attempt. Raises SendError."""
        return await (self._message(delivery) if delivery.notice is None else self._notice(delivery))

    async def _message(self, delivery: Delivery) -> Outcome:
        """Content that the peer refuses is made smaller once, then once more. Raises SendError."""
        peer = self._route(delivery.target)
        target: Target | None = self._targets.of(delivery.target)
        step = 0
        while True:
            assert target is not None
            ready = await adapted(delivery.message.parts, target, self._context.media)
            now = self._context.clock.now()
            outgoing = compose.forward(delivery, ready.parts, peer.settings, self._settings, now, step)
            self._remember(delivery)
            try:
                carried = await self._exchange.request(peer, outgoing, delivery.deadline)
            except SendError as error:
                target = smaller(target) if error.reason in _CONTENT and ready.size > 1000 else None
                if target is None or step == 2:
                    raise
                step += 1
                self.counters["made smaller"] += 1
                continue
            detail = "; ".join((carried.detail, *ready.losses))
            key = reference(peer.name, outgoing.reference)
            return accepted(delivery, self._context.clock.now(), carried.source, detail, key)

    def _remember(self, delivery: Delivery) -> None:
        """Answers to a number that several send from go to the one who wrote last."""
        if delivery.source.scheme != "tel" and self._settings.fallback_source:
            self._inbound.replies.sent(self._settings.fallback_source, delivery.target, delivery.message.sender)

    async def _notice(self, delivery: Delivery) -> Outcome:
        """Word to a peer of what became of its message. Raises SendError."""
        row = self._inbound.ledger.get(delivery.message.id)
        peer = self._peers.get(row.peer) if row is not None else None
        if row is None or peer is None or not row.sender:
            raise SendError(Reason.NO_ROUTE, detail="it is no longer known which centre this came from")
        outgoing = compose.report(delivery, row, peer.settings, self._settings, self._context.clock.now())
        carried = await self._exchange.request(peer, outgoing, delivery.deadline)
        return told(delivery, self._context.clock.now(), carried.source, carried.detail)

    def _route(self, target: Address) -> Peer:
        """The peer with the longest prefix of a number. Raises SendError."""
        best = max(self._peers.values(), key=lambda peer: peer.serves(target))
        if best.serves(target) < 0:
            raise SendError(Reason.NO_ROUTE, detail=f"no MMS network here serves {target.value}")
        return best

    # -- answering

    def _report(self, report: Report) -> None:
        if self._inbox is not None:
            self._inbox.reported([report])

    def _respond(self, peer: Peer, request: Request, status: str, text: str) -> None:
        if request.ack_request:
            self._carrier.spawn(self._response(peer, request, status, text))

    async def _response(self, peer: Peer, request: Request, status: str, text: str) -> None:
        """A RES that cannot be sent is given up: the request comes again, and is answered again."""
        ident = self._context.ids.new()
        response = answer(
            request,
            status,
            system_sender=self._settings.system_address,
            date=self._context.clock.now(),
            internet_id=f"<{ident}@{self._settings.domain}>",
            text=text[:200],
        )
        if not response.to:
            self.counters["nobody to answer"] += 1
            return
        outgoing = Outgoing(request.transaction_id, str(response.to[0]), encode(response))
        for pause in _TRIES_OF_RESPONSE:
            await asyncio.sleep(pause)
            try:
                await peer.send(outgoing)
            except SendError as error:
                log.info("a response to %s was not taken: %s", peer.name, error.code or error.detail)
                if not error.retryable:
                    break
            else:
                self.counters["responses"] += 1
                return
        self.counters["responses given up"] += 1

    # -- life

    def _listener(self) -> SmtpListener:
        settings = self._settings
        limits = Limits(size=settings.max_mail, connections=settings.max_connections)
        first, offered = server_contexts(settings.listen_tls, settings.tls_certificate, settings.tls_key)
        return SmtpListener(self._inbound, settings.domain, limits, tls=first, starttls=offered)

    async def _tick(self) -> None:
        """Duties that need no precision."""
        swept = self._context.clock.now()
        while True:
            await asyncio.sleep(_TICK)
            self._exchange.resend()
            now = self._context.clock.now()
            if now - swept > _SWEEP:
                swept = now
                self._inbound.ledger.forget(now)

    def _watch(self) -> None:
        """Tell messaging when the state changed: down when no peer can be reached."""
        before = self._health
        lost = [peer for peer in self._peers.values() if not peer.up]
        if len(lost) == len(self._peers):
            state, detail = HealthState.DOWN, lost[0].detail
        elif self._carrier.full:
            state, detail = HealthState.BUSY, "too many messages in hand"
        else:
            state, detail = HealthState.UP, f"{len(self._peers) - len(lost)} of {len(self._peers)} peers"
        if state is before.state and detail == before.detail:
            return
        since = before.since if state is before.state else self._context.clock.now()
        self._health = Health(state, detail, since, len(self._carrier))
        if state is not before.state and self._inbox is not None:
            self._inbox.health_changed(self.name, self._health)
