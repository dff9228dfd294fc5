"""The Yahoo interworking function: every linked account signed in, its messages and sessions on its connection."""

from __future__ import annotations

import asyncio
import ssl
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from opencpm.domain.account import AccountState, AccountStatus
from opencpm.domain.address import Address
from opencpm.domain.delivery import Delivery
from opencpm.domain.errors import SendError
from opencpm.domain.message import Message
from opencpm.domain.profile import Availability, Fit, Health, HealthState, Reach
from opencpm.domain.session import Composing, SessionOffer
from opencpm.domain.subscriber import LinkedAccount
from opencpm.interfaces import Context, Inbox, Leg, LegEvents
from opencpm.interworking.yahoo import adapt, reasons
from opencpm.interworking.yahoo.account import Account, State
from opencpm.interworking.yahoo.desk import Counters, Desk
from opencpm.interworking.yahoo.names import Names
from opencpm.interworking.yahoo.outbound import outcome
from opencpm.interworking.yahoo.profile import profile
from opencpm.interworking.yahoo.settings import YahooSettings
from opencpm.interworking.yahoo.web import Web
from opencpm.transport.gate import Gate

_GOOD_ORDER = 6.0  # seconds for leaving everything when stopped
_ORDER = [Availability.AVAILABLE, Availability.BUSY, Availability.AWAY, Availability.OFFLINE, Availability.UNKNOWN]


class YahooConnector:
    """Implements :class:`opencpm.interfaces.Connector`."""

    def __init__(self, settings: YahooSettings, context: Context, tls: ssl.SSLContext) -> None:
        self.name = context.name
        self.profile = profile(settings)
        self._settings, self._context, self._tls = settings, context, tls
        self._names = Names(settings.domain)
        self._counters = Counters()
        self._desk: Desk | None = None
        self._accounts: dict[str, Account] = {}  # by account address
        self._owned: defaultdict[str, list[Account]] = defaultdict(list)  # by owner
        self._unusable: dict[str, str] = {}  # accounts that cannot be used at all, and why
        self._seen: dict[str, tuple[int, LinkedAccount]] = {}  # what the directory had when it was last looked at
        self._health_due = False
        self._running: dict[str, asyncio.Task[None]] = {}
        self._stopped = False
        self._early: list[Delivery] = []
        self._told = self._health = Health(HealthState.DOWN, "not started", context.clock.now())

    # --- running -------------------------------------------------------------------------------------------------

    async def run(self, inbox: Inbox) -> None:
        """Keep every linked account signed in until cancelled."""
        desk = self._furnish(inbox)
        changed = asyncio.Event()
        self._context.directory.watch(changed.set)
        self._desk, self._stopped = desk, False
        try:
            self._follow(desk)
            early, self._early = self._early, []
            self.send(early)
            while True:
                await changed.wait()
                changed.clear()
                self._follow(desk)
        finally:
            await self._stop(desk)

    def _furnish(self, inbox: Inbox) -> Desk:
        context, settings = self._context, self._settings
        return Desk(
            self.name,
            settings,
            context.clock,
            context.ids,
            inbox,
            context.directory,
            Web(settings, self._tls),
            Gate(settings.sign_ons_at_a_time, settings.sign_ons_per_second),
            self._names,
            self._counters,
        )

    def _follow(self, desk: Desk) -> None:
        """Make the running accounts those that the directory has."""
        directory = self._context.directory
        wanted = {linked.address.value: linked for linked in directory.linked(self.name)}
        for address in [a for a, account in self._accounts.items() if wanted.get(a) != account.linked]:
            self._drop(address)
        self._unusable = {address: why for address, why in self._unusable.items() if address in wanted}
        for address, linked in wanted.items():
            revision = directory.revision(linked.owner)
            if self._seen.get(address) != (revision, linked):
                self._seen[address] = revision, linked
                self._follow_one(linked, desk)
        self._seen = {address: seen for address, seen in self._seen.items() if address in wanted}
        self._health_changed()

    def _follow_one(self, linked: LinkedAccount, desk: Desk) -> None:
        address = linked.address.value
        try:
            password = self._context.directory.password(linked)
            user = self._names.user(address)
        except (ValueError, SendError) as error:
            self._unusable[address] = str(error)  # whoever links it again makes the directory change
            status = AccountStatus(AccountState.BAD_CREDENTIALS, str(error), self._context.clock.now())
            desk.inbox.account_changed(self.name, linked.owner, linked.address, status)
            return
        self._unusable.pop(address, None)
        running = self._accounts.get(address)
        if running is None:
            self._start(linked, user, password, desk)
            return
        if running.password != password:
            running.try_again(password)
        running.follow()

    def _start(self, linked: LinkedAccount, user: str, password: str, desk: Desk) -> None:
        account = Account(linked, user, password, desk, self._health_changed)
        self._accounts[account.address] = account
        self._owned[linked.owner].append(account)
        self._running[account.address] = desk.spawn(account.run())

    def _drop(self, address: str) -> None:
        account = self._accounts.pop(address)
        owned = self._owned[account.linked.owner]
        owned.remove(account)
        if not owned:
            del self._owned[account.linked.owner]
        self._running.pop(address).cancel()

    async def _stop(self, desk: Desk) -> None:
        self._stopped = True
        accounts = list(self._accounts.values())
        tasks = [*self._running.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        try:
            async with asyncio.timeout(_GOOD_ORDER):
                await asyncio.gather(*(account.left() for account in accounts))
        except TimeoutError:
            pass
        for task in tuple(desk.tasks):
            task.cancel()
        await asyncio.gather(*tuple(desk.tasks), return_exceptions=True)
        await desk.web.close()
        self._accounts.clear()
        self._owned.clear()
        self._running.clear()
        self._seen.clear()

    # --- messages ------------------------------------------------------------------------------------------------

    def send(self, deliveries: Sequence[Delivery]) -> None:
        """See :meth:`opencpm.interfaces.Connector.send`."""
        desk = self._desk
        if desk is None:
            self._early.extend(deliveries)
            return
        groups: defaultdict[tuple[str, str], list[Delivery]] = defaultdict(list)
        for delivery in deliveries:
            groups[delivery.source.value, delivery.target.value].append(delivery)
        for (source, target), group in groups.items():
            try:
                account, peer = self._pair(source, target)
            except SendError as error:
                desk.inbox.settled([outcome(delivery, desk, error, "Yahoo") for delivery in group])
            else:
                chat = account.chat(peer)
                chat.deliver(group, desk.inbox.settled)
                account.tidy(chat)

    def _pair(self, source: str, target: str) -> tuple[Account, str]:
        account = self._accounts.get(source)
        if self._stopped:
            raise reasons.down("the server is stopping")
        if account is None:
            raise reasons.no_account(source)
        return account, self._names.user(target)

    def composing(self, source: Address, target: Address, composing: Composing) -> None:
        """A notice that lapses by itself; dropped where there is nobody to see it."""
        try:
            account, peer = self._pair(source.value, target.value)
        except SendError:
            return
        if account.buddies.availability(peer) in (Availability.AVAILABLE, Availability.BUSY, Availability.AWAY):
            chat = account.chat(peer)
            chat.show_typing(composing.active)
            account.tidy(chat)

    # --- sessions ------------------------------------------------------------------------------------------------

    async def open(self, offer: SessionOffer, events: LegEvents) -> Leg:
        """See :meth:`opencpm.interfaces.Connector.open`."""
        account, peer = self._pair(offer.initiator.value, offer.target.value)
        chat = account.chat(peer)
        try:
            return await chat.open(offer, events)
        finally:
            account.tidy(chat)

    # --- what is known -------------------------------------------------------------------------------------------

    def reach(self, owner: str, target: Address) -> Reach:
        """By whichever of the owner's accounts knows most."""
        try:
            peer = self._names.user(target.value)
        except SendError as error:
            return Reach(Availability.UNKNOWN, detail=error.detail)
        seen = [account.reach(peer) for account in self._owned.get(owner, ())]
        return min(seen, key=lambda reach: _ORDER.index(reach.availability), default=reasons.NO_ACCOUNT_REACH)

    def fit(self, message: Message) -> Fit:
        return adapt.fit(message, self._settings.max_message_bytes)

    def health(self) -> Health:
        backlog = self._counters.backlog
        return self._health if backlog == 0 else replace(self._health, backlog=backlog)

    def describe(self) -> Mapping[str, Any]:
        counters = self._counters
        return {
            "server": self._settings.server,
            "version": self._settings.version,
            "accounts": [account.describe() for account in self._accounts.values()],
            "sent": counters.sent,
            "received": counters.received,
            "failed": counters.failed,
            "confirmed": counters.confirmed,
        }

    def _health_changed(self) -> None:
        """Look at all accounts, once however many of them changed in this turn of the loop."""
        if not self._health_due:
            self._health_due = True
            asyncio.get_running_loop().call_soon(self._judge_health)

    def _judge_health(self) -> None:
        """Down while no account gets through to the service. An account that the service turned away is that
        account's trouble, and its owner is told so; the network stands."""
        self._health_due = False
        accounts = list(self._accounts.values())
        online = sum(account.state is State.ONLINE for account in accounts)
        reached = any(a.state in (State.ONLINE, State.CREDENTIALS, State.ELSEWHERE) for a in accounts)
        state = HealthState.UP if reached or not accounts else HealthState.DOWN
        troubles = [f"{a.address}: {a.describe_state()}" for a in accounts if a.state is not State.ONLINE]
        troubles += [f"{address}: {text}" for address, text in self._unusable.items()]
        total = len(accounts) + len(self._unusable)
        detail = "; ".join([f"{online} of {total} accounts signed in", *troubles[:3]])
        since = self._health.since if state is self._health.state else self._context.clock.now()
        self._health = Health(state, detail, since)
        if self._desk is not None and self._health != self._told:
            self._told = self._health
            self._desk.inbox.health_changed(self.name, self._health)
