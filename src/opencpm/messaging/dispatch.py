"""Hand deliveries to connectors, hear how each attempt ended, and decide what comes next."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence

from opencpm.domain.delivery import Delivery, DeliveryState, Outcome, OutcomeKind
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import Message
from opencpm.domain.plan import Action, Form, Plan
from opencpm.domain.profile import Availability, HealthState
from opencpm.domain.report import Report, Status
from opencpm.domain.trail import Step
from opencpm.interfaces import Changes, DeliveryRecord, ReferenceRow
from opencpm.messaging import trail
from opencpm.messaging.answers import into
from opencpm.messaging.ground import Ground
from opencpm.messaging.hints import told_state
from opencpm.messaging.notices import tell_sender
from opencpm.messaging.records import LEASE, UNCLEAR, delivery_of, finish, lease, update_of, wait
from opencpm.messaging.waiting import Waiting

_CLAIM = 256  # deliveries leased in one go
_LONGEST_NAP = 30.0  # seconds; a safety net, every change wakes the loop by itself
_NO_WAY_BACK = Plan(
    action=Action.REFUSE,
    chosen=None,
    candidates=(),
    facts=(),
    reason="the network that the message came from takes no word of it any more",
    error=SendError(Reason.NO_ROUTE, detail="the network that the message came from takes no word of it any more"),
)
_ENDS = {Reason.EXPIRED: Step.EXPIRED, Reason.CANCELLED: Step.CANCELLED}
_INTERNAL = SendError(Reason.INTERNAL, retryable=True, detail="the connection to this network is not there")


class Dispatch:
    """The way out. It never talks to a wire; connectors do."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self.waiting = Waiting(ground.store)
        self._wake = asyncio.Event()
        self._pushing: set[str] = set()
        self.in_session: Callable[[DeliveryRecord], Callable[[Sequence[Delivery]], None] | None] = lambda _: None
        self.failed: Callable[[DeliveryRecord, SendError], None] = lambda record, error: None
        self.in_group: Callable[[DeliveryRecord], Plan | None] = lambda _: None  # the way of a group's text
        self.as_said: Callable[[DeliveryRecord, Message | None], Message | None] = lambda _, form: form
        self.has_come: Callable[[str], bool] = lambda _: False  # what a queue of another kind waits for is there
        self.matched: Callable[[Sequence[Report]], None] = lambda _: None

    # -- out ---------------------------------------------------------------------------------------------------

    def send(self, records: Sequence[DeliveryRecord]) -> None:
        """Give leased records to their connectors, one batch each (or to the session they belong to)."""
        by_network: defaultdict[str, list[Delivery]] = defaultdict(list)
        policy_segments = self._ground.policy.limits.segments
        for record in records:
            form = self._in_form(record)
            leg = None
            if record.message.session_id:
                form = self.as_said(record, form)
                leg = self.in_session(record)
            delivery = delivery_of(record, policy_segments, form)
            if leg is not None:
                leg([delivery])
            else:
                by_network[record.network].append(delivery)
        for network, deliveries in by_network.items():
            connector = self._ground.connectors.get(network)
            if connector is None:
                self.settled([_gone(d, self._ground.clock.now()) for d in deliveries])
            else:
                connector.send(deliveries)

    def _in_form(self, record: DeliveryRecord) -> Message | None:
        if record.form is Form.WHOLE or self._ground.links is None:
            return None
        return self._ground.links.message(record)

    # -- back --------------------------------------------------------------------------------------------------

    def settled(self, outcomes: Sequence[Outcome]) -> None:
        """See :meth:`opencpm.interfaces.Inbox.settled`."""
        changes = Changes()
        next_attempts: list[DeliveryRecord] = []
        early: list[Report] = []
        for outcome in outcomes:
            record = self._ground.working.get(outcome.delivery_id) or self._ground.store.delivery(outcome.delivery_id)
            if record is None or outcome.token != record.token or record.state is not DeliveryState.SENDING:
                self._too_late(record, outcome, changes)
                continue  # fenced off: a later attempt, or a report, has settled it
            if outcome.kind is OutcomeKind.ACCEPTED:
                early += self._accepted(record, outcome, changes, next_attempts)
            elif outcome.kind is OutcomeKind.DELIVERED:
                self._delivered(record, outcome, changes, next_attempts)
            else:
                self._failed(record, outcome, changes, next_attempts)
            changes.updates.append(update_of(record))
        self._commit(changes, next_attempts, early)

    def _too_late(self, record: DeliveryRecord | None, outcome: Outcome, changes: Changes) -> None:
        """A receipt came before the answer it belongs to and settled the delivery: in which form it went, and what
        that cost, is still worth a line."""
        if record is None or outcome.token != record.token or outcome.kind is OutcomeKind.FAILED:
            return
        if record.state in (DeliveryState.DELIVERED, DeliveryState.DISPLAYED) and (outcome.detail or outcome.losses):
            what = f"{outcome.source}: {outcome.detail}" if outcome.detail else outcome.source
            now = self._ground.clock.now()
            changes.trail.append(trail.line(record, Step.ACCEPTED, what, now, outcome.losses))

    def _commit(self, changes: Changes, ready: list[DeliveryRecord], early: list[Report]) -> None:
        touched = [self._ground.working.get(u.id) for u in changes.updates]
        waits_for = {record.queue for record in ready if record.state is DeliveryState.QUEUED and record.queue}
        vain = frozenset(queue for queue in waits_for if self._has_come(queue))  # there, and yet it was put back

        def committed(_: object) -> None:
            for record in touched:
                if record is not None and record.notice is None:
                    told_state(self._ground.bus, record)
            self.follow(ready, vain)

        self._ground.store.commit(changes, committed)
        if early:
            self.matched(early)

    def follow(self, records: Sequence[DeliveryRecord], vain: frozenset[str] = frozenset()) -> None:
        """Records whose placing is committed: the leased ones go out, the waiting ones are counted.

        Only from now on are they in hand: until the commit nobody knows whether a message was a repeated one, whose
        record, perhaps under way with a later token, must stay in hand as it is.
        """
        sending = [r for r in records if r.state is DeliveryState.SENDING]
        for record in sending:
            self._ground.working.hold(record)
        if sending:
            self.send(sending)
        queued = [r for r in records if r.state is DeliveryState.QUEUED]
        if queued:
            self._queued(queued, vain)

    def _queued(self, records: Sequence[DeliveryRecord], vain: frozenset[str]) -> None:
        """Count them. What came while they were being stored moves them at once; what was there before does not."""
        for record in records:
            self.waiting.joined(record.queue)
        for queue in {r.queue for r in records if r.queue} - vain:
            if self._has_come(queue):
                self.push(queue)
        self._wake.set()

    def _has_come(self, queue: str) -> bool:
        """Whether what this queue waits for came while its records were being stored."""
        kind, _, name = queue.partition(":")
        if kind == "user":
            return self._is_here(name)
        connector = self._ground.connectors.get(name) if kind == "network" else None
        if connector is None:
            return self.has_come(queue)
        return connector.health().state is HealthState.UP

    def _is_here(self, subscriber_id: str) -> bool:
        subscriber = self._ground.directory.subscriber(subscriber_id)
        return subscriber is not None and any(
            connector.reach(subscriber_id, subscriber.addresses[0]).availability is Availability.AVAILABLE
            for connector in self._ground.connectors.values()
            if connector.profile.access
        )

    def _accepted(
        self, record: DeliveryRecord, outcome: Outcome, changes: Changes, ready: list[DeliveryRecord]
    ) -> list[Report]:
        """The network has it. Reports that came before this answer are now known to mean this delivery."""
        now = self._ground.clock.now()
        record.state = DeliveryState.ACCEPTED
        record.lease_until = 0.0
        record.segments = max([1, *[r.segments for r in outcome.references]])
        record.detail = outcome.detail
        record.updated_at = now
        early: list[Report] = []
        for reference in outcome.references:
            row = ReferenceRow(record.network, record.id, reference)
            changes.references.append(row)
            self._ground.working.name(row)
            if parked := self._ground.working.unpark(record.network, reference.key):
                changes.unparked.append((record.network, reference.key))
                early += parked
        doubled = "; an earlier attempt may have arrived as well" if outcome.doubled or record.error == UNCLEAR else ""
        record.error = ""
        what = f"{outcome.source}: {outcome.detail}{doubled}"
        changes.trail.append(trail.line(record, Step.ACCEPTED, what, now, outcome.losses))
        ready += tell_sender(self._ground, record, Status.ACCEPTED, changes, network=self._kind(record.network))
        return early

    def _delivered(
        self, record: DeliveryRecord, outcome: Outcome, changes: Changes, ready: list[DeliveryRecord]
    ) -> None:
        now = self._ground.clock.now()
        finish(record, DeliveryState.DELIVERED, now, detail=outcome.detail)
        if record.notice is not None:
            what = f"{record.notice.status.value} told to {record.recipient} ({outcome.source})"
            changes.trail.append(trail.line(record, Step.REPORTED, what, now))
            self._ground.working.release(record.id)
            return
        what = f"{outcome.source}: {outcome.detail}" if outcome.detail else outcome.source
        changes.trail.append(trail.line(record, Step.DELIVERED, what, now, outcome.losses))
        ready += tell_sender(self._ground, record, Status.DELIVERED, changes)

    def _failed(self, record: DeliveryRecord, outcome: Outcome, changes: Changes, ready: list[DeliveryRecord]) -> None:
        """An attempt failed: on another network, later, or never."""
        error = outcome.error or _INTERNAL
        now = self._ground.clock.now()
        said = f"{outcome.source}: {error.reason.value}, {error.detail}" + (f" [{error.code}]" if error.code else "")
        tried = self._ground.working.tried.setdefault(record.id, set())
        if not error.retryable:
            tried.add(record.network)
        if record.error != UNCLEAR:
            record.error = error.reason.value
        if record.attempt >= self._ground.policy.limits.attempts:
            self.fail(record, error, changes, ready, said)
            return
        changes.trail.append(trail.line(record, Step.RETRIED, said, now))
        before = record.network
        plan = self.plan(record)
        if plan.action is Action.SEND and plan.chosen and plan.chosen.network == before and error.retryable:
            delay = error.retry_after or self._delay(record.attempt)
            wait(record, now + delay, "", now)
            ready.append(record)
            return
        if plan.action is Action.DEFER and not error.retryable and self._is_access(before):
            self.fail(record, error, changes, ready, said)  # a device's final word: nothing is kept for another one
            return
        self.place(record, plan, changes, ready, error)

    def _kind(self, network: str) -> str:
        connector = self._ground.connectors.get(network)
        return connector.profile.kind if connector is not None else network

    def _is_access(self, network: str) -> bool:
        connector = self._ground.connectors.get(network)
        return connector is not None and connector.profile.access

    def _delay(self, attempt: int) -> float:
        schedule = self._ground.policy.retry_schedule
        return schedule[min(attempt, len(schedule)) - 1]

    # -- deciding ----------------------------------------------------------------------------------------------

    def plan(self, record: DeliveryRecord) -> Plan:
        """Ask selection again, as things stand now."""
        message = record.message
        tried = frozenset(self._ground.working.tried.get(record.id, ()))
        notice = record.notice
        if notice is None and message.session_id and (way := self.in_group(record)) is not None:
            return way
        if notice is not None and self._ground.directory.owner_of(message.sender) is None:
            back = self._ground.plan_back(
                message,
                notice.recipient,
                notice.status,
                tried=tried,
                attempt=record.attempt,
                expires_at=record.expires_at,
            )
            return back or _NO_WAY_BACK
        if notice is not None:
            return self._ground.plan(None, notice.recipient, message.sender, tried=tried, expires_at=record.expires_at)
        return self._ground.plan(
            message,
            message.sender,
            record.recipient,
            route=message.route,
            tried=tried,
            attempt=record.attempt + 1,
            expires_at=record.expires_at,
        )

    def place(
        self,
        record: DeliveryRecord,
        plan: Plan,
        changes: Changes,
        ready: list[DeliveryRecord],
        cause: SendError | None = None,
    ) -> None:
        """Carry out a plan for a record in hand: another attempt, a wait, or the end."""
        now = self._ground.clock.now()
        if plan.action is Action.REFUSE:
            self.fail(record, cause if cause and not cause.retryable else plan.error or _INTERNAL, changes, ready)
            return
        changes.trail.append(trail.selected(record.message.id, record.id, plan, now))
        if plan.action is Action.SEND:
            lease(record, plan, now)
            self._ground.note_link(record, changes)
            self._ground.working.hold(record)
        else:
            wait(record, plan.not_before, plan.waits_for, now)
        ready.append(record)

    def fail(
        self, record: DeliveryRecord, error: SendError, changes: Changes, ready: list[DeliveryRecord], said: str = ""
    ) -> None:
        """The end of a delivery; its sender is told, if they asked."""
        now = self._ground.clock.now()
        expired = error.reason is Reason.EXPIRED
        state = DeliveryState.EXPIRED if expired else DeliveryState.FAILED
        finish(record, state, now, error=error.reason.value, detail=error.detail)
        step = _ENDS.get(error.reason, Step.FAILED)
        what = said or f"{error.reason.value}: {error.detail}"
        if record.notice is not None:
            what = f"{record.notice.status.value} could not be told to {record.recipient}: {what}"
            changes.trail.append(trail.line(record, Step.REPORTED, what, now))
            self._ground.working.release(record.id)
            return
        changes.trail.append(trail.line(record, step, what, now))
        self.failed(record, error)
        ready += tell_sender(self._ground, record, Status.FAILED, changes, reason=error.detail)

    # -- what waits --------------------------------------------------------------------------------------------

    def push(self, queue: str) -> None:
        """What this queue waits for has come: take everything in it, in order."""
        if queue in self._pushing or not self.waiting.count(queue):
            return
        self._pushing.add(queue)
        now = self._ground.clock.now()

        def claimed(records: Sequence[DeliveryRecord]) -> None:
            self._pushing.discard(queue)
            if len(records) < _CLAIM:
                self.waiting.emptied(queue)
            else:
                self.waiting.left(queue, len(records))
            self._take_up(records)
            if len(records) == _CLAIM:
                self.push(queue)

        self._ground.store.claim(now, now + LEASE, _CLAIM, claimed, queue)

    def _take_up(self, records: Sequence[DeliveryRecord]) -> None:
        """Records claimed from the store: expired ones end, the others are decided anew."""
        changes = Changes()
        ready: list[DeliveryRecord] = []
        now = self._ground.clock.now()
        for record in records:
            self._ground.working.hold(record)
            if record.expires_at and record.expires_at <= now:
                error = SendError(Reason.EXPIRED, detail="its validity ended before it could be delivered")
                self.fail(record, error, changes, ready)
            else:
                self.place(record, self.plan(record), changes, ready)
            changes.updates.append(update_of(record))
        self._commit(changes, ready, [])

    def look_again(self) -> None:
        """Somebody's preferences or contacts changed: what waits for people who are there may go now."""
        for queue in self.waiting.queues():
            if queue.startswith("user:") and self._has_come(queue):
                self.push(queue)

    def wake(self) -> None:
        self._wake.set()

    async def run(self) -> None:
        """Take up what becomes due, until cancelled."""
        while True:
            self._wake.clear()
            now = self._ground.clock.now()
            due = self._ground.store.next_due()
            if due is not None and due <= now:
                await self._claim_due(now)
                continue
            nap = min(_LONGEST_NAP, due - now) if due is not None else _LONGEST_NAP
            try:
                async with asyncio.timeout(max(nap, 0.01)):  # wait_for of 3.11 can swallow a cancellation
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def _claim_due(self, now: float) -> None:
        claimed: asyncio.Future[Sequence[DeliveryRecord]] = asyncio.get_running_loop().create_future()
        self._ground.store.claim(now, now + LEASE, _CLAIM, into(claimed))
        records = await claimed
        for record in records:
            if record.queue:
                self.waiting.left(record.queue, 1)
        self._take_up(records)


def _gone(delivery: Delivery, now: float) -> Outcome:
    return Outcome(
        delivery_id=delivery.id,
        token=delivery.token,
        kind=OutcomeKind.FAILED,
        at=now,
        source="this server",
        error=_INTERNAL,
    )
