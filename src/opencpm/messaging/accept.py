"""Take messages in: check, decide, commit, acknowledge; then hand them on.

The positive answer is given only after the commit (invariant 1). A message nobody can be found for is refused at once,
with a line in the trail; one that can be carried later is accepted and kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from opencpm.domain.address import Address
from opencpm.domain.delivery import DeliveryState
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import Message, MessageKind
from opencpm.domain.plan import Action, Plan
from opencpm.domain.report import Status
from opencpm.domain.trail import Step, TrailEntry
from opencpm.interfaces import Changes, Committed, DeliveryRecord, Done
from opencpm.messaging import trail
from opencpm.messaging.dispatch import Dispatch
from opencpm.messaging.ground import Ground
from opencpm.messaging.hints import told_new
from opencpm.messaging.notices import tell_sender
from opencpm.messaging.records import attempt, finish, lease, new_record, wait
from opencpm.messaging.threads import Threads


class Verdict(NamedTuple):
    """What became of a message in a group: ``None`` when it goes on, else why not."""

    error: SendError | None


GroupHook = Callable[[Message, Changes, list[DeliveryRecord]], Verdict | None]
"""Adds a message that belongs to a group to a unit of work; None: it does not belong to one."""


class Accept:
    """The way in, for every device and network alike."""

    def __init__(self, ground: Ground, dispatch: Dispatch, threads: Threads) -> None:
        self._ground = ground
        self._dispatch = dispatch
        self._threads = threads
        self.refused: Callable[[str, str, str], None] = lambda who, reason, what: None
        self.for_group: GroupHook = lambda message, changes, ready: None

    def received(self, messages: Sequence[Message], done: Done) -> None:
        """See :meth:`opencpm.interfaces.Inbox.received`."""
        numbers = self._ground.numbers
        if numbers is not None and (missing := numbers.missing(self._foreign_numbers(messages))):
            numbers.ask(missing, lambda: self._take_in(messages, done))
        else:
            self._take_in(messages, done)

    def _foreign_numbers(self, messages: Sequence[Message]) -> Iterator[str]:
        """The receivers' numbers that are not our own people's."""
        for message in messages:
            for recipient in map(self._ground.canonical, message.recipients):
                if recipient.scheme == "tel" and self._ground.directory.owner_of(recipient) is None:
                    yield recipient.value

    def _take_in(self, messages: Sequence[Message], done: Done) -> None:
        changes = Changes()
        verdicts: list[SendError | None] = []
        ready: list[DeliveryRecord] = []
        seen: set[str] = set()
        for message in messages:
            if message.id in seen:
                verdicts.append(None)
                continue
            seen.add(message.id)
            verdicts.append(self._take(message, changes, ready))
        self.commit(changes, verdicts, ready, done)

    def noted(self, message: Message, what: str, done: Done) -> None:
        """A message for the server itself: kept, with a line in its trail, and given to nobody."""
        now = self._ground.clock.now()
        lines = [trail.received(message, now), TrailEntry(message.id, now, Step.DELIVERED, f"to the server: {what}")]

        def committed(result: Committed) -> None:
            done([None if result.error is None else _not_stored(result.error)])

        self._ground.store.commit(Changes(messages=[message], trail=lines), committed)

    def in_session(
        self, messages: Sequence[Message], network: str, source: Address, target: Address, done: Done
    ) -> None:
        """Texts of a standing session: the way is known, the promise is the same."""
        changes = Changes()
        ready: list[DeliveryRecord] = []
        verdicts: list[SendError | None] = []
        now = self._ground.clock.now()
        for message in messages:
            changes.trail.append(trail.received(message, now))
            error = self.refusal(message)
            verdicts.append(error)
            if error is not None:
                changes.trail.append(trail.refused(message.id, error, now))
                continue
            threads = self._ground.threads(message.sender, message.recipients[0])
            record = new_record(message, 0, message.recipients[0], threads, now)
            record.expires_at = now + self._ground.policy.limits.expiry_default
            attempt(record, network, source, target, now)
            self._threads.note(message, *threads)
            self._ground.heard(threads[1], message.origin, changes)
            changes.messages.append(message)
            changes.deliveries.append(record)
            changes.trail.append(
                trail.line(record, Step.SELECTED, f"in session {message.session_id} on {network}", now)
            )
            ready.append(record)
        self.commit(changes, verdicts, ready, done)

    def commit(
        self, changes: Changes, verdicts: list[SendError | None], ready: list[DeliveryRecord], done: Done
    ) -> None:
        def committed(result: Committed) -> None:
            if result.error is not None:
                done([_not_stored(result.error)] * len(verdicts))
                return
            done(verdicts)
            self._hand_on(ready, result.repeated)

        self._ground.store.commit(changes, committed)

    def _hand_on(self, ready: list[DeliveryRecord], repeated: frozenset[str]) -> None:
        fresh = [r for r in ready if r.message.id not in repeated] if repeated else ready
        for record in fresh:
            if record.notice is None:
                told_new(self._ground.bus, record)
        self._dispatch.follow(fresh)

    def _take(self, message: Message, changes: Changes, ready: list[DeliveryRecord]) -> SendError | None:
        """Add one message and its deliveries to the unit of work; or say why not."""
        now = self._ground.clock.now()
        if (verdict := self.for_group(message, changes, ready)) is not None:
            return verdict.error
        if error := self.refusal(message):
            changes.trail.append(trail.received(message, now))
            changes.trail.append(trail.refused(message.id, error, now))
            self._tell_door(message, error)
            return error
        recipients = tuple(dict.fromkeys([self._ground.canonical(recipient) for recipient in message.recipients]))
        plans = [self._plan(message, recipient) for recipient in recipients]
        if all(plan.action is Action.REFUSE for plan in plans):
            changes.trail.append(trail.received(message, now))
            changes.trail.extend(
                trail.refused(message.id, _error(p), now, p, str(r)) for p, r in zip(plans, recipients, strict=True)
            )
            self._tell_door(message, _error(plans[0]))
            return _error(plans[0])
        threads = [self._ground.threads(message.sender, recipient) for recipient in recipients]
        message = self._threads.identify(message, *threads[0])
        changes.messages.append(message)
        changes.trail.append(trail.received(message, now))
        for index, (recipient, plan) in enumerate(zip(recipients, plans, strict=True)):
            record = new_record(message, index, recipient, threads[index], now)
            self._place(record, plan, changes, ready, now)
            self._threads.note(message, *threads[index])
            self._ground.heard(threads[index][1], message.origin, changes)
        return None

    def _tell_door(self, message: Message, error: SendError) -> None:
        """A refused message is not stored; its sender's trail names it."""
        to = ", ".join(str(recipient) for recipient in message.recipients[:3])
        self.refused(str(message.sender), error.reason.value, f"message {message.id} to {to}: {error.detail}")

    def _plan(self, message: Message, recipient: Address) -> Plan:
        return self._ground.plan(
            message, message.sender, recipient, route=message.route, expires_at=message.expires_at or 0.0
        )

    def _place(
        self, record: DeliveryRecord, plan: Plan, changes: Changes, ready: list[DeliveryRecord], now: float
    ) -> None:
        """Decide what becomes of one receiver's copy, and write it down."""
        record.expires_at = plan.expires_at
        changes.deliveries.append(record)
        changes.trail.append(trail.selected(record.message.id, record.id, plan, now))
        if plan.action is Action.REFUSE:
            error = _error(plan)
            finish(record, DeliveryState.FAILED, now, error=error.reason.value, detail=error.detail)
            changes.trail.append(trail.line(record, Step.FAILED, f"{error.reason.value}: {error.detail}", now))
            ready.append(record)
            ready.extend(tell_sender(self._ground, record, Status.FAILED, changes, reason=error.detail))
            return
        behind = self._queue_of(record, plan)
        if behind:
            wait(record, record.expires_at if plan.action is Action.SEND else plan.not_before, behind, now)
        elif plan.action is Action.DEFER:
            wait(record, plan.not_before, "", now)
        else:
            lease(record, plan, now)
            self._ground.note_link(record, changes)
        ready.append(record)

    def _queue_of(self, record: DeliveryRecord, plan: Plan) -> str:
        """The queue this delivery belongs behind: what it waits for, or what already waits for the same person."""
        if plan.action is Action.DEFER:
            return plan.waits_for
        owner = self._ground.directory.owner_of(record.recipient)
        if owner is not None and self._dispatch.waiting.count(f"user:{owner.id}"):
            return f"user:{owner.id}"
        return ""

    def _is_forged(self, message: Message) -> bool:
        """Whether a device sends what a phone would take for word of its own MMS centre, and obey."""
        origin = self._ground.connectors.get(message.origin)
        if origin is None or not origin.profile.access or _WORD_OF_MMS in origin.profile.content_types:
            return False
        return any(part.media_type == _WORD_OF_MMS for part in message.parts)

    def refusal(self, message: Message) -> SendError | None:
        """Limits that hold whatever the network (the operator's)."""
        limits = self._ground.policy.limits
        if not message.recipients:
            return SendError(Reason.MALFORMED, detail="the message has no receiver")
        if not message.parts:
            return SendError(Reason.MALFORMED, detail="the message has no content")
        if len(message.recipients) > limits.recipients:
            return SendError(Reason.TOO_LARGE, detail=f"a message may have {limits.recipients} receivers at most")
        if message.size > limits.message_bytes and message.kind is not MessageKind.SYSTEM:
            return SendError(Reason.TOO_LARGE, detail=f"a message may have {limits.message_bytes} bytes at most")
        if message.parts[0].content_type[:5] != "text/" and self._is_forged(message):
            return SendError(Reason.UNSUPPORTED_MEDIA, detail="word of an MMS comes from MMS centres, not from devices")
        for recipient in message.recipients:
            owner = self._ground.directory.owner_of(recipient)
            if owner and self._dispatch.waiting.count(f"user:{owner.id}") >= limits.deferred_per_subscriber:
                return SendError(
                    Reason.CONGESTION,
                    retryable=True,
                    retry_after=60.0,
                    detail=f"too many messages wait for {owner.name}",
                )
        return None


_WORD_OF_MMS = "application/vnd.wap.mms-message"


def _error(plan: Plan) -> SendError:
    return plan.error or SendError(Reason.NO_ROUTE, detail=plan.reason)


def _not_stored(cause: Exception) -> SendError:
    return SendError(
        Reason.INTERNAL,
        retryable=True,
        retry_after=5.0,
        detail="the server could not store the message; try again",
        code=str(cause),
    )
