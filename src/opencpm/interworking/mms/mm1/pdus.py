"""PDUs to phones, composed from deliveries, and what phones send in our terms. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from opencpm.domain.address import Address
from opencpm.domain.delivery import Notice
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import Message, Part
from opencpm.domain.numbering import NumberPlan
from opencpm.domain.report import Status
from opencpm.interworking.mms import adapt
from opencpm.interworking.mms.addresses import neutral
from opencpm.interworking.mms.reports import asks_read
from opencpm.protocols.mm1 import Mm1Error, Pdu, encode
from opencpm.protocols.mm1 import messages as mm1
from opencpm.protocols.mm1.fields import Field
from opencpm.protocols.mm1.mime_parts import from_parts, presentation, to_parts
from opencpm.protocols.mm1.multipart import decode_multipart
from opencpm.protocols.mm1.pdu import Header
from opencpm.protocols.mm1.tokens import Priority, ReadStatus
from opencpm.protocols.mm1.values import Time
from opencpm.protocols.mm4.address import parse_address

from . import reasons
from .settings import Mm1Settings

_SUBJECT_OF_NOTIFICATION: Final = 40
_RECIPIENTS: Final = (Field.TO, Field.CC, Field.BCC)


def written(address: Address) -> str:
    """An address as MMS writes it; of what it has no form for, the value."""
    return f"{address.value}/TYPE=PLMN" if address.scheme == "tel" else address.value


def shown(address: Address) -> str | None:
    """A sender as a phone sees it; None: hidden."""
    return None if address.scheme in ("alpha", "cpm") else written(address)


def notification(
    message: Message, source: Address, transaction: str, location: str, size: int, until: float, *, report: bool
) -> bytes:
    """M-Notification.ind; its subject is cut, so that it fits into few short messages."""
    pdu = mm1.notification_ind(
        transaction,
        location,
        size,
        Time(int(until)),
        sender=shown(source),
        subject=message.subject[:_SUBJECT_OF_NOTIFICATION] or None,
        delivery_report=report,
    )
    return _encoded(pdu)


def retrieval(
    message: Message, source: Address, target: Address, parts: Sequence[Part], transaction: str, settings: Mm1Settings
) -> bytes:
    """M-Retrieve.conf with the content, made for one phone. Raises SendError."""
    composed = from_parts(adapt.composed(parts, transaction[:16]))
    extra = [Header(Field.PRIORITY, Priority.NORMAL)]
    if asks_read(message, settings):
        extra.append(Header(Field.READ_REPORT, mm1.yes(True)))
    pdu = mm1.retrieve_conf(
        int(message.sent_at),
        mm1.related(f"smil.{transaction[:16]}"),
        composed,
        transaction_id=transaction,
        message_id=f"{transaction}@{settings.domain}",
        sender=shown(source),
        to=(written(target),),
        subject=message.subject[:200] or None,
        extra=extra,
    )
    return _encoded(pdu)


def refusal(now: float, status: int, text: str) -> bytes:
    """M-Retrieve.conf without content."""
    return _encoded(mm1.retrieve_refused(int(now), status, text=text))


def report(ident: str, receiver: str, notice: Notice, sender: str, now: float) -> bytes:
    """M-Delivery.ind, or M-Read-Orig.ind, about a message of a phone."""
    if notice.status is Status.DISPLAYED:
        return _encoded(mm1.read_orig_ind(ident, sender, receiver, int(now), ReadStatus.READ))
    return _encoded(mm1.delivery_ind(ident, receiver, int(now), reasons.delivery_status(notice)))


def response(transaction: str, verdict: SendError | None, ident: str) -> bytes:
    """M-Send.conf."""
    status = reasons.response_status(verdict)
    if verdict is None:
        return _encoded(mm1.send_conf(transaction, status, ident))
    return _encoded(mm1.send_conf(transaction, status, text=verdict.detail[:100]))


def _encoded(pdu: Pdu) -> bytes:
    try:
        return encode(pdu)
    except Mm1Error as error:
        raise SendError(Reason.INTERNAL, detail=f"a PDU could not be written: {error}") from None


# -- from phones


def content(pdu: Pdu) -> tuple[Part, ...]:
    """The parts of M-Send.req in the order of their presentation. Raises SendError."""
    if pdu.content_type is None:
        raise SendError(Reason.MALFORMED, detail="the message has no content")
    try:
        flat = to_parts(pdu.content_type, pdu.body)
        named = _presentation(pdu)
    except Mm1Error as error:
        raise SendError(Reason.MALFORMED, detail=f"the content cannot be read: {error}") from None
    return adapt.in_order(flat, next((part for part in flat if named and part.body == named), None))


def _presentation(pdu: Pdu) -> bytes:
    content_type = pdu.content_type
    if content_type is None or not content_type.is_multipart:
        return b""
    found = presentation(content_type, decode_multipart(pdu.body))
    return found.data if found is not None else b""


def receivers(pdu: Pdu, numbers: NumberPlan) -> dict[Address, str]:
    """Everybody a message is for: our address, and as the phone wrote it."""
    found: dict[Address, str] = {}
    for field in _RECIPIENTS:
        for text in pdu.texts(field):
            address = neutral(parse_address(text), numbers)
            if address is not None:
                found.setdefault(address, text)
    return found
