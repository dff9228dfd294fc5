"""The network of telephone lines as messaging sees it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from opencpm.domain.address import Address
from opencpm.domain.delivery import Delivery, Outcome, OutcomeKind
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import Message
from opencpm.domain.profile import UNKNOWN_REACH, Fit, Health, HealthState, Reach
from opencpm.domain.session import Composing, SessionOffer
from opencpm.interfaces import Context, Inbox, Leg, LegEvents
from opencpm.protocols.telephone.events import Answered, Event, HungUp, Offered, Pinged, Refused, Registered

from . import adapt, outgoing, reasons
from .calls import Calls
from .inbound import Inbound
from .lines import to_dial
from .outbox import Job, Outbox, failed
from .profile import profile_of
from .settings import FixedLineSettings
from .trunk import Trunk

_TICK = 1.0


class FixedLineConnector:
    """SMS centre and terminal on the trunks of the settings."""

    def __init__(self, settings: FixedLineSettings, context: Context) -> None:
        self.name = context.name
        self.profile = profile_of(settings)
        self.counters: Counter[str] = Counter()
        self.endpoints: dict[str, tuple[str, int]] = {}
        self._settings = settings
        self._context = context
        self._trunks = [Trunk(trunk) for trunk in settings.trunks]
        self._outbox = Outbox(settings.queue)
        self._inbound = Inbound(settings, context)
        self._calls: Calls | None = None
        self._inbox: Inbox | None = None
        self._health = Health(HealthState.DOWN, "not started", context.clock.now())

    # -- what messaging calls

    async def run(self, inbox: Inbox) -> None:
        """See :meth:`opencpm.interfaces.Connector.run`."""
        self._inbox = inbox
        self._inbound.start(inbox)
        while True:
            try:
                calls = Calls(self._settings, self._context, self._trunks, self._outbox, self._inbound, self)
                break
            except OSError as error:
                self._watch_health(f"port {self._settings.listen_port}: {error.strerror or error}")
                await asyncio.sleep(_TICK)
        self._calls = calls
        self.endpoints["sip"] = calls.phone.address
        self._watch_health()
        try:
            async with asyncio.TaskGroup() as tasks:
                for trunk in self._trunks:
                    tasks.create_task(trunk.watch(calls.phone, calls.pump))
                tasks.create_task(self._tick(calls))
        finally:
            self._calls = None
            calls.close()

    def send(self, deliveries: Sequence[Delivery]) -> None:
        """See :meth:`opencpm.interfaces.Connector.send`."""
        now = self._context.clock.now()
        outcomes = [
            failed(delivery, error, now) for delivery in deliveries if (error := self._take(delivery, now)) is not None
        ]
        self.settle(outcomes)
        if self._calls is not None:
            self._calls.pump()

    async def open(self, offer: SessionOffer, events: LegEvents) -> Leg:
        raise SendError(Reason.NOT_ACCEPTABLE, detail="SMS has no sessions")

    def composing(self, source: Address, target: Address, composing: Composing) -> None:
        """Nobody is shown typing."""

    def reach(self, owner: str, target: Address) -> Reach:
        """Nobody knows what is on a line before it is called."""
        return UNKNOWN_REACH

    def fit(self, message: Message) -> Fit:
        return adapt.fit(message, self._settings)

    def health(self) -> Health:
        health = self._health
        return Health(health.state, health.detail, health.since, len(self._outbox))

    def describe(self) -> Mapping[str, Any]:
        pacer = self._calls.phone.pacer if self._calls is not None else None
        return {
            "trunks": [
                {
                    "name": trunk.name,
                    "role": trunk.settings.role,
                    "address": trunk.host,
                    "up": trunk.up,
                    "detail": trunk.detail,
                    "account": trunk.account,
                    "calls": len(trunk.visits),
                }
                for trunk in self._trunks
            ],
            "in hand": len(self._outbox),
            "late beats": pacer.late if pacer is not None else 0,
            "counters": dict(self.counters + self._inbound.counters),
        }

    # -- sending

    def _take(self, delivery: Delivery, now: float) -> SendError | None:
        """Put a delivery into the outbox, or say why not."""
        if delivery.expires_at and delivery.expires_at <= now:
            return reasons.expired()
        trunk = self._trunk_for(delivery)
        if self._calls is None or trunk is None:
            return reasons.no_trunk(self._health.detail)
        if self._outbox.full:
            return reasons.queue_full()
        if delivery.target.scheme != "tel":
            return SendError(Reason.UNKNOWN_ADDRESS, detail=f"{delivery.target} is no telephone number")
        settings = trunk.settings
        try:
            forms = outgoing.compose(delivery, settings, self._settings, now)
        except SendError as error:
            return error
        self._remember_sender(trunk, delivery)
        dialled = to_dial(delivery.target.value, settings, self._settings.international_prefix)
        self._outbox.add(Job(delivery, settings, dialled, forms))
        return None

    def _trunk_for(self, delivery: Delivery) -> Trunk | None:
        """The first trunk that is up; word of a message goes back as centre."""
        return next(
            (
                trunk
                for trunk in self._trunks
                if trunk.up and (delivery.notice is None or trunk.settings.role == "centre")
            ),
            None,
        )

    def _remember_sender(self, trunk: Trunk, delivery: Delivery) -> None:
        """Several people send from one number: a reply to it goes to who wrote last."""
        if delivery.notice is not None:
            return
        if trunk.settings.role == "terminal":
            shared = trunk.settings.number
        else:
            shared = outgoing.sender_of(delivery, self._settings)
        if delivery.source.scheme != "tel" or delivery.source.value.lstrip("+") != shared.lstrip("+"):
            self._inbound.replies.sent(shared, delivery.target, delivery.message.sender)

    def settle(self, outcomes: Sequence[Outcome]) -> None:
        if outcomes and self._inbox is not None:
            for outcome in outcomes:
                self.counters[outcome.kind.value] += 1
            self._inbox.settled(outcomes)

    async def _tick(self, calls: Calls) -> None:
        """Duties that need no precision."""
        while True:
            await asyncio.sleep(_TICK)
            now = self._context.clock.now()
            calls.overdue(asyncio.get_running_loop().time())
            calls.pump()
            for trunk in self._trunks:
                trunk.judge(asyncio.get_running_loop().time())
            self._fail_waiting(now)
            self._inbound.expire()
            self._watch_health()

    def _fail_waiting(self, now: float) -> None:
        """What has waited too long for a line; what waits for a trunk that is gone."""
        down = {trunk.name for trunk in self._trunks if not trunk.up}
        late = [(job, reasons.too_late()) for job in self._outbox.overdue(now)]
        stranded = [(job, reasons.no_trunk("")) for job in self._outbox.all_waiting() if job.trunk.name in down]
        outcomes = []
        for job, error in (*late, *stranded):
            job.error = error
            outcomes.append(self._outbox.close(job, OutcomeKind.FAILED, now, "this server"))
        self.settle([outcome for outcome in outcomes if outcome is not None])

    # -- what the telephone tells

    def phone_event(self, event: Event) -> None:
        if self._calls is None:
            return
        now = asyncio.get_running_loop().time()
        if isinstance(event, Pinged):
            event.context.answered(event.status, now)
        elif isinstance(event, Registered):
            event.context.registered(event.status, event.expires, now)
        elif isinstance(event, Offered):
            self._calls.offered(event.call)
        elif isinstance(event, Answered):
            self._calls.answered(event.call)
        elif isinstance(event, Refused):
            self._calls.refused(event.call, event.status, event.reason)
        elif isinstance(event, HungUp):
            self._calls.hung_up(event.call)
        self._watch_health()

    # -- health

    def _watch_health(self, trouble: str = "") -> None:
        """Tell messaging when the state changed."""
        before = self._health
        up = self._calls is not None and any(trunk.up for trunk in self._trunks)
        detail = trouble or "; ".join(f"{trunk.name}: {trunk.detail}" for trunk in self._trunks)
        state = HealthState.DOWN if not up else HealthState.BUSY if self._outbox.full else HealthState.UP
        if state is before.state and detail == before.detail:
            return
        since = before.since if state is before.state else self._context.clock.now()
        self._health = Health(state, detail, since, len(self._outbox))
        if state is not before.state and self._inbox is not None:
            self._inbox.health_changed(self.name, self._health)
