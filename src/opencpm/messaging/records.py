"""Outbox rows: how they are made, written and turned into what a connector carries."""

from __future__ import annotations

from opencpm.domain.address import Address
from opencpm.domain.delivery import Delivery, DeliveryState, Notice
from opencpm.domain.errors import Reason
from opencpm.domain.message import Message
from opencpm.domain.plan import Plan
from opencpm.domain.report import Status
from opencpm.interfaces import DeliveryRecord, DeliveryUpdate

LEASE = 300.0  # seconds a connector may work on a delivery before another attempt may start
_MARGIN = 10.0  # a connector gives up this long before its lease ends, so that two attempts never overlap
UNCLEAR = Reason.TIMEOUT.value
"""The error of a record of which an earlier attempt may have arrived; it stays until the record is accepted."""
_NOWHERE = Address("cpm", "")


def new_record(
    message: Message, index: int, recipient: Address, threads: tuple[str, str], now: float
) -> DeliveryRecord:
    """A row for the ``index``-th receiver; its id is derived, so a repeated message has the same rows."""
    return DeliveryRecord(
        id=f"{message.id}.{index}",
        message=message,
        recipient=recipient,
        state=DeliveryState.QUEUED,
        created_at=now,
        expires_at=0.0,
        sent_thread=threads[0],
        received_thread=threads[1],
        updated_at=now,
    )


def notice_record(about: DeliveryRecord, notice: Notice, expires_at: float, now: float) -> DeliveryRecord:
    """A row that tells the original sender what became of ``about``. One per status: ``<delivery id>!delivered``."""
    return DeliveryRecord(
        id=f"{about.id}!{notice.status.value}",
        message=about.message,
        recipient=about.message.sender,
        state=DeliveryState.QUEUED,
        created_at=now,
        expires_at=expires_at,
        notice=notice,
        updated_at=now,
    )


def notice_of(about: DeliveryRecord, status: Status, *, network: str = "", reason: str = "") -> Notice:
    return Notice(
        message_id=about.message.message_id,
        original_sent_at=about.message.sent_at,
        recipient=about.recipient,
        status=status,
        network=network,
        reason=reason,
        cause=about.error if status is Status.FAILED else "",
    )


def lease(record: DeliveryRecord, plan: Plan, now: float) -> None:
    """Give the record to the network its plan chose, for one attempt."""
    assert plan.chosen is not None
    record.expires_at = plan.expires_at or record.expires_at
    attempt(record, plan.chosen.network, plan.chosen.source, plan.chosen.target, now)
    record.form = plan.chosen.form


def attempt(record: DeliveryRecord, network: str, source: Address, target: Address, now: float) -> None:
    """Begin an attempt: leased, with a new fencing token.

    ``error`` tells the next attempt about this one, also after a crash: empty while nothing is known of its end.
    """
    record.error = UNCLEAR if record.attempt and record.error in ("", UNCLEAR) else ""
    record.state = DeliveryState.SENDING
    record.network = network
    record.source = source
    record.target = target
    record.attempt += 1
    record.token += 1
    record.not_before = 0.0
    record.lease_until = now + LEASE
    record.queue = ""
    record.updated_at = now


def wait(record: DeliveryRecord, until: float, queue: str, now: float) -> None:
    """Put the record back until ``until``, or until what ``queue`` names comes to pass."""
    record.state = DeliveryState.QUEUED
    record.not_before = min(until, record.expires_at) if record.expires_at else until
    record.lease_until = 0.0
    record.queue = queue
    record.updated_at = now


def finish(record: DeliveryRecord, state: DeliveryState, now: float, *, error: str = "", detail: str = "") -> None:
    record.state = state
    record.lease_until = 0.0
    record.not_before = 0.0
    record.queue = ""
    record.error = error
    record.detail = detail
    record.updated_at = now


def update_of(record: DeliveryRecord) -> DeliveryUpdate:
    return DeliveryUpdate(
        record.id,
        record.state,
        record.network,
        str(record.source) if record.source else "",
        str(record.target) if record.target else "",
        record.attempt,
        record.token,
        record.not_before,
        record.lease_until,
        record.queue,
        record.segments,
        record.confirmed,
        record.error,
        record.detail,
        record.updated_at,
    )


def delivery_of(record: DeliveryRecord, max_segments: int = 0, message: Message | None = None) -> Delivery:
    """What the connector is given for this attempt. ``message``: the form in which it goes, where that is another."""
    return Delivery(
        id=record.id,
        message=message or record.message,
        recipient=record.recipient,
        network=record.network,
        source=record.source or _NOWHERE,
        target=record.target or _NOWHERE,
        attempt=record.attempt,
        token=record.token,
        deadline=record.lease_until - _MARGIN,
        expires_at=record.expires_at,
        notice=record.notice,
        max_segments=max_segments,
    )
