"""Messages taken back, or replaced, by who sent them.

What is queued is leased first (``Store.seize``), as if it were to be sent: from then on no attempt can begin, and what
had begun before is not in hand. Only then it ends, or gets its new content. A crash between the two leaves the message
as it was, and nobody was told otherwise.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from typing import Protocol, cast

from opencpm.domain.address import Address
from opencpm.domain.delivery import DeliveryState
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import Message, Replacement
from opencpm.domain.plan import Action, Plan
from opencpm.domain.trail import Step, TrailEntry
from opencpm.interfaces import Changes, Committed, DeliveryRecord, Recalled, Recalling
from opencpm.messaging import trail
from opencpm.messaging.dispatch import Dispatch
from opencpm.messaging.ground import Ground
from opencpm.messaging.hints import told_state
from opencpm.messaging.records import LEASE, update_of, wait

log = logging.getLogger("opencpm.messaging")

_TAKEN_BACK = SendError(Reason.CANCELLED, detail="taken back by its sender")
_NOT_THEIRS = SendError(Reason.BARRED, detail="there is no message of yours with this id")
_NOT_SENT = SendError(Reason.BARRED, detail="the message was not sent to this receiver")
_NOT_STORED = SendError(
    Reason.INTERNAL, retryable=True, retry_after=5.0, detail="the server could not store this; try again"
)
_FAULT = SendError(Reason.INTERNAL, detail="a fault of this server; it is in the log")
_IN_SESSION = SendError(Reason.NOT_ACCEPTABLE, detail="what was said in a session is not replaced")
_DONE = {
    DeliveryState.DELIVERED: "it was delivered",
    DeliveryState.DISPLAYED: "it was read",
    DeliveryState.FAILED: "it failed before",
    DeliveryState.EXPIRED: "it expired before",
    DeliveryState.UNKNOWN: "its network took it and never said what became of it",
}


class Terms(Protocol):
    """Limits that hold for every message that is handed in (``Accept``)."""

    def refusal(self, message: Message) -> SendError | None: ...


class Recall:
    """Implements :class:`opencpm.interfaces.Recalls`."""

    def __init__(self, ground: Ground, dispatch: Dispatch, terms: Terms) -> None:
        self._ground, self._dispatch, self._terms = ground, dispatch, terms
        self._asking: set[asyncio.Task[None]] = set()

    # -- taking back -------------------------------------------------------------------------------------------

    def cancel(self, message_id: str, by: Address, done: Recalled, recipient: Address | None = None) -> None:
        """See :meth:`opencpm.interfaces.Recalls.cancel`."""
        message = self._theirs(message_id, by)
        if message is None:
            done(_NOT_THEIRS)
            return
        records = self._to(self._ground.store.deliveries_of(message.id), recipient)
        if not records:
            done(_NOT_SENT)
            return
        self._seize(records, lambda seized: self._cancelled(records, seized, done))

    def _cancelled(self, records: Sequence[DeliveryRecord], seized: Sequence[DeliveryRecord], done: Recalled) -> None:
        changes, notices = Changes(), list[DeliveryRecord]()
        for record in seized:
            self._end(record, changes, notices)
        ours = {record.id for record in seized}
        others = [now for one in records if one.id not in ours and (now := self._now(one)).error != _CANCELLED]
        accepted = [one for one in others if self._recalling(one) is not None]
        told = [_cannot(one, self._label(one)) for one in others if one not in accepted]

        def committed(stored: bool) -> None:
            if not stored:
                done(_NOT_STORED)
            elif accepted:
                self._begin(self._ask(accepted, told, len(records), done))
            else:
                done(_verdict(told, len(records)))

        self._commit(changes, seized, notices, committed)

    def _end(self, record: DeliveryRecord, changes: Changes, notices: list[DeliveryRecord], said: str = "") -> None:
        """Nobody gets it any more; its sender is told like of any end, if they asked."""
        self._ground.working.hold(record)
        self._dispatch.fail(record, _TAKEN_BACK, changes, notices, said)
        changes.updates.append(update_of(record))

    # -- what a network has ------------------------------------------------------------------------------------

    def _recalling(self, record: DeliveryRecord) -> Recalling | None:
        connector = self._ground.connectors.get(record.network)
        if record.state is not DeliveryState.ACCEPTED or connector is None or not connector.profile.recalls:
            return None
        return cast(Recalling, connector)

    async def _ask(self, records: Sequence[DeliveryRecord], told: list[SendError], count: int, done: Recalled) -> None:
        """Ask the networks, one delivery after the other."""
        changes, notices, ended = Changes(), list[DeliveryRecord](), list[DeliveryRecord]()
        for record in records:
            error = await self._asked(record, changes, notices)
            if error is None:
                ended.append(record)
            else:
                told.append(error)
        self._commit(changes, ended, notices, lambda stored: done(_verdict(told, count) if stored else _NOT_STORED))

    async def _asked(self, record: DeliveryRecord, changes: Changes, notices: list[DeliveryRecord]) -> SendError | None:
        connector = self._recalling(record)
        assert connector is not None
        now = self._ground.clock.now
        try:
            said = await connector.recall(record)
        except SendError as error:
            code = f" [{error.code}]" if error.code else ""
            what = f"not taken back by {self._label(record)}: {error.detail}{code}"
            changes.trail.append(trail.line(record, Step.ACCEPTED, what, now()))
            return error
        except Exception:
            log.exception("%s could not be taken back", record.id)
            return _FAULT
        if (current := self._now(record)).state is DeliveryState.ACCEPTED:
            self._end(current, changes, notices, f"cancelled: {said}")
            return None
        return _cannot(current, self._label(current)) if current.error != _CANCELLED else None

    def _begin(self, asking: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(asking)
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)

    # -- replacing ---------------------------------------------------------------------------------------------

    def replace(self, message_id: str, by: Address, instead: Replacement, done: Recalled) -> None:
        """See :meth:`opencpm.interfaces.Recalls.replace`."""
        message = self._theirs(message_id, by)
        if message is None:
            done(_NOT_THEIRS)
            return
        if message.session_id:
            done(_IN_SESSION)
            return
        new = instead.of(message)
        if error := self._terms.refusal(new):
            done(error)
            return
        records = self._ground.store.deliveries_of(message.id)
        self._seize(records, lambda seized: self._replaced(new, records, seized, done))

    def _replaced(
        self, new: Message, records: Sequence[DeliveryRecord], seized: Sequence[DeliveryRecord], done: Recalled
    ) -> None:
        ours = {record.id for record in seized}
        gone = [self._now(one) for one in records if one.id not in ours]
        plans = [self._plan(new, record) for record in seized]
        refused = next((plan for plan in plans if plan.action is Action.REFUSE), None)
        if gone or not seized:
            self._put_back(seized, done, _cannot(gone[0], self._label(gone[0])) if gone else _NOT_SENT)
        elif refused is not None:
            self._put_back(seized, done, refused.error or SendError(Reason.NO_ROUTE, detail=refused.reason))
        else:
            self._rewrite(new, seized, plans, done)

    def _rewrite(self, new: Message, records: Sequence[DeliveryRecord], plans: Sequence[Plan], done: Recalled) -> None:
        now = self._ground.clock.now()
        before = sum(entry.step is Step.REPLACED for entry in self._ground.store.trail(new.id))
        content = " + ".join(part.media_type for part in new.parts)
        what = f"by its sender, {before + 1}. time: {content}, {new.size} bytes"
        changes = Changes(rewritten=[(new, plans[0].expires_at)], trail=[TrailEntry(new.id, now, Step.REPLACED, what)])
        ready: list[DeliveryRecord] = []
        for record, plan in zip(records, plans, strict=True):
            record.message, record.expires_at = new, plan.expires_at
            self._ground.working.hold(record)
            self._dispatch.place(record, plan, changes, ready)
            changes.updates.append(update_of(record))
        self._commit(changes, records, ready, lambda stored: done(None if stored else _NOT_STORED))

    def _plan(self, new: Message, record: DeliveryRecord) -> Plan:
        tried = frozenset(self._ground.working.tried.get(record.id, ()))
        return self._ground.plan(
            new,
            new.sender,
            record.recipient,
            route=new.route,
            tried=tried,
            attempt=record.attempt + 1,
            expires_at=new.expires_at or 0.0,
        )

    def _put_back(self, records: Sequence[DeliveryRecord], done: Recalled, error: SendError) -> None:
        """It stays as it was: what was leased waits on."""
        changes = Changes()
        for record in records:
            self._ground.working.hold(record)
            wait(record, record.not_before, record.queue, self._ground.clock.now())
            changes.updates.append(update_of(record))
        self._commit(changes, (), list(records), lambda _: done(error))

    # -- common ------------------------------------------------------------------------------------------------

    def _theirs(self, message_id: str, by: Address) -> Message | None:
        """A message, if it is of who asks."""
        message = self._ground.store.message(message_id)
        if message is None:
            return None
        owner_of = self._ground.directory.owner_of
        sender, asker = owner_of(message.sender), owner_of(by)
        same = sender is not None and asker is not None and sender.id == asker.id
        return message if same or message.sender == by else None

    def _to(self, records: Sequence[DeliveryRecord], recipient: Address | None) -> Sequence[DeliveryRecord]:
        if recipient is None:
            return records
        meant = (recipient, self._ground.canonical(recipient))
        return [record for record in records if record.recipient in meant]

    def _seize(self, records: Sequence[DeliveryRecord], then: Callable[[Sequence[DeliveryRecord]], None]) -> None:
        now = self._ground.clock.now()

        def seized(leased: Sequence[DeliveryRecord]) -> None:
            for record in leased:
                if record.queue:
                    self._dispatch.waiting.left(record.queue, 1)
            then(leased)

        self._ground.store.seize([record.id for record in records], now, now + LEASE, seized)

    def _now(self, record: DeliveryRecord) -> DeliveryRecord:
        """As it is now: in hand it may be further than in the store."""
        return self._ground.working.get(record.id) or self._ground.store.delivery(record.id) or record

    def _label(self, record: DeliveryRecord) -> str:
        connector = self._ground.connectors.get(record.network)
        return connector.profile.label if connector is not None else record.network

    def _commit(
        self,
        changes: Changes,
        touched: Sequence[DeliveryRecord],
        ready: list[DeliveryRecord],
        then: Callable[[bool], None],
    ) -> None:
        def committed(result: Committed) -> None:
            if result.error is None:
                for record in touched:
                    told_state(self._ground.bus, record)
                self._dispatch.follow(ready)
            then(result.error is None)

        self._ground.store.commit(changes, committed)


_CANCELLED = Reason.CANCELLED.value


def _cannot(record: DeliveryRecord, label: str) -> SendError:
    """Why a delivery that nobody could stop goes on."""
    to = record.recipient
    if record.state is DeliveryState.ACCEPTED:
        return SendError(Reason.TOO_LATE, detail=f"{label} has the message to {to} already and gives none back")
    if record.state in _DONE:
        return SendError(Reason.TOO_LATE, detail=f"too late for {to}: {_DONE[record.state]}")
    detail = f"the message to {to} is being handed over to {label} now; ask again in a minute"
    return SendError(Reason.TOO_LATE, retryable=True, retry_after=60.0, detail=detail)


def _verdict(errors: Sequence[SendError], count: int) -> SendError | None:
    """All errors as one; the first names the reason."""
    if not errors:
        return None
    first = errors[0]
    if count == 1:
        return first
    done = count - len(errors)
    detail = "; ".join(error.detail for error in errors[:3]) + ("; and others" if len(errors) > 3 else "")
    return SendError(
        first.reason,
        retryable=any(error.retryable for error in errors),
        detail=f"taken back from {done} of {count} receivers: {detail}",
        retry_after=first.retry_after,
        code=first.code,
    )
