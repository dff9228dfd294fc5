"""Values to rows and back. The order of the columns is that of ``queries.sql``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from opencpm.domain.delivery import DeliveryState
from opencpm.domain.message import Disposition, Message, MessageKind, Part
from opencpm.domain.report import Reference
from opencpm.domain.session import SessionState
from opencpm.interfaces import DeliveryRecord, ReferenceRow, SessionRecord
from opencpm.storage.sqlite.values import (
    address_from,
    address_text,
    addresses_from,
    addresses_text,
    headers_from,
    headers_text,
    list_from,
    list_text,
    notice_from,
    notice_text,
    optional_address,
)

Row = tuple[Any, ...]

RECORD_COLUMNS = 22
"""A joined row is a record of so many columns, then its message."""

_SEQ = 13  # of a record's columns
_STATES = {state._value_: state for state in DeliveryState}
_KINDS = {kind._value_: kind for kind in MessageKind}


# ----------------------------------------------------------------------------------------------- messages


def message_row(n: int, m: Message) -> Row:
    media, body = _parts_columns(m.parts)
    return (
        n,
        m.id,
        m.message_id,
        addresses_text((m.sender,)),
        addresses_text(m.recipients),
        m.sent_at,
        m.received_at,
        m.origin,
        m.conversation_id,
        m.contribution_id,
        m.in_reply_to,
        int(m.wants),
        m.expires_at,
        m.subject,
        m.kind._value_,
        m.session_id,
        m.route,
        headers_text(m.headers),
        media,
        body,
        m.not_before,
    )


def message_from(row: Sequence[Any]) -> Message:
    return Message(
        id=row[0],
        message_id=row[1],
        sender=address_from(row[2]),
        recipients=addresses_from(row[3]),
        sent_at=row[4],
        received_at=row[5],
        origin=row[6],
        conversation_id=row[7],
        contribution_id=row[8],
        in_reply_to=row[9],
        wants=Disposition(row[10]),
        expires_at=row[11],
        subject=row[12],
        kind=_KINDS[row[13]],
        session_id=row[14],
        route=row[15],
        headers=headers_from(row[16]),
        parts=_parts_from(row[17], row[18]),
        not_before=row[19],
    )


def rewritten_row(m: Message) -> Row:
    """What a replaced message has anew."""
    media, body = _parts_columns(m.parts)
    return m.id, int(m.wants), m.expires_at, media, body, m.not_before


def _parts_columns(parts: tuple[Part, ...]) -> tuple[str, bytes]:
    """One part without name and disposition: its content type and body. Else: heads as JSON, bodies joined."""
    if len(parts) == 1:
        content_type, body, name, disposition = parts[0]
        if not name and not disposition and not content_type.startswith("["):
            return content_type, body
    heads = [(p.content_type, p.name, p.disposition, len(p.body)) for p in parts]
    return json.dumps(heads, ensure_ascii=False, separators=(",", ":")), b"".join(p.body for p in parts)


def _parts_from(media: str, body: bytes) -> tuple[Part, ...]:
    if not media.startswith("["):
        return (Part(media, body),)
    parts = []
    start = 0
    for content_type, name, disposition, size in json.loads(media):
        parts.append(Part(content_type, body[start : start + size], name, disposition))
        start += size
    return tuple(parts)


# --------------------------------------------------------------------------------------------- deliveries


def delivery_row(seq: int, message: int, r: DeliveryRecord) -> Row:
    return (
        seq,
        r.id,
        message,
        address_text(r.recipient),
        r.state._value_,
        r.created_at,
        r.expires_at,
        r.network,
        address_text(r.source),
        address_text(r.target),
        r.attempt,
        r.token,
        r.not_before,
        r.lease_until,
        r.queue,
        notice_text(r.notice),
        r.sent_thread,
        r.received_thread,
        r.segments,
        r.confirmed,
        r.error,
        r.detail,
        r.updated_at,
        _due(r),
        not r.id.startswith(r.message.id + "."),
    )


def _due(record: DeliveryRecord) -> float | None:
    """When somebody must look at it: its time, the end of its lease, or the time after which no receipt comes."""
    if record.state is DeliveryState.SENDING:
        return record.lease_until
    if record.state is DeliveryState.QUEUED:
        return record.not_before
    return record.expires_at if record.state is DeliveryState.ACCEPTED else None


def record_from(row: Sequence[Any], message: Message) -> DeliveryRecord:
    return DeliveryRecord(
        id=row[0],
        message=message,
        recipient=address_from(row[1]),
        state=_STATES[row[2]],
        created_at=row[3],
        expires_at=row[4],
        network=row[5],
        source=optional_address(row[6]),
        target=optional_address(row[7]),
        attempt=row[8],
        token=row[9],
        not_before=row[10],
        lease_until=row[11],
        queue=row[12],
        seq=row[_SEQ],
        notice=notice_from(row[14]),
        sent_thread=row[15],
        received_thread=row[16],
        segments=row[17],
        confirmed=row[18],
        error=row[19],
        detail=row[20],
        updated_at=row[21],
    )


def records_from(rows: Sequence[Sequence[Any]]) -> list[DeliveryRecord]:
    """Records of joined rows; deliveries of one message share it."""
    messages: dict[str, Message] = {}
    records = []
    for row in rows:
        message_id = row[RECORD_COLUMNS]
        message = messages.get(message_id)
        if message is None:
            message = messages[message_id] = message_from(row[RECORD_COLUMNS:])
        records.append(record_from(row, message))
    return records


def reference_row(r: ReferenceRow) -> Row:
    reference = r.reference
    return (
        reference.key,
        r.network,
        r.delivery_id,
        reference.segment,
        reference.segments,
        reference.weak,
        reference.check,
    )


def reference_from(row: Sequence[Any]) -> ReferenceRow:
    network, delivery_id, key, segment, segments, weak, check = row
    reference = Reference(key=key, segment=segment, segments=segments, weak=bool(weak), check=check)
    return ReferenceRow(network, delivery_id, reference)


# ----------------------------------------------------------------------------------------------- sessions


def session_row(s: SessionRecord) -> Row:
    return (
        s.id,
        address_text(s.initiator),
        address_text(s.target),
        s.network,
        s.origin,
        s.state._value_,
        s.opened_at,
        list_text(s.owner_threads),
        s.conversation_id,
        s.contribution_id,
        s.answered_at,
        s.closed_at,
        s.reason,
    )


def session_from(row: Sequence[Any]) -> SessionRecord:
    return SessionRecord(
        id=row[0],
        initiator=address_from(row[1]),
        target=address_from(row[2]),
        network=row[3],
        origin=row[4],
        state=SessionState(row[5]),
        opened_at=row[6],
        owner_threads=list_from(row[7]),
        conversation_id=row[8],
        contribution_id=row[9],
        answered_at=row[10],
        closed_at=row[11],
        reason=row[12],
    )
