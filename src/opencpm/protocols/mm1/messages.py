"""The PDUs as we write them (OMA MMS ENC §6): one function each, from plain values.

Addresses are as in MMS: `+447700900123/TYPE=PLMN`, or mail addresses. Dates are seconds since 1970 UTC, ids ASCII.
Fields that are seldom used are given as `extra` headers. Encoding them raises Mm1Error for what has no octets.
"""

from __future__ import annotations

from collections.abc import Iterable

from .charsets import EncodedText, encoded
from .content_type import ContentType, Parameter
from .fields import Field
from .multipart import WspPart, encode_multipart
from .pdu import Header, Pdu
from .tokens import CancelStatus, MessageClass, MessageType, ReadStatus, Status, Version, YesNo
from .values import INSERT_ADDRESS, Time, Value
from .wsp import Quoted

Headers = Iterable[Header]

_RELATED = "application/vnd.wap.multipart.related"
_MIXED = "application/vnd.wap.multipart.mixed"


def yes(value: bool) -> int:
    """A flag as its octet."""
    return YesNo.YES if value else YesNo.NO


def related(start: str, quoted: bool = False) -> ContentType:
    """multipart.related whose presentation is the SMIL part of this Content-ID (without angle brackets)."""
    root: str | Quoted = Quoted(f"<{start}>") if quoted else f"<{start}>"
    return ContentType(_RELATED, (Parameter(0x0A, root), Parameter(0x09, "application/smil")))


def mixed() -> ContentType:
    """multipart.mixed: content without a presentation."""
    return ContentType(_MIXED)


def _pdu(kind: MessageType, transaction_id: str | None, version: int, *fields: tuple[int, Value | None]) -> Pdu:
    headers = [Header(Field.MESSAGE_TYPE, int(kind))]
    if transaction_id is not None:
        headers.append(Header(Field.TRANSACTION_ID, transaction_id))
    headers.append(Header(Field.MMS_VERSION, int(version)))
    headers += [Header(field, value) for field, value in fields if value is not None]
    return Pdu(tuple(headers))


def _add(pdu: Pdu, extra: Headers) -> Pdu:
    return pdu._replace(headers=(*pdu.headers, *extra))


def _content(pdu: Pdu, content_type: ContentType, parts: tuple[WspPart, ...]) -> Pdu:
    body = encode_multipart(parts) if content_type.is_multipart else b"".join(part.data for part in parts)
    return pdu._replace(content_type=content_type, body=body)


def _from(address: str | None) -> Value:
    return INSERT_ADDRESS if address is None else encoded(address)


def _text(text: str | None) -> EncodedText | None:
    return encoded(text) if text is not None else None


def addresses(field: int, values: Iterable[str]) -> tuple[Header, ...]:
    """A header a recipient: of To, Cc or Bcc."""
    return tuple(Header(field, encoded(value)) for value in values)


def send_req(
    transaction_id: str,
    to: Iterable[str],
    content_type: ContentType,
    parts: tuple[WspPart, ...],
    *,
    sender: str | None = None,
    subject: str | None = None,
    date: int | None = None,
    extra: Headers = (),
    version: int = Version.V1_2,
) -> Pdu:
    """M-Send.req: a phone submits; without a sender the server inserts it."""
    pdu = _pdu(MessageType.SEND_REQ, transaction_id, version, (Field.DATE, date), (Field.FROM, _from(sender)))
    subjects = [Header(Field.SUBJECT, encoded(subject))] if subject is not None else []
    return _content(_add(pdu, (*addresses(Field.TO, to), *subjects, *extra)), content_type, parts)


def send_conf(
    transaction_id: str,
    status: int,
    message_id: str | None = None,
    *,
    text: str | None = None,
    version: int = Version.V1_2,
) -> Pdu:
    """M-Send.conf: accepted with a Message-ID, or refused."""
    fields = ((Field.RESPONSE_STATUS, status), (Field.RESPONSE_TEXT, _text(text)), (Field.MESSAGE_ID, message_id))
    return _pdu(MessageType.SEND_CONF, transaction_id, version, *fields)


def notification_ind(
    transaction_id: str,
    location: str,
    size: int,
    expiry: Time,
    *,
    sender: str | None = None,
    subject: str | None = None,
    message_class: int | str = MessageClass.PERSONAL,
    delivery_report: bool | None = None,
    version: int = Version.V1_2,
) -> Pdu:
    """M-Notification.ind: a message of so many octets waits at this URI. Without a sender it is hidden."""
    return _pdu(
        MessageType.NOTIFICATION_IND,
        transaction_id,
        version,
        (Field.FROM, _text(sender)),
        (Field.SUBJECT, _text(subject)),
        (Field.DELIVERY_REPORT, None if delivery_report is None else yes(delivery_report)),
        (Field.MESSAGE_CLASS, message_class),
        (Field.MESSAGE_SIZE, size),
        (Field.EXPIRY, expiry),
        (Field.CONTENT_LOCATION, location),
    )


def notifyresp_ind(
    transaction_id: str, status: Status, *, report_allowed: bool | None = None, version: int = Version.V1_2
) -> Pdu:
    """M-NotifyResp.ind: deferred, retrieved or rejected."""
    allowed = None if report_allowed is None else yes(report_allowed)
    fields = ((Field.STATUS, int(status)), (Field.REPORT_ALLOWED, allowed))
    return _pdu(MessageType.NOTIFYRESP_IND, transaction_id, version, *fields)


def retrieve_conf(
    date: int,
    content_type: ContentType,
    parts: tuple[WspPart, ...],
    *,
    transaction_id: str | None = None,
    message_id: str | None = None,
    sender: str | None = None,
    to: Iterable[str] = (),
    subject: str | None = None,
    extra: Headers = (),
    version: int = Version.V1_2,
) -> Pdu:
    """M-Retrieve.conf with the content; a transaction id asks for M-Acknowledge.ind."""
    fields = ((Field.MESSAGE_ID, message_id), (Field.DATE, date), (Field.FROM, _text(sender)))
    pdu = _pdu(MessageType.RETRIEVE_CONF, transaction_id, version, *fields)
    subjects = [Header(Field.SUBJECT, encoded(subject))] if subject is not None else []
    return _content(_add(pdu, (*addresses(Field.TO, to), *subjects, *extra)), content_type, parts)


def retrieve_refused(
    date: int, status: int, *, transaction_id: str | None = None, text: str | None = None, version: int = Version.V1_2
) -> Pdu:
    """M-Retrieve.conf without content: why the message cannot be had."""
    fields = ((Field.DATE, date), (Field.RETRIEVE_STATUS, status), (Field.RETRIEVE_TEXT, _text(text)))
    return _pdu(MessageType.RETRIEVE_CONF, transaction_id, version, *fields)


def acknowledge_ind(transaction_id: str, *, report_allowed: bool | None = None, version: int = Version.V1_2) -> Pdu:
    """M-Acknowledge.ind: a deferred message was retrieved."""
    allowed = None if report_allowed is None else yes(report_allowed)
    return _pdu(MessageType.ACKNOWLEDGE_IND, transaction_id, version, (Field.REPORT_ALLOWED, allowed))


def delivery_ind(message_id: str, to: str, date: int, status: Status, *, version: int = Version.V1_2) -> Pdu:
    """M-Delivery.ind: what became of the message at this recipient."""
    fields = ((Field.MESSAGE_ID, message_id), (Field.TO, encoded(to)), (Field.DATE, date))
    return _pdu(MessageType.DELIVERY_IND, None, version, *fields, (Field.STATUS, int(status)))


def read_rec_ind(
    message_id: str,
    to: str,
    status: ReadStatus,
    *,
    sender: str | None = None,
    date: int | None = None,
    version: int = Version.V1_2,
) -> Pdu:
    """M-Read-Rec.ind: the reader's phone tells its server."""
    return _read(MessageType.READ_REC_IND, message_id, to, _from(sender), date, status, version)


def read_orig_ind(
    message_id: str, to: str, sender: str, date: int, status: ReadStatus, *, version: int = Version.V1_2
) -> Pdu:
    """M-Read-Orig.ind: the server tells the phone that sent the message; `sender` is the reader."""
    return _read(MessageType.READ_ORIG_IND, message_id, to, encoded(sender), date, status, version)


def _read(
    kind: MessageType, message_id: str, to: str, sender: Value, date: int | None, status: ReadStatus, version: int
) -> Pdu:
    return _pdu(
        kind,
        None,
        version,
        (Field.MESSAGE_ID, message_id),
        (Field.TO, encoded(to)),
        (Field.FROM, sender),
        (Field.DATE, date),
        (Field.READ_STATUS, int(status)),
    )


def forward_req(
    transaction_id: str,
    to: Iterable[str],
    location: str,
    *,
    sender: str | None = None,
    date: int | None = None,
    extra: Headers = (),
    version: int = Version.V1_2,
) -> Pdu:
    """M-Forward.req: the message of this Content-Location goes on, unretrieved, to others."""
    pdu = _pdu(MessageType.FORWARD_REQ, transaction_id, version, (Field.DATE, date), (Field.FROM, _from(sender)))
    return _add(pdu, (*addresses(Field.TO, to), *extra, Header(Field.CONTENT_LOCATION, location)))


def forward_conf(
    transaction_id: str,
    status: int,
    message_id: str | None = None,
    *,
    text: str | None = None,
    version: int = Version.V1_2,
) -> Pdu:
    """M-Forward.conf."""
    fields = ((Field.RESPONSE_STATUS, status), (Field.RESPONSE_TEXT, _text(text)), (Field.MESSAGE_ID, message_id))
    return _pdu(MessageType.FORWARD_CONF, transaction_id, version, *fields)


def delete_req(transaction_id: str, locations: Iterable[str], *, version: int = Version.V1_3) -> Pdu:
    """M-Delete.req: what waits at these Content-Locations is not wanted."""
    pdu = _pdu(MessageType.DELETE_REQ, transaction_id, version)
    return _add(pdu, (Header(Field.CONTENT_LOCATION, location) for location in locations))


def delete_conf(transaction_id: str, status: int, *, text: str | None = None, version: int = Version.V1_3) -> Pdu:
    """M-Delete.conf."""
    fields = ((Field.RESPONSE_STATUS, status), (Field.RESPONSE_TEXT, _text(text)))
    return _pdu(MessageType.DELETE_CONF, transaction_id, version, *fields)


def cancel_req(transaction_id: str, cancel_id: str, *, version: int = Version.V1_3) -> Pdu:
    """M-Cancel.req: the server asks the phone to remove a message."""
    return _pdu(MessageType.CANCEL_REQ, transaction_id, version, (Field.CANCEL_ID, cancel_id))


def cancel_conf(transaction_id: str, status: CancelStatus, *, version: int = Version.V1_3) -> Pdu:
    """M-Cancel.conf."""
    return _pdu(MessageType.CANCEL_CONF, transaction_id, version, (Field.CANCEL_STATUS, int(status)))
