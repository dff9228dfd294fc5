"""The XMPP network as messaging sees it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from opencpm.domain.address import Address
from opencpm.domain.delivery import Delivery, Outcome
from opencpm.domain.errors import SendError
from opencpm.domain.message import Message
from opencpm.domain.profile import Fit, Health, HealthState, Reach
from opencpm.domain.session import Composing, SessionOffer
from opencpm.domain.subscriber import Subscriber
from opencpm.interfaces import Context, Inbox, Leg, LegEvents
from opencpm.protocols.xmpp import iq, jid, message, presence
from opencpm.protocols.xmpp.message import MessageStanza

from . import adapt, reasons
from .inbound import Inbound
from .leg import XmppLeg
from .link import Link
from .manners import Manners
from .names import Names
from .outbox import OURS, Entry, Outbox, Settle, outcome
from .outgoing import Composer
from .profile import profile_of
from .queries import Queries
from .roomleg import RoomLeg
from .rooms import Rooms
from .roster import Roster
from .settings import XmppSettings
from .talks import Talks

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_TICK = 1.0

Compose = Callable[[Delivery], MessageStanza]
"""Raises SendError."""


class XmppConnector:
    """A component of an XMPP server, in which each of our people has an address."""

    def __init__(self, settings: XmppSettings, context: Context) -> None:
        terms = adapt.Terms(settings.max_text_bytes, settings.nudge_text, settings.correction_mark)
        self.name = context.name
        self.profile = profile_of(settings)
        self.counters: Counter[str] = Counter()
        self._settings, self._context, self._terms = settings, context, terms
        self._names = names = Names(settings.component, settings.users_domain, context.directory)
        self._manners = Manners()
        self._link = link = Link(settings, self._heard, self._marked, self._changed)
        self._outbox = Outbox(link, settings.queue, context.clock.now)
        self._composer = Composer(names, terms, settings.receipts)
        self._talks = Talks(context, names, link, self._outbox, settings.sessions, settings.idle_timeout)
        self._talks.deliver = self._deliver_in_session
        self._rooms = Rooms(context, names, link, self._outbox, terms, settings.rooms, settings.join_timeout)
        self._rooms.deliver = self._deliver_in_room
        self._inbound = Inbound(
            context, names, terms, link, self._outbox, self._manners, self._talks, settings.inbound_queue
        )
        self._roster = Roster(context, names, link, self._outbox, self._talks, settings.approve, settings.add_contacts)
        self._queries = Queries(settings.component, settings.label, self._subscriber)
        self._inbox: Inbox | None = None
        self._early: list[Delivery] = []
        self._was_up = False
        self._health = Health(HealthState.DOWN, "not started", context.clock.now())

    # -- what messaging calls

    async def run(self, inbox: Inbox) -> None:
        """See :meth:`opencpm.interfaces.Connector.run`."""
        self._inbox = inbox
        self._inbound.start(inbox)
        self._talks.start(inbox)
        self._roster.start(inbox)
        early, self._early = self._early, []
        self.send(early)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._link.run())
                tasks.create_task(self._tick())
        finally:
            await self._talks.stop()

    def send(self, deliveries: Sequence[Delivery]) -> None:
        """See :meth:`opencpm.interfaces.Connector.send`."""
        if self._inbox is None:
            self._early.extend(deliveries)
            return
        self._deliver(deliveries, self._settle, self._single)

    async def open(self, offer: SessionOffer, events: LegEvents) -> Leg:
        """See :meth:`opencpm.interfaces.Connector.open`."""
        if self._rooms.is_room(offer.target.value):
            return await self._rooms.open(offer, events)
        return await self._talks.open(offer, events)

    def composing(self, source: Address, target: Address, composing: Composing) -> None:
        """Shown to those whose clients know it, else dropped."""
        try:
            peer = self._names.theirs(target)
            ours = self._names.ours(source, peer)
        except SendError:
            return
        if self._manners.of(ours, peer).states:
            state = "composing" if composing.active else "paused"
            self._link.write(message.write(MessageStanza(type="chat", sender=ours, to=peer, state=state)))

    def reach(self, owner: str, target: Address) -> Reach:
        return self._roster.reach(owner, target)

    def fit(self, message: Message) -> Fit:
        return adapt.fit(message, self._terms)

    def health(self) -> Health:
        health = self._health
        return Health(health.state, health.detail, health.since, len(self._outbox))

    def describe(self) -> Mapping[str, Any]:
        return {
            "server": f"{self._settings.host}:{self._settings.port}",
            "component": self._settings.component,
            "connected": self._link.up,
            "detail": self._link.detail,
            "in hand": len(self._outbox),
            "sessions": len(self._talks),
            "contacts": len(self._roster),
            "rooms": len(self._rooms),
            "counters": dict(self.counters + self._inbound.counters),
        }

    # -- sending

    def _deliver_in_session(self, leg: XmppLeg, deliveries: Sequence[Delivery]) -> None:
        self._talks.spoke(leg)
        compose = partial(self._composer.compose, chat=True, thread=leg.thread, states=True)
        self._deliver(deliveries, leg.settled, compose)

    def _deliver_in_room(self, leg: RoomLeg, deliveries: Sequence[Delivery]) -> None:
        self._deliver(deliveries, leg.settled, partial(self._rooms.compose, leg))

    def _deliver(self, deliveries: Sequence[Delivery], settle: Settle, compose: Compose) -> None:
        """Write all of a batch that can go, and say of the rest why not."""
        now = self._context.clock.now()
        refused: list[Outcome] = []
        for delivery in deliveries:
            try:
                self._write(delivery, settle, compose, now)
            except SendError as error:
                refused.append(outcome(delivery, "", error, now, OURS))
        if refused:
            self.counters["not sent"] += len(refused)
            settle(refused)
        self._outbox.confirm()
        self._watch_health()

    def _write(self, delivery: Delivery, settle: Settle, compose: Compose, now: float) -> None:
        """Raises SendError."""
        if delivery.expires_at and delivery.expires_at <= now:
            raise reasons.expired()
        if not self._link.up:
            raise reasons.no_link(self._link.detail)
        if self._outbox.full:
            raise reasons.queue_full()
        stanza = compose(delivery)
        self._link.write(message.write(stanza))
        self._outbox.add(Entry(delivery.id, stanza.to, delivery, settle))
        self.counters["sent"] += 1
        if delivery.notice is None and stanza.type != "groupchat":
            owner = self._context.directory.owner_of(delivery.source)
            if owner is not None:
                self._roster.wrote_to(owner, stanza.sender, stanza.to)

    def _single(self, delivery: Delivery) -> MessageStanza:
        """Outside of sessions, in the manner that the receiver's client has shown. Raises SendError."""
        if self._rooms.is_room(delivery.target.value):
            raise reasons.is_room(delivery.target.value)
        manner = self._manners.of(*self._pair(delivery))
        return self._composer.compose(delivery, chat=manner.chats, thread=manner.thread, states=manner.states)

    def _pair(self, delivery: Delivery) -> tuple[str, str]:
        peer = self._names.theirs(delivery.target)
        return self._names.ours(delivery.source, peer), peer

    def _settle(self, outcomes: Sequence[Outcome]) -> None:
        if self._inbox is not None:
            self._inbox.settled(outcomes)

    # -- hearing

    def _heard(self, stanzas: Sequence[Element]) -> None:
        """A batch of stanzas, in order within each kind."""
        messages: list[MessageStanza] = []
        for stanza in stanzas:
            kind = stanza.tag.rpartition("}")[2]
            if kind == "message":
                said = message.read(stanza)
                if not self._rooms.said(said):
                    messages.append(said)
            elif kind == "presence":
                shown = presence.read(stanza)
                if shown is not None and not self._rooms.present(shown):
                    self._roster.take(shown)
            elif kind == "iq":
                answer = self._queries.answer(iq.read(stanza))
                if answer is not None:
                    self._link.write(answer)
        if messages:
            self._inbound.take(messages)

    def _marked(self, number: int) -> None:
        self._outbox.marked(number)
        self._watch_health()

    def _subscriber(self, ours: str) -> Subscriber | None:
        return self._context.directory.owner_of(self._names.address(jid.parse(ours)))

    # -- health

    async def _tick(self) -> None:
        """Duties that need no precision."""
        while True:
            await asyncio.sleep(_TICK)
            self._link.tick()
            self._talks.tick()

    def _changed(self) -> None:
        """The link came up, went, or is behind."""
        up = self._link.up
        if not up:
            self._outbox.lost()
        self._watch_health()
        if up is not self._was_up:
            self._was_up = up
            if up:
                self._roster.link_up()
            else:
                self._roster.link_down()
                self._rooms.link_down()

    def _watch_health(self) -> None:
        """Tell messaging when the state changed."""
        before, detail = self._health, self._link.detail
        if not self._link.up:
            state = HealthState.DOWN
        elif self._link.behind or self._outbox.full or (before.state is HealthState.BUSY and self._outbox.crowded):
            state = HealthState.BUSY
        else:
            state = HealthState.UP
        if state is before.state and detail == before.detail:
            return
        since = before.since if state is before.state else self._context.clock.now()
        self._health = Health(state, detail, since, len(self._outbox))
        if state is not before.state and self._inbox is not None:
            self._inbox.health_changed(self.name, self._health)
