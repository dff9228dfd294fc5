"""MM7 as a way to our own subscribers: a VASP that submits to us is a device."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from opencpm.access.mm7 import reasons
from opencpm.access.mm7.account import Account
from opencpm.access.mm7.compose import Composer, fit
from opencpm.access.mm7.people import People
from opencpm.access.mm7.pushes import Pushes, failed
from opencpm.access.mm7.submits import Submits
from opencpm.domain.address import Address
from opencpm.domain.delivery import Delivery, Outcome
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import Message
from opencpm.domain.profile import Availability, Fit, Health, HealthState, Profile, Reach
from opencpm.domain.report import Status
from opencpm.domain.session import Composing, SessionOffer
from opencpm.interfaces import Context, Inbox, Leg, LegEvents, Store
from opencpm.protocols.breaker import Breaker
from opencpm.protocols.bucket import Bucket
from opencpm.protocols.logins import Logins
from opencpm.protocols.mm7 import RELEASES
from opencpm.settings import Mm7AccessSettings, Mm7Terms
from opencpm.transport.http_client import Poster, Tls
from opencpm.transport.http_digest import DigestGate
from opencpm.transport.http_post import Answer, Posted, Resource
from opencpm.transport.http_server import Server
from opencpm.transport.lanes import Lanes

log = logging.getLogger("opencpm.access.mm7")

PROFILE = Profile(
    label="Applications (MM7)",
    kind="cpm",
    schemes=frozenset({"sip", "tel", "alpha"}),
    access=True,
    content_types=("*/*",),
    reports=frozenset({Status.DELIVERED, Status.FAILED}),
    subject=True,
)
_TICK = 0.25
_MARGIN = 1.0
_CONNECT = 5.0
_REFUSED_PAUSE = 60.0
_NONE = Reach(Availability.OFFLINE, detail="no application takes messages")
_THERE = Reach(Availability.AVAILABLE, detail="an application takes messages")


class Mm7Access:
    """Implements `interfaces.Connector` and `interfaces.Listening`."""

    def __init__(self, settings: Mm7AccessSettings, context: Context, store: Store, realm: str) -> None:
        self.name, self.profile = context.name, PROFILE
        self.endpoints: dict[str, tuple[str, int]] = {}
        self.accounts: dict[str, Account] = {}
        self.counters: Counter[str] = Counter()
        self._settings, self._context = settings, context
        takes_digest = settings.authentication != "basic"
        self._gate = DigestGate(realm, context.directory.ha1) if takes_digest else None
        people = People(settings, context.directory)
        self._submits = Submits(context, store, people)
        self._pushes = Pushes(Composer(settings, people), context.clock)
        self._logins = Logins()
        self._lanes = Lanes(settings.connections, settings.queue, self._carry)
        self._inbox: Inbox | None = None
        self._health = Health(HealthState.DOWN, "not listening", context.clock.now())

    # -- life

    async def run(self, inbox: Inbox) -> None:
        """Listen until cancelled. Raises OSError when the address cannot be listened on."""
        self._inbox = inbox
        self._submits.start(inbox)
        settings = self._settings
        for name in settings.accounts:
            self._account(name)
        resource = Resource(
            settings.path,
            self._handle,
            self._proves,
            limit=settings.max_request,
            wait=self._locked_out,
            digest=self._gate,
            basic=settings.authentication != "digest",
        )
        server = Server(
            resource,
            settings.host,
            settings.port,
            name=self.name,
            certificate=settings.tls_certificate,
            key=settings.tls_key,
        )
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(server.run(self._listening))
                tasks.create_task(self._lanes.run())
                tasks.create_task(self._tick())
        finally:
            self.endpoints.clear()
            now = self._context.clock.now()
            stopping = reasons.not_reached("the connector is stopping")
            self._settle([failed(one, stopping, now) for one in self._lanes.drain()])
            self._health = Health(HealthState.DOWN, "stopped", now)
            await self._close()

    async def _close(self) -> None:
        for account in self.accounts.values():
            account.announced = False
            if account.poster is not None:
                await account.poster.close()
        self.accounts.clear()

    def _listening(self, address: tuple[str, int]) -> None:
        kind = "https" if self._settings.tls_certificate else "http"
        self.endpoints[kind] = address
        detail = f"listening on {kind} {address[0]}:{address[1]}"
        self._health = Health(HealthState.UP, detail, self._context.clock.now())
        if self._inbox is not None:
            self._inbox.health_changed(self.name, self._health)
        self._announce()

    def _account(self, name: str) -> Account:
        """The account of a user, made when it is first heard of, or listed."""
        account = self.accounts.get(name)
        if account is None:
            terms = self._settings.terms_of(name) or self._settings.terms
            now = self._context.clock.now()
            account = self.accounts[name] = Account(
                id=name,
                terms=terms,
                bucket=Bucket(terms.rate, terms.burst, asyncio.get_running_loop().time()),
                breaker=Breaker(terms.url, self._settings.retry_min, self._settings.retry_max, _REFUSED_PAUSE, now),
                release=RELEASES[terms.release],
                poster=self._poster(terms) if terms.url else None,
            )
        return account

    def _poster(self, terms: Mm7Terms) -> Poster:
        return Poster(
            terms.url,
            username=terms.username,
            password=terms.password,
            scheme=terms.authentication,
            tls=Tls(terms.tls_ca) if terms.url.startswith("https:") else None,
            connections=self._settings.connections,
            answer_timeout=self._settings.answer_timeout,
        )

    # -- what VASPs ask

    def _locked_out(self, user: str, peer: str) -> float:
        return self._logins.wait(user, peer, self._context.clock.now())

    def _proves(self, user: str, password: str | None, peer: str) -> bool:
        """Whether this is a subscriber who may submit. Nobody is told whether a user exists."""
        directory = self._context.directory
        subscriber = directory.subscriber(user)
        proved = password is None or directory.proves(user, password)
        if not proved or subscriber is None:
            who, reason, why = f"mm7:{user[:64]}", Reason.AUTHENTICATION, "a wrong password or no such user"
        elif subscriber.barred or self._settings.terms_of(user) is None:
            who, reason, why = str(subscriber.addresses[0]), Reason.BARRED, "the account may not submit"
        else:
            self._logins.passed(user, peer)
            return True
        self.counters["refused at the door"] += 1
        self._logins.failed(user, peer, self._context.clock.now())
        if self._inbox is not None:
            self._inbox.turned_away(who, reason.value, f"a request over MM7 from {peer}: {why}")
        return False

    async def _handle(self, posted: Posted) -> Answer:
        subscriber = self._context.directory.subscriber(posted.user)
        if subscriber is None:
            return Answer(401)
        account = self._account(posted.user)
        return await self._submits.take(account, subscriber, posted.content_type, posted.body)

    # -- deliveries

    def send(self, deliveries: Sequence[Delivery]) -> None:
        now = self._context.clock.now()
        refused = [failed(one, error, now) for one in deliveries if (error := self._take(one)) is not None]
        self._settle(refused)

    def _take(self, delivery: Delivery) -> SendError | None:
        account = self._of(delivery.target)
        if account is None or account.poster is None:
            return reasons.takes_none()
        if not account.breaker.up:
            return reasons.not_reached(account.breaker.detail)
        if self._lanes.full:
            return reasons.queue_full()
        self._lanes.add(delivery)
        return None

    def _of(self, target: Address) -> Account | None:
        owner = self._context.directory.owner_of(target)
        return self.accounts.get(owner.id) if owner is not None else None

    async def _carry(self, delivery: Delivery) -> None:
        """One delivery, within the time that messaging gives it (interfaces, rule 3)."""
        now = self._context.clock.now()
        left = delivery.deadline - now - _MARGIN if delivery.deadline else None
        account = self._of(delivery.target)
        if account is None:
            outcome = failed(delivery, reasons.takes_none(), now)
        elif left is not None and left <= 0:
            outcome = failed(delivery, reasons.too_late(), now)
        else:
            outcome = await self._in_time(account, delivery, left)
        self._settle([outcome])
        self._announce()

    async def _in_time(self, account: Account, delivery: Delivery, left: float | None) -> Outcome:
        try:
            async with asyncio.timeout(left):
                return await self._pushes.push(account, delivery)
        except TimeoutError:
            error = reasons.unanswered()
        except Exception:
            log.exception("%s could not be brought to %s", delivery.id, account.id)
            error = SendError(Reason.INTERNAL, detail="a fault of this server; it is in the log")
        return failed(delivery, error, self._context.clock.now())

    def _settle(self, outcomes: Sequence[Outcome]) -> None:
        if outcomes and self._inbox is not None:
            for outcome in outcomes:
                self.counters[outcome.kind.value] += 1
            self._inbox.settled(outcomes)

    # -- who can be reached

    async def _tick(self) -> None:
        """Look whether those that could not be reached are back."""
        while True:
            await asyncio.sleep(_TICK)
            now = self._context.clock.now()
            for account in tuple(self.accounts.values()):
                if account.poster is not None and account.breaker.due(now):
                    await self._look(account)

    async def _look(self, account: Account) -> None:
        parts = urlsplit(account.terms.url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        try:
            async with asyncio.timeout(_CONNECT):
                _, writer = await asyncio.open_connection(parts.hostname, port)
            writer.close()
        except (OSError, TimeoutError) as error:
            account.breaker.failed(f"cannot connect: {error or 'no answer'}", self._context.clock.now())
        else:
            account.breaker.half_open(self._context.clock.now())
        self._announce()

    def _announce(self) -> None:
        """Tell messaging whose application appeared or went, so that what waits for it comes."""
        if self._inbox is None or not self.endpoints:
            return
        for account in self.accounts.values():
            if account.reachable != account.announced:
                account.announced = account.reachable
                log.info("%s: %s", account.id, account.breaker.detail)
                self._inbox.reach_changed(self.name, account.id, _THERE if account.reachable else _NONE)

    def reach(self, owner: str, target: Address) -> Reach:
        account = self.accounts.get(owner)
        return _THERE if account is not None and account.reachable else _NONE

    # -- what is known

    def fit(self, message: Message) -> Fit:
        return fit(message)

    async def open(self, offer: SessionOffer, events: LegEvents) -> Leg:
        raise SendError(Reason.NOT_ACCEPTABLE, detail="applications over MM7 have no sessions")

    def composing(self, source: Address, target: Address, composing: Composing) -> None:
        """An application is not shown who types."""

    def health(self) -> Health:
        return self._health

    def describe(self) -> Mapping[str, Any]:
        return {
            "listening": {kind: f"{host}:{port}" for kind, (host, port) in self.endpoints.items()},
            "in hand": len(self._lanes),
            "accounts": [
                {
                    "user": account.id,
                    "takes messages": account.reachable,
                    "detail": account.breaker.detail if account.poster is not None else "",
                    "release": account.release.version,
                }
                for account in self.accounts.values()
            ],
            "counters": dict(self.counters + self._submits.counters + self._pushes.counters),
        }
