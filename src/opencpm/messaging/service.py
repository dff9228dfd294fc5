"""Messaging as connectors and the API see it: one object, which only hands on to the use cases."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

from opencpm.domain.account import AccountStatus
from opencpm.domain.address import Address
from opencpm.domain.delivery import Outcome
from opencpm.domain.errors import SendError
from opencpm.domain.message import Message, Part, message_ident, text_part
from opencpm.domain.plan import Plan
from opencpm.domain.policy import Policy
from opencpm.domain.presence import Presence
from opencpm.domain.profile import Availability, Health, HealthState, Reach
from opencpm.domain.report import Report
from opencpm.domain.roster import ContactRequest, RosterChange, RosterEntry
from opencpm.domain.session import Composing, SessionOffer
from opencpm.domain.subscriber import Subscriber
from opencpm.interfaces import (
    Bus,
    Clock,
    Connector,
    Done,
    Ids,
    Leg,
    LegEvents,
    Numbers,
    SessionRecord,
    Store,
)
from opencpm.messaging.accept import Accept
from opencpm.messaging.accounts import Accounts
from opencpm.messaging.directory import StoredDirectory
from opencpm.messaging.dispatch import Dispatch
from opencpm.messaging.door import Door
from opencpm.messaging.ground import Ground
from opencpm.messaging.group import Focus
from opencpm.messaging.housekeeping import Housekeeping
from opencpm.messaging.links import Links
from opencpm.messaging.presence import PresenceBoard, Sight
from opencpm.messaging.presence_watch import PresenceWatch
from opencpm.messaging.recall import Recall
from opencpm.messaging.report import Reporting
from opencpm.messaging.session import Sessions
from opencpm.messaging.shares import Shares
from opencpm.messaging.threads import Threads
from opencpm.messaging.typing_hints import relay


class Messaging:
    """Implements :class:`opencpm.interfaces.Inbox`."""

    def __init__(
        self,
        *,
        store: Store,
        directory: StoredDirectory,
        policy: Policy,
        clock: Clock,
        ids: Ids,
        bus: Bus,
        shares: Shares | None = None,
        numbers: Numbers | None = None,
    ) -> None:
        """``shares``: None where no page shows what a link leads to; ``numbers``: None where nobody knows more of
        numbers than the numbering plan.
        """
        links = Links(shares) if shares is not None else None
        self._ground = Ground(store, directory, policy, clock, ids, bus, links=links, numbers=numbers)
        self._dispatch = Dispatch(self._ground)
        self._directory = directory
        self.presence = PresenceBoard(bus, clock)
        self._watch = PresenceWatch(self._ground, self.presence, self.publish)
        self.accounts = Accounts(store, directory, bus, clock, self._ground.connectors)
        threads = Threads(store, ids)
        self._accept = Accept(self._ground, self._dispatch, threads)
        self._reporting = Reporting(self._ground, self._dispatch)
        self._recall = Recall(self._ground, self._dispatch, self._accept)
        self._door = Door(store, clock)
        self._accept.refused = self._door.turned_away
        self._housekeeping = Housekeeping(self._ground)
        self._sessions = Sessions(self._ground, self._accept, self._dispatch, self._reporting, threads)
        self._focus = Focus(self._ground, self._accept, self._dispatch, self._reporting)
        self._sessions.for_group = self._focus.for_session
        self._focus.calls.talking = self._talking

    @property
    def store(self) -> Store:
        return self._ground.store

    @property
    def directory(self) -> StoredDirectory:
        return self._directory

    @property
    def bus(self) -> Bus:
        return self._ground.bus

    @property
    def connectors(self) -> Mapping[str, Connector]:
        return self._ground.connectors

    @property
    def policy(self) -> Policy:
        return self._ground.policy

    def set_policy(self, policy: Policy) -> None:
        """New settings of the operator; they hold from the next decision on."""
        self._ground.policy = policy

    def every_minute(self, chore: Callable[[], Awaitable[None]]) -> None:
        """Have something done in each round of housekeeping."""
        self._housekeeping.chores.append(chore)

    def attach(self, connectors: Sequence[Connector]) -> None:
        """The networks and accesses of this server, in the order in which they are shown."""
        self._ground.connectors.update({c.name: c for c in connectors})

    async def recover(self) -> None:
        """Take over what an earlier life left; before any connector runs, so that nothing of this life is touched."""
        released = asyncio.Event()
        self._ground.store.release_leases(released.set)
        await released.wait()
        self._reporting.load_parked()
        self._sessions.close_lost()
        self._focus.load()
        self.directory.watch(self._dispatch.look_again)
        self.directory.watch(self.accounts.tidy)

    async def run(self) -> None:
        """Keep what waits moving, until cancelled; then end the sessions in good order."""
        self._focus.resume()
        try:
            async with asyncio.TaskGroup() as duties:
                duties.create_task(self._dispatch.run())
                duties.create_task(self._housekeeping.run())
        finally:
            await self._sessions.shutdown()
            await self._focus.shutdown()

    # -- Inbox -------------------------------------------------------------------------------------------------

    def received(self, messages: Sequence[Message], done: Done) -> None:
        self._sessions.texts.received(messages, done)

    def settled(self, outcomes: Sequence[Outcome]) -> None:
        self._dispatch.settled(outcomes)

    def reported(self, reports: Sequence[Report], done: Callable[[], None] | None = None) -> None:
        self._reporting.reported(reports, done)

    async def invited(self, offer: SessionOffer, leg: Leg) -> LegEvents:
        return await self._sessions.invited(offer, leg)

    def turned_away(self, who: str, reason: str, what: str) -> None:
        self._door.turned_away(who, reason, what)

    def composing(self, sender: Address, recipient: Address, composing: Composing) -> None:
        relay(self._ground, sender, recipient, composing)

    def reach_changed(self, network: str, subscriber: str, reach: Reach) -> None:
        self.bus.publish(
            f"user:{subscriber}",
            {"type": "presence", "network": network, "address": subscriber, "availability": reach.availability.value},
        )
        self._watch.subscriber_changed(subscriber)
        if reach.availability is not Availability.OFFLINE:
            self._dispatch.push(f"user:{subscriber}")
            self._focus.appeared(subscriber)

    def presence_changed(
        self, network: str, owner: str, address: Address, presence: Presence, account: Address | None = None
    ) -> None:
        news = self.presence.changed(owner, Sight(network, address, account), presence)
        if news and presence.availability is not Availability.OFFLINE:
            self._dispatch.push(f"presence:{network}:{address}")
        if news:
            self._watch.somebody_changed(owner, address)
        if news and presence.availability in (Availability.AVAILABLE, Availability.OFFLINE):
            self._focus.seen(owner, address, presence.availability is Availability.AVAILABLE)

    def account_changed(self, network: str, owner: str, account: Address, status: AccountStatus) -> None:
        self.accounts.changed(network, owner, account, status)

    def roster(self, network: str, owner: str, entries: Sequence[RosterEntry], account: Address | None = None) -> None:
        if self.directory.subscriber(owner) is None:
            return
        if changed := self.directory.book.merge(owner, network, entries, account):
            self.bus.publish(f"user:{owner}", {"type": "contacts", "network": network, "changed": changed})

    def roster_settled(
        self,
        network: str,
        owner: str,
        change: RosterChange,
        error: SendError | None = None,
        account: Address | None = None,
    ) -> None:
        self.directory.book.settled(owner, network, change, error, account)

    def contact_asked(self, request: ContactRequest) -> None:
        if self.directory.subscriber(request.owner) is not None and self.directory.book.asked(request):
            self.bus.publish(
                f"user:{request.owner}",
                {
                    "type": "contact-request",
                    "request": request.id,
                    "network": request.network,
                    "address": str(request.address),
                    "name": request.name,
                    "text": request.text,
                },
            )

    def health_changed(self, network: str, health: Health) -> None:
        if health.state is HealthState.UP:
            self._dispatch.push(f"network:{network}")
        self._dispatch.wake()

    # -- questions ---------------------------------------------------------------------------------------------

    @property
    def presences(self) -> PresenceWatch:
        """Presence, for devices."""
        return self._watch

    @property
    def recalls(self) -> Recall:
        """Taking back and replacing."""
        return self._recall

    @property
    def groups(self) -> Focus:
        """Group sessions."""
        return self._focus

    def publish(self, user_id: str, availability: Availability, note: str) -> Subscriber:
        """How a subscriber wants to appear; their contacts' open pages and the networks are told.

        :raises ValueError: there is no such user.
        """
        changed = self.directory.publish(user_id, availability, note, self._ground.clock.now())
        for owner, address in self.directory.known_by(user_id):
            self.bus.publish(
                f"user:{owner}",
                {
                    "type": "presence",
                    "network": "cpm",
                    "address": str(address),
                    "availability": changed.presence.availability.value,
                    "note": changed.presence.note,
                    "since": changed.presence.since,
                },
            )
        self._watch.subscriber_changed(user_id)
        return changed

    def _talking(self, subscriber_id: str, address: Address) -> bool:
        """Whether a subscriber has a session with somebody on a foreign network."""
        for record in self._sessions.standing():
            for own, other in ((record.initiator, record.target), (record.target, record.initiator)):
                owner = self.directory.owner_of(own)
                if owner is not None and owner.id == subscriber_id:
                    contact = self.directory.contact(owner.id, address)
                    if other == address or other in contact.addresses:
                        return True
        return False

    def sessions(self) -> list[SessionRecord]:
        """Sessions that stand now."""
        return self._sessions.standing()

    def explain(
        self,
        sender_id: str,
        recipient: Address,
        text: str = "Hello",
        *,
        route: str = "",
        session: bool = False,
        parts: tuple[Part, ...] | None = None,
    ) -> Plan:
        """What would become of a message (or invitation) now: the same decision as the real one, nothing sent.

        :raises KeyError: no such subscriber.
        """
        subscriber = self.directory.subscriber(sender_id)
        if subscriber is None:
            raise KeyError(sender_id)
        sender = subscriber.addresses[0]
        recipient = self._ground.canonical(recipient)
        if session:
            return self._ground.plan(None, sender, recipient, session=True, route=route)
        now = self._ground.clock.now()
        message = Message(
            id=message_ident(sender, "explain"),
            message_id="explain",
            sender=sender,
            recipients=(recipient,),
            parts=parts or (text_part(text),),
            sent_at=now,
            received_at=now,
            origin="explain",
            route=route,
        )
        return self._ground.plan(message, sender, recipient, route=route)
