"""Messages, deliveries and reports to put into a store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from opencpm.domain.address import Address
from opencpm.domain.delivery import DeliveryState
from opencpm.domain.message import Message, message_ident, text_part
from opencpm.domain.session import SessionState
from opencpm.domain.trail import Step, TrailEntry
from opencpm.interfaces import Changes, DeliveryRecord, DeliveryUpdate, SessionRecord

ALICE = Address("sip", "alice@cpm.test")
BOB = Address("tel", "+447700900123")
NOW = 1_700_000_000.0
LONG_AFTER = NOW + 86400.0


def message(name: str = "m1", **other: Any) -> Message:
    fields: dict[str, Any] = {
        "id": message_ident(ALICE, name),
        "message_id": f"{name}@device.test",
        "sender": ALICE,
        "recipients": (BOB,),
        "parts": (text_part("Cinema at eight?"),),
        "sent_at": NOW - 1.25,
        "received_at": NOW,
        "origin": "sip",
    }
    return Message(**fields | other)


def delivery(of: Message, name: str = "", **other: Any) -> DeliveryRecord:
    fields: dict[str, Any] = {
        "id": f"d-{name or of.message_id}",
        "message": of,
        "recipient": BOB,
        "state": DeliveryState.QUEUED,
        "created_at": NOW,
        "expires_at": LONG_AFTER,
        "updated_at": NOW,
    }
    return DeliveryRecord(**fields | other)


def update(of: DeliveryRecord, state: DeliveryState, **other: Any) -> DeliveryUpdate:
    fields: dict[str, Any] = {
        "id": of.id,
        "state": state,
        "network": of.network,
        "source": str(of.source) if of.source else "",
        "target": str(of.target) if of.target else "",
        "attempt": of.attempt,
        "token": of.token,
        "not_before": of.not_before,
        "lease_until": of.lease_until,
        "queue": of.queue,
        "segments": of.segments,
        "confirmed": of.confirmed,
        "error": of.error,
        "detail": of.detail,
        "updated_at": of.updated_at,
    }
    return DeliveryUpdate(**fields | other)


def unit(name: str = "m1", **other: Any) -> Changes:
    """A message, its delivery and a line of trail; ``other`` goes to the delivery."""
    one = message(name)
    record = delivery(one, **other)
    entry = TrailEntry(one.id, NOW, Step.RECEIVED, "received over SIP", record.id)
    return Changes(messages=[one], deliveries=[record], trail=[entry])


def session(name: str = "s1", **other: Any) -> SessionRecord:
    fields: dict[str, Any] = {
        "id": name,
        "initiator": ALICE,
        "target": Address("msn", "bob@msn.test"),
        "network": "msn",
        "origin": "sip",
        "state": SessionState.INVITED,
        "opened_at": NOW,
        "owner_threads": ("alice|bob",),
    }
    return SessionRecord(**fields | other)


def ids(records: Sequence[DeliveryRecord]) -> list[str]:
    return [record.id for record in records]
