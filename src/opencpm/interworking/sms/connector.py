"""The SMS network as messaging sees it."""

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
from opencpm.interfaces import Context, DeliveryRecord, Inbox, Leg, LegEvents
from opencpm.protocols.gsm.content import Terms
from opencpm.protocols.smpp.events import Answered, Asked, Event, Received, Unanswered
from opencpm.protocols.smpp.message_id import ReceiptIds
from opencpm.protocols.smpp.tlv import Tag, int_of, text_of
from opencpm.protocols.throttle import Throttle

from . import adapt, reasons
from .inbound import Inbound
from .lane import Lane
from .outbind import AwaitedLane
from .outbox import Outbox, failed
from .outgoing import Composer
from .profile import profile_of
from .recall import recall
from .settings import SmsSettings

_TICK = 1.0


class SmsConnector:
    """An external short messaging entity (ESME) with one or more links."""

    def __init__(self, settings: SmsSettings, context: Context) -> None:
        self.name = context.name
        self.profile = profile_of(settings)
        self.counters: Counter[str] = Counter()
        self._settings = settings
        self._context = context
        self._composer = Composer(settings)
        self._outbox = Outbox(settings.queue)
        self._inbound = Inbound(settings, context)
        accounts = {link.account_name: Throttle(link.account_rate, 0.0) for link in settings.links if link.account_rate}
        ids = {link.account_name: ReceiptIds(link.receipt_id) for link in settings.links}
        self._lanes = [
            (AwaitedLane if link.outbind else Lane)(
                link, settings, self._heard, self._changed, accounts.get(link.account_name), ids[link.account_name]
            )
            for link in settings.links
        ]
        self._inbox: Inbox | None = None
        self._again: asyncio.TimerHandle | None = None
        self._health = Health(HealthState.DOWN, "not started", context.clock.now())

    # -- what messaging calls
    # ------------------------------------------------------------------------------------

    async def run(self, inbox: Inbox) -> None:
        """See :meth:`opencpm.interfaces.Connector.run`."""
        self._inbox = inbox
        self._inbound.start(inbox)
        async with asyncio.TaskGroup() as tasks:
            for lane in self._lanes:
                tasks.create_task(lane.run())
            tasks.create_task(self._tick())

    def send(self, deliveries: Sequence[Delivery]) -> None:
        """See :meth:`opencpm.interfaces.Connector.send`."""
        outcomes: list[Outcome] = []
        now = self._context.clock.now()
        up = any(lane.open for lane in self._lanes)
        for delivery in deliveries:
            error = self._take(delivery, up, now)
            if error is not None:
                outcomes.append(failed(delivery, error, now, "this server"))
        self._settle(outcomes)
        self._pump()

    async def recall(self, record: DeliveryRecord) -> str:
        """See :meth:`opencpm.interfaces.Recalling.recall`."""
        return await recall(record, self._lanes, self._composer)

    async def open(self, offer: SessionOffer, events: LegEvents) -> Leg:
        raise SendError(Reason.NOT_ACCEPTABLE, detail="SMS has no sessions")

    def composing(self, source: Address, target: Address, composing: Composing) -> None:
        """SMS shows nobody typing."""

    def reach(self, owner: str, target: Address) -> Reach:
        """An SMSC tells nothing before it is asked to deliver."""
        return UNKNOWN_REACH

    def fit(self, message: Message) -> Fit:
        return adapt.fit(message, self._terms(message))

    def _terms(self, message: Message) -> Terms:
        return adapt.terms_for(self._composer.terms, self._context.directory.owner_of(message.sender))

    def health(self) -> Health:
        health = self._health
        return health if health.backlog == len(self._outbox) else self._with_backlog()

    def describe(self) -> Mapping[str, Any]:
        return {
            "links": [
                {
                    "account": lane.account,
                    "smsc": f"{lane.settings.host}:{lane.settings.port}",
                    "listening": lane.endpoint[1] if isinstance(lane, AwaitedLane) else 0,
                    "bound": lane.bound,
                    "detail": lane.detail,
                    "rate": lane.throttle.rate,
                    "receipt ids": lane.ids.form,
                }
                for lane in self._lanes
            ],
            "in hand": len(self._outbox),
            "counters": dict(self.counters + self._inbound.counters),
        }

    # -- sending
    # -------------------------------------------------------------------------------------------------

    def _take(self, delivery: Delivery, up: bool, now: float) -> SendError | None:
        """Put a delivery into the outbox, or say why not."""
        if delivery.expires_at and delivery.expires_at <= now:
            return reasons.expired()
        if not up:
            return reasons.no_link(self._health.detail)
        if self._outbox.full:
            return reasons.queue_full()
        try:
            segments = self._composer.compose(delivery, now, self._terms(delivery.message))
        except SendError as error:
            return error
        shared = self._settings.source or self._settings.fallback_source
        own = not self._settings.source and delivery.source.scheme in ("tel", "alpha")
        if not own and not adapt.is_push(delivery.message):  # nobody answers a push
            self._inbound.replies.sent(shared, delivery.target, delivery.message.sender)
        self._outbox.add(delivery, segments)
        return None

    def _pump(self) -> None:
        """Send what windows and rates allow, and come again when a rate allows more."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        again = self._outbox.pump(self._lanes, now)
        for lane in self._lanes:
            lane.flush()
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
    # -------------------------------------------------------------------------------------------------

    def _heard(self, lane: Lane, events: Sequence[Event]) -> None:
        """A batch of events: outcomes first, so that receipts in the same batch find their references."""
        loop_now = asyncio.get_running_loop().time()
        at = self._context.clock.now()
        outcomes: list[Outcome] = []
        received: list[Received] = []
        for event in events:
            outcome = None
            if isinstance(event, Answered | Unanswered) and isinstance(event.context, asyncio.Future):
                _answer(event)
            elif isinstance(event, Answered):
                outcome = self._answered(lane, event, loop_now, at)
            elif isinstance(event, Received):
                received.append(event)
            elif isinstance(event, Unanswered):
                outcome = self._outbox.unanswered(event.context, at)
                self.counters["unanswered"] += 1
            elif isinstance(event, Asked):
                lane.decline(event)
            if outcome is not None:
                outcomes.append(outcome)
        self._settle(outcomes)
        if received:
            self._inbound.take(lane, received)
        self._pump()

    def _answered(self, lane: Lane, event: Answered, now: float, at: float) -> Outcome | None:
        said = ""
        if event.tlvs:
            said = text_of(event.tlvs, Tag.ADDITIONAL_STATUS_INFO_TEXT) or ""
            lane.congestion(int_of(event.tlvs, Tag.CONGESTION_STATE) or 0, now)
        if event.status:
            self.counters[f"status {event.status:08X}"] += 1
        return self._outbox.answered(lane, event.context, event.status, event.message_id, now, at, said)

    def _settle(self, outcomes: Sequence[Outcome]) -> None:
        if outcomes and self._inbox is not None:
            for outcome in outcomes:
                self.counters[outcome.kind.value] += 1
            self._inbox.settled(outcomes)

    # -- health
    # --------------------------------------------------------------------------------------------------

    def _changed(self, lane: Lane) -> None:
        """A lane came up or went."""
        if not lane.bound:
            others = any(other.open for other in self._lanes)
            self._settle(self._outbox.stranded(lane, others, self._context.clock.now()))
        self._watch_health()
        self._pump()

    def _watch_health(self) -> None:
        """Tell messaging when the state changed."""
        before = self._health
        detail = "; ".join(lane.detail for lane in self._lanes)
        if not any(lane.open for lane in self._lanes):
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

    def _with_backlog(self) -> Health:
        health = self._health
        self._health = Health(health.state, health.detail, health.since, len(self._outbox))
        return self._health


def _answer(event: Answered | Unanswered) -> None:
    """The end of a request that somebody waits for (unless they gave up)."""
    if not event.context.done():
        event.context.set_result(event.status if isinstance(event, Answered) else None)
