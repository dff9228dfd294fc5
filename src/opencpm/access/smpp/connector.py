"""SMPP as a way to our own subscribers: an ESME that binds to us is a device."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from opencpm.access.smpp import compose
from opencpm.access.smpp.compose import Composer
from opencpm.access.smpp.door import Door
from opencpm.access.smpp.ids import MessageIds
from opencpm.access.smpp.ledger import Ledger
from opencpm.access.smpp.outbox import Outbox, failed
from opencpm.access.smpp.parties import Parties, home
from opencpm.access.smpp.reasons import not_bound
from opencpm.access.smpp.requests import Requests
from opencpm.access.smpp.session import Account, Peer
from opencpm.access.smpp.submits import Submits
from opencpm.domain.address import Address
from opencpm.domain.delivery import Delivery, Outcome
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import Message
from opencpm.domain.profile import Availability, Fit, Health, HealthState, Profile, Reach
from opencpm.domain.replies import Replies
from opencpm.domain.report import Status
from opencpm.domain.session import Composing, SessionOffer
from opencpm.domain.subscriber import Subscriber
from opencpm.interfaces import Context, Inbox, Leg, LegEvents, Store
from opencpm.protocols.bucket import Bucket
from opencpm.protocols.mm1.pdu import MEDIA_TYPE
from opencpm.protocols.smpp.coding import Decoder
from opencpm.protocols.smpp.events import Answered, Asked, BindAsked, Closed, Event, Received, Unanswered
from opencpm.protocols.smpp.short_message import ShortMessage
from opencpm.settings import SmppListener, SmppSettings
from opencpm.transport.link import address_of, listen

log = logging.getLogger("opencpm.access.smpp")

PROFILE = Profile(
    label="Applications (SMPP)",
    kind="cpm",
    schemes=frozenset({"sip", "tel", "alpha"}),
    access=True,
    content_types=("text/plain", MEDIA_TYPE),  # the latter for MMS centres
    reports=frozenset({Status.DELIVERED, Status.FAILED}),
)
_TICK = 1.0
_FORGET = 3600.0
_UNBIND_PATIENCE = 2.0
_OFFLINE = Reach(Availability.OFFLINE, detail="no application is bound")
_BOUND = tuple(Reach(Availability.AVAILABLE, detail=f"{n} bound to receive") for n in range(1, 65))


class SmppConnector:
    """Implements `interfaces.Connector` and `interfaces.Listening`."""

    def __init__(self, settings: SmppSettings, context: Context, store: Store) -> None:
        self.name, self.profile = context.name, PROFILE
        self.endpoints: dict[str, tuple[str, int]] = {}
        self.accounts: dict[str, Account] = {}
        self.counters: Counter[str] = Counter()
        self._settings, self._context = settings, context
        clock = context.clock
        self._ledger = Ledger(context.store, clock.now())
        people = Parties(Replies(context.store, f"{context.name}.replies"))
        ids = MessageIds(context.ids, context.store)
        self._submits = Submits(settings, context, ids, self._ledger, people)
        self._requests = Requests(context, store, self._submits, ids, self._ledger)
        self._composer = Composer(people, self._ledger, lambda one: _cause(store, one), clock.now)
        self._door = Door(settings, context.directory, self._turned_away)
        self._peers: set[Peer] = set()
        self._empty = asyncio.Event()
        self._empty.set()
        self._inbox: Inbox | None = None
        self._again: dict[str, asyncio.TimerHandle] = {}
        self._health = Health(HealthState.DOWN, "not listening", clock.now())
        context.directory.watch(self._people_changed)

    # -- life ----------------------------------------------------------------------------------------------

    async def run(self, inbox: Inbox) -> None:
        """Listen until cancelled. Raises OSError when an address cannot be listened on."""
        self._inbox = inbox
        self._submits.start(inbox)
        self._requests.start(inbox)
        servers: list[asyncio.Server] = []
        try:
            for one in self._settings.listeners:
                servers.append(await self._listen(one))
            self._health = Health(HealthState.UP, self._where(), self._context.clock.now())
            inbox.health_changed(self.name, self._health)
            await self._tick()
        finally:
            for server in servers:
                server.close()
            await self._leave()

    async def _listen(self, one: SmppListener) -> asyncio.Server:
        tls = _tls(self._settings) if one.tls else None
        server = await listen(lambda: self._accept(one), one.host, one.port, tls=tls)
        kind = "smpps" if one.tls else "smpp"
        number = sum(name.partition("-")[0] == kind for name in self.endpoints) + 1
        self.endpoints[kind if number == 1 else f"{kind}-{number}"] = address_of(server)
        return server

    def _accept(self, one: SmppListener) -> asyncio.Protocol:
        if len(self._peers) >= one.max_connections:
            log.warning("connection refused: too many")
            return _Refused()
        return Peer(self, asyncio.get_running_loop().time(), one.bind_timeout).link

    async def _tick(self) -> None:
        """Duties that need no precision."""
        forget_at = 0.0
        while True:
            await asyncio.sleep(_TICK)
            now = self._context.clock.now()
            self._settle(one for account in self.accounts.values() for one in account.outbox.overdue(now))
            self._submits.expire()
            if now >= forget_at:
                forget_at = now + _FORGET
                self._ledger.forget(now)

    async def _leave(self) -> None:
        """Unbind everybody and wait a little for the answers."""
        self._health = Health(HealthState.DOWN, "stopped", self._context.clock.now())
        self.endpoints.clear()
        now = asyncio.get_running_loop().time()
        for peer in tuple(self._peers):
            peer.unbind(now)
        try:
            async with asyncio.timeout(_UNBIND_PATIENCE):
                await self._empty.wait()
        except TimeoutError:
            for peer in tuple(self._peers):
                peer.link.abort()
        for handle in self._again.values():
            handle.cancel()

    def _people_changed(self) -> None:
        """An account that is gone or barred is unbound."""
        for account in self.accounts.values():
            subscriber = self._context.directory.subscriber(account.id)
            if account.peers and (subscriber is None or subscriber.barred):
                now = asyncio.get_running_loop().time()
                for peer in account.peers:
                    peer.unbind(now)

    # -- what connections tell -----------------------------------------------------------------------------

    def ready(self, peer: Peer) -> None:
        """A connection stands, also its TLS."""
        self._peers.add(peer)
        self._empty.clear()

    def heard(self, peer: Peer, events: Sequence[Event]) -> None:
        """A batch: outcomes are settled together, submits committed together."""
        now, at = asyncio.get_running_loop().time(), self._context.clock.now()
        outcomes: list[Outcome | None] = []
        received: list[Received] = []
        for event in events:
            if isinstance(event, Answered):
                outcomes.append(peer.account.outbox.answered(peer, event.context, event.status, now, at))
            elif isinstance(event, Received):
                peer.account.pending += 1
                received.append(event)
            elif isinstance(event, Asked):
                peer.account.pending += 1
                self._requests.take(peer, event.pdu, now)
            elif isinstance(event, Unanswered):
                outcomes.append(peer.account.outbox.unanswered(event.context, at))
            elif isinstance(event, BindAsked):
                self._bind(peer, event)
            elif isinstance(event, Closed):
                log.info("%s: %s", _called(peer), event.reason)
        self._settle(one for one in outcomes if one is not None)
        if received:
            self._submits.take(peer, received, now)
        if peer.bound:
            self.pump(peer.account)

    def lost(self, peer: Peer, error: Exception | None) -> None:
        """A connection is gone."""
        self._peers.discard(peer)
        if not self._peers:
            self._empty.set()
        left = peer.session.lost()
        if not peer.bound:
            return
        account, at = peer.account, self._context.clock.now()
        account.peers.remove(peer)
        ended = [account.outbox.unanswered(one.context, at) for one in left if isinstance(one, Unanswered)]
        self._settle([one for one in ended if one is not None])
        self._settle(account.outbox.stranded(peer, account.receiving > 0, at))
        log.info("%s is gone%s", _called(peer), f": {error}" if error else "")
        if self._inbox is not None and account.announced and not account.receiving:
            account.announced = False
            self._inbox.reach_changed(self.name, account.id, _OFFLINE)
        self.pump(account)

    def _bind(self, peer: Peer, asked: BindAsked) -> None:
        host, port = peer.link.peer
        found = self._door.let_in(asked, self.accounts.get(asked.system_id), f"{host}:{port}")
        if isinstance(found, int):
            self.counters["binds refused"] += 1
            peer.session.refuse(asked, found)
            return
        account = self._account(found)
        peer.accept(asked, account, self._settings.system_id)
        account.peers.append(peer)
        log.info("%s bound from %s:%d (%s, %02X)", account.id, host, port, peer.session.state.value, peer.version)
        if account.receiving and not account.announced:
            account.announced = True
            asyncio.get_running_loop().call_soon(self._appeared, account)

    def _appeared(self, account: Account) -> None:
        """What waits for it can come, once its bind is answered."""
        if self._inbox is not None and account.receiving:
            self._inbox.reach_changed(self.name, account.id, self._reach(account))

    def _account(self, subscriber: Subscriber) -> Account:
        """The account of who binds, made when it binds for the first time: rates outlive connections."""
        account = self.accounts.get(subscriber.id)
        if account is None:
            terms = self._settings.terms_of(subscriber.id) or self._settings.terms
            now = asyncio.get_running_loop().time()

            def composed(delivery: Delivery, version: int) -> tuple[ShortMessage, ...]:
                known = self._context.directory.subscriber(subscriber.id) or subscriber
                return self._composer.compose(delivery, version, home(known), terms)

            account = self.accounts[subscriber.id] = Account(
                id=subscriber.id,
                terms=terms,
                decoder=Decoder(terms.default_alphabet, terms.ucs2_little_endian),
                bucket=Bucket(terms.rate, terms.burst, now),
                outbox=Outbox(terms.queue, terms.deliver_rate, composed, now),
            )
        return account

    # -- deliveries ----------------------------------------------------------------------------------------

    def send(self, deliveries: Sequence[Delivery]) -> None:
        outcomes: list[Outcome] = []
        at = self._context.clock.now()
        touched: dict[str, Account] = {}
        for delivery in deliveries:
            subscriber = self._context.directory.owner_of(delivery.target)
            account = self.accounts.get(subscriber.id) if subscriber is not None else None
            if account is None or not account.receiving:
                outcomes.append(failed(delivery, not_bound(), at))
                continue
            touched[account.id] = account
            if (outcome := account.outbox.add(delivery, at)) is not None:
                outcomes.append(outcome)
        self._settle(outcomes)
        for account in touched.values():
            self.pump(account)

    def pump(self, account: Account) -> None:
        """Send what windows and the rate allow, and come again when the rate allows more."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        outcomes = account.outbox.pump(account.peers, now, self._context.clock.now())
        for peer in account.peers:
            peer.link.wake()
        self._settle(outcomes)
        again = account.outbox.again(now)
        if again is not None and account.id not in self._again:
            self._again[account.id] = loop.call_at(again, self._pump_again, account)

    def _pump_again(self, account: Account) -> None:
        del self._again[account.id]
        self.pump(account)

    def _settle(self, outcomes: Iterable[Outcome]) -> None:
        batch = list(outcomes)
        if batch and self._inbox is not None:
            for outcome in batch:
                self.counters[outcome.kind.value] += 1
            self._inbox.settled(batch)

    def _turned_away(self, who: str, reason: str, what: str) -> None:
        if self._inbox is not None:
            self._inbox.turned_away(who, reason, what)

    # -- what is known -------------------------------------------------------------------------------------

    def reach(self, owner: str, target: Address) -> Reach:
        account = self.accounts.get(owner)
        return _OFFLINE if account is None or not account.peers else self._reach(account)

    def _reach(self, account: Account) -> Reach:
        count = account.receiving
        return _BOUND[min(count, len(_BOUND)) - 1] if count else _OFFLINE

    def fit(self, message: Message) -> Fit:
        return compose.fit(message)

    async def open(self, offer: SessionOffer, events: LegEvents) -> Leg:
        raise SendError(Reason.NOT_ACCEPTABLE, detail="applications over SMPP have no sessions")

    def composing(self, source: Address, target: Address, composing: Composing) -> None:
        """An application is not shown who types."""

    def health(self) -> Health:
        return self._health

    def _where(self) -> str:
        return "listening on " + ", ".join(f"{kind} {host}:{port}" for kind, (host, port) in self.endpoints.items())

    def describe(self) -> Mapping[str, Any]:
        return {
            "listening": {kind: f"{host}:{port}" for kind, (host, port) in self.endpoints.items()},
            "connections": len(self._peers),
            "accounts": [
                {
                    "user": account.id,
                    "bound": [peer.session.state.value for peer in account.peers],
                    "in hand": len(account.outbox),
                    "pending": account.pending,
                }
                for account in self.accounts.values()
                if account.peers
            ],
            "counters": dict(self.counters + self._submits.counters),
        }


class _Refused(asyncio.Protocol):
    """One connection too many: closed as soon as it is there."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.close()


def _called(peer: Peer) -> str:
    host, port = peer.link.peer
    return f"{peer.account.id} ({host}:{port})" if peer.bound else f"{host}:{port}"


def _cause(store: Store, delivery_id: str) -> str:
    record = store.delivery(delivery_id)
    return record.error if record is not None else ""


def _tls(settings: SmppSettings) -> ssl.SSLContext:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.minimum_version = ssl.TLSVersion.TLSv1_2
    tls.load_cert_chain(settings.tls_certificate, settings.tls_key)
    return tls
