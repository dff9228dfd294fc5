"""MMS between centres as messaging sees it."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections import Counter, OrderedDict
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any

from opencpm.domain.address import Address
from opencpm.domain.delivery import Delivery, Outcome, OutcomeKind
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.media import Target
from opencpm.domain.message import Message
from opencpm.domain.profile import UNKNOWN_REACH, Fit, Health, HealthState, Reach
from opencpm.domain.report import Reference, Report
from opencpm.domain.session import Composing, SessionOffer
from opencpm.interfaces import Context, Inbox, Leg, LegEvents
from opencpm.interworking.mms.fit import Fits
from opencpm.interworking.mms.outgoing import adapted
from opencpm.interworking.mms.targets import Targets, smaller
from opencpm.protocols.mm4 import answer, encode
from opencpm.protocols.mm4.messages import Request
from opencpm.transport.smtp_listener import Limits, SmtpListener

from . import compose, reasons
from .compose import Outgoing
from .exchange import Carried, Exchange
from .inbound import Inbound
from .names import reference
from .peer import Peer
from .profile import profile_of
from .settings import Mm4Settings

log = logging.getLogger("opencpm.mm4")

_TICK = 1.0
_SWEEP = 3600.0
_TRIES_OF_RESPONSE = (0.0, 5.0, 60.0)
_DOUBTFUL = 10_000
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
        self._peers = {peer.name: Peer(peer, settings, self._changed) for peer in settings.peers}
        self._exchange = Exchange(settings, context, self._peers, self._report, self._spawn)
        self._inbound = Inbound(settings, context, tuple(self._peers.values()), self._exchange, self._respond)
        self._inbox: Inbox | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._in_hand = 0
        self._doubtful: OrderedDict[str, None] = OrderedDict()  # deliveries of which an earlier attempt may have gone
        self._health = Health(HealthState.DOWN, "not started", context.clock.now())

    # -- what messaging calls

    async def run(self, inbox: Inbox) -> None:
        """See :meth:`opencpm.interfaces.Connector.run`. Raises OSError: the address cannot be bound."""
        self._inbox = inbox
        self._inbound.start(inbox)
        self._exchange.waiting.load()
        listener = self._listener()
        try:
            self.endpoints["smtp"] = await listener.start(self._settings.listen_host, self._settings.listen_port)
            self._changed()
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._tick())
                for peer in self._peers.values():
                    tasks.create_task(peer.run())
        finally:
            await listener.close()
            for task in list(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def send(self, deliveries: Sequence[Delivery]) -> None:
        """See :meth:`opencpm.interfaces.Connector.send`."""
        for delivery in deliveries:
            if self._in_hand >= self._settings.in_hand:
                self._settle(_failed(delivery, reasons.busy(), self._context.clock.now()))
            else:
                self._in_hand += 1
                self._spawn(self._carry(delivery))
        self._watch()

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
        return Health(health.state, health.detail, health.since, self._in_hand)

    def describe(self) -> Mapping[str, Any]:
        return {
            "domain": self._settings.domain,
            "peers": {
                peer.name: {"host": f"{peer.settings.host}:{peer.settings.port}", "up": peer.up, "detail": peer.detail}
                for peer in self._peers.values()
            },
            "in hand": self._in_hand,
            "waiting for a response": len(self._exchange.waiting),
            "counters": dict(self.counters + self._inbound.counters + self._exchange.counters),
        }

    # -- sending

    async def _carry(self, delivery: Delivery) -> None:
        """One attempt, with exactly one outcome."""
        try:
            outcome = await self._outcome(delivery)
        finally:
            self._in_hand -= 1
        self._settle(outcome)
        self._watch()

    async def _outcome(self, delivery: Delivery) -> Outcome:
        now = self._context.clock.now()
        if delivery.expires_at and delivery.expires_at <= now:
            return _failed(delivery, reasons.expired(), now)
        try:
            async with asyncio.timeout(max(0.0, delivery.deadline - now)):
                if delivery.notice is not None:
                    return await self._notice(delivery)
                return await self._message(delivery)
        except SendError as error:
            if error.reason is Reason.TIMEOUT:
                self._doubt(delivery.id)
            return _failed(delivery, error, self._context.clock.now())
        except TimeoutError:
            self._doubt(delivery.id)
            return _failed(delivery, reasons.too_late(), self._context.clock.now())

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
            return self._taken(delivery, peer, outgoing, carried, ready.losses)

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
        return Outcome(
            delivery_id=delivery.id,
            token=delivery.token,
            kind=OutcomeKind.DELIVERED,
            at=self._context.clock.now(),
            source=carried.source,
            detail=carried.detail,
        )

    def _route(self, target: Address) -> Peer:
        """The peer with the longest prefix of a number. Raises SendError."""
        best = max(self._peers.values(), key=lambda peer: peer.serves(target))
        if best.serves(target) < 0:
            raise SendError(Reason.NO_ROUTE, detail=f"no MMS network here serves {target.value}")
        return best

    def _taken(
        self, delivery: Delivery, peer: Peer, outgoing: Outgoing, carried: Carried, losses: Sequence[str]
    ) -> Outcome:
        return Outcome(
            delivery_id=delivery.id,
            token=delivery.token,
            kind=OutcomeKind.ACCEPTED,
            at=self._context.clock.now(),
            source=carried.source,
            references=(Reference(key=reference(peer.name, outgoing.reference)),),
            doubled=self._was_doubtful(delivery.id),
            detail="; ".join((carried.detail, *losses)),
        )

    def _was_doubtful(self, delivery_id: str) -> bool:
        doubtful = delivery_id in self._doubtful
        self._doubtful.pop(delivery_id, None)
        return doubtful

    def _doubt(self, delivery_id: str) -> None:
        self._doubtful[delivery_id] = None
        if len(self._doubtful) > _DOUBTFUL:
            self._doubtful.popitem(last=False)

    def _settle(self, outcome: Outcome) -> None:
        self.counters[outcome.kind.value] += 1
        if self._inbox is not None:
            self._inbox.settled([outcome])

    # -- answering

    def _report(self, report: Report) -> None:
        if self._inbox is not None:
            self._inbox.reported([report])

    def _respond(self, peer: Peer, request: Request, status: str, text: str) -> None:
        if request.ack_request:
            self._spawn(self._response(peer, request, status, text))

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
        context = None
        if settings.listen_tls != "no":
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(settings.tls_certificate, settings.tls_key)
        first, offered = (context, None) if settings.listen_tls == "tls" else (None, context)
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

    def _spawn(self, duty: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(duty)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("%s: a duty failed", self.name, exc_info=error)

    def _changed(self) -> None:
        self._watch()

    def _watch(self) -> None:
        """Tell messaging when the state changed: down when no peer can be reached."""
        before = self._health
        lost = [peer for peer in self._peers.values() if not peer.up]
        if len(lost) == len(self._peers):
            state, detail = HealthState.DOWN, lost[0].detail
        elif self._in_hand >= self._settings.in_hand:
            state, detail = HealthState.BUSY, "too many messages in hand"
        else:
            state, detail = HealthState.UP, f"{len(self._peers) - len(lost)} of {len(self._peers)} peers"
        if state is before.state and detail == before.detail:
            return
        since = before.since if state is before.state else self._context.clock.now()
        self._health = Health(state, detail, since, self._in_hand)
        if state is not before.state and self._inbox is not None:
            self._inbox.health_changed(self.name, self._health)


def _failed(delivery: Delivery, error: SendError, at: float) -> Outcome:
    return Outcome(
        delivery_id=delivery.id,
        token=delivery.token,
        kind=OutcomeKind.FAILED,
        at=at,
        source="the other MMS network" if error.code else "this server",
        error=error,
    )
