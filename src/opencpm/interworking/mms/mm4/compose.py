"""Mails to peers, composed from deliveries: every id in them is derived from ``delivery.id``. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from opencpm.domain.address import Address
from opencpm.domain.delivery import Delivery
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import Part
from opencpm.domain.report import Status
from opencpm.interworking.mms.adapt import content_of
from opencpm.interworking.mms.addresses import on_mms
from opencpm.interworking.mms.reports import asks_delivery, asks_read
from opencpm.protocols.mm4 import DeliveryReportReq, ForwardReq, Mm4Error, ReadReplyReq, encode
from opencpm.protocols.mm4.address import Address as Mm4Address
from opencpm.protocols.mm4.address import parse_address
from opencpm.protocols.mm4.headers import write_date

from .ledger import Row
from .reasons import mm_status
from .settings import Mm4Settings, PeerSettings


class Outgoing(NamedTuple):
    """A mail with its envelope. ``reference``: the id by which reports name it; empty where none will come."""

    transaction: str
    recipient: str
    data: bytes
    reference: str = ""


def forward(
    delivery: Delivery, parts: Sequence[Part], peer: PeerSettings, settings: Mm4Settings, now: float, step: int = 0
) -> Outgoing:
    """MM4_forward.REQ. ``step`` tells content that was made smaller from what was refused. Raises SendError."""
    message = delivery.message
    transaction = f"{delivery.id}-{step}" if step else delivery.id
    ident = f"{transaction}@{settings.domain}"
    target = on_mms(delivery.target)
    request = ForwardReq(
        version=peer.version,
        transaction_id=transaction,
        message_id=ident,
        sender=source_of(delivery, peer, settings),
        to=(target._replace(domain=peer.domain if peer.number_domains else ""),),
        date=message.sent_at,
        subject=message.subject[:200],
        message_class="Personal",
        expiry=_expiry(delivery, settings, now),
        delivery_report=asks_delivery(message, settings),
        read_reply=asks_read(message, settings),
        priority="Normal",
        sender_visibility="Show",
        ack_request=peer.responses,
        originator_system=settings.system_address,
        internet_id=f"<{ident}>",
        system_sender=settings.system_address,
        content=content_of(parts, transaction),
    )
    return Outgoing(transaction, str(target._replace(domain=peer.domain)), _encoded(request), ident)


def source_of(delivery: Delivery, peer: PeerSettings, settings: Mm4Settings) -> Mm4Address:
    """The person's own number, else the fallback. Raises SendError."""
    domain = settings.domain if peer.number_domains else ""
    source = delivery.source
    if source.scheme != "tel" and settings.fallback_source:
        source = Address("tel", settings.fallback_source)
    if source.scheme != "tel":
        detail = "you have no telephone number to send MMS from; the operator can give you one"
        raise SendError(Reason.INVALID_SOURCE, detail=detail)
    return on_mms(source, domain)


def report(delivery: Delivery, row: Row, peer: PeerSettings, settings: Mm4Settings, now: float) -> Outgoing:
    """MM4_delivery_report.REQ or MM4_read_reply_report.REQ for a notice. Raises SendError."""
    notice = delivery.notice
    assert notice is not None
    reader = row.receivers.get(str(notice.recipient)) or next(iter(row.receivers.values()), "")
    common = {
        "version": peer.version,
        "transaction_id": delivery.id,
        "message_id": row.mm_id,
        "sender": parse_address(reader),
        "to": (parse_address(row.sender),),
        "date": now,
        "ack_request": peer.responses,
        "originator_system": settings.system_address,
        "internet_id": f"<{delivery.id}@{settings.domain}>",
        "system_sender": settings.system_address,
    }
    request: DeliveryReportReq | ReadReplyReq
    if notice.status is Status.DISPLAYED:
        request = ReadReplyReq(read_status="Read", **common)  # type: ignore[arg-type]
    else:
        request = DeliveryReportReq(
            mm_status=mm_status(notice),
            status_text=notice.reason[:200],
            forward_to_originator=row.for_user,
            **common,  # type: ignore[arg-type]
        )
    return Outgoing(delivery.id, row.system, _encoded(request, peer.status_header == "both"))


def _expiry(delivery: Delivery, settings: Mm4Settings, now: float) -> str:
    end = delivery.expires_at or now + settings.max_validity
    return write_date(min(end, now + settings.max_validity))


def _encoded(request: ForwardReq | DeliveryReportReq | ReadReplyReq, both: bool = False) -> bytes:
    try:
        return encode(request, both_status_headers=both)
    except Mm4Error as error:
        raise SendError(Reason.INTERNAL, detail=f"the message could not be put into mail: {error}") from None
