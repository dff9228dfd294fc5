"""MMS PDUs: header fields, then for those with content the Content-Type and the body (OMA MMS ENC §7.1)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from .charsets import EncodedText
from .content_type import ContentType, read_content_type, write_content_type
from .errors import Mm1Error
from .fields import Field
from .multipart import WspPart, decode_multipart
from .tokens import MessageType, YesNo
from .values import Counted, Time, Value, decode_value, encode_value
from .wsp import read_text, utf8, value_end, write_text

MEDIA_TYPE = "application/vnd.wap.mms-message"
MAX_SIZE = 8 << 20
MAX_HEADERS = 512

# These come first, in this order (§7.1).
_HEAD = (Field.MESSAGE_TYPE, Field.TRANSACTION_ID, Field.MMS_VERSION)

_MANDATORY: dict[int, tuple[Field, ...]] = {
    MessageType.SEND_REQ: (Field.TRANSACTION_ID, Field.FROM),
    MessageType.SEND_CONF: (Field.TRANSACTION_ID, Field.RESPONSE_STATUS),
    MessageType.NOTIFICATION_IND: (
        Field.TRANSACTION_ID,
        Field.MESSAGE_CLASS,
        Field.MESSAGE_SIZE,
        Field.EXPIRY,
        Field.CONTENT_LOCATION,
    ),
    MessageType.NOTIFYRESP_IND: (Field.TRANSACTION_ID, Field.STATUS),
    MessageType.RETRIEVE_CONF: (Field.DATE,),
    MessageType.ACKNOWLEDGE_IND: (Field.TRANSACTION_ID,),
    MessageType.DELIVERY_IND: (Field.MESSAGE_ID, Field.TO, Field.DATE, Field.STATUS),
    MessageType.READ_REC_IND: (Field.MESSAGE_ID, Field.TO, Field.FROM, Field.READ_STATUS),
    MessageType.READ_ORIG_IND: (Field.MESSAGE_ID, Field.TO, Field.FROM, Field.DATE, Field.READ_STATUS),
    MessageType.FORWARD_REQ: (Field.TRANSACTION_ID, Field.FROM, Field.CONTENT_LOCATION),
    MessageType.FORWARD_CONF: (Field.TRANSACTION_ID, Field.RESPONSE_STATUS),
    MessageType.DELETE_REQ: (Field.TRANSACTION_ID, Field.CONTENT_LOCATION),
    MessageType.DELETE_CONF: (Field.TRANSACTION_ID, Field.RESPONSE_STATUS),
    MessageType.CANCEL_REQ: (Field.TRANSACTION_ID, Field.CANCEL_ID),
    MessageType.CANCEL_CONF: (Field.TRANSACTION_ID, Field.CANCEL_STATUS),
}
_WITH_RECIPIENT = (MessageType.SEND_REQ, MessageType.FORWARD_REQ)


class Header(NamedTuple):
    """A field by number (as on the wire) or, for application headers, by name; its value by its form.

    Octets stand for a value that is unknown or not in its field's form; they are sent on as they are.
    """

    field: int | str
    value: Value


class Pdu(NamedTuple):
    """A PDU. `content_type` is None where there is no content."""

    headers: tuple[Header, ...]
    content_type: ContentType | None = None
    body: bytes = b""

    def get(self, field: int) -> Value | None:
        """The first value of the field, whatever its form; None if absent."""
        return next(self.all(field), None)

    def all(self, field: int) -> Iterator[Value]:
        """Every value of the field."""
        return (header.value for header in self.headers if header.field == field)

    @property
    def type(self) -> int:
        """The Message-Type; 0 if there is none (never after `decode`)."""
        return self.number(Field.MESSAGE_TYPE) or 0

    @property
    def transaction_id(self) -> str:
        """Empty if there is none."""
        return self.text(Field.TRANSACTION_ID)

    @property
    def message_id(self) -> str:
        """Empty if there is none."""
        return self.text(Field.MESSAGE_ID)

    def text(self, field: int) -> str:
        """The text of a field of token, class, encoded-string or From; empty if absent or not text."""
        value = self.get(field)
        if isinstance(value, EncodedText):
            return value.text
        return value if isinstance(value, str) else ""

    def texts(self, field: int) -> tuple[str, ...]:
        """Every text of the field: the recipients of To, Cc, Bcc."""
        return tuple(value.text for value in self.all(field) if isinstance(value, EncodedText))

    def number(self, field: int) -> int | None:
        """The octet (as on the wire) or integer of a field; None if absent or none."""
        value = self.get(field)
        return value if isinstance(value, int) else None

    def flag(self, field: int) -> bool | None:
        """Yes or no; None if absent (its default is the field's own)."""
        value = self.number(field)
        return value == YesNo.YES if value is not None else None

    def time(self, field: int, now: float) -> float | None:
        """The moment of an Expiry or Delivery-Time, in seconds since 1970 UTC."""
        value = self.get(field)
        if not isinstance(value, Time):
            return None
        return now + value.seconds if value.relative else float(value.seconds)

    def parts(self) -> tuple[WspPart, ...]:
        """The content; of a single one its one part. Raises Mm1Error."""
        if self.content_type is None:
            return ()
        if self.content_type.is_multipart:
            return decode_multipart(self.body)
        return (WspPart(self.content_type, (), self.body),)

    def way(self) -> tuple[Counted, ...]:
        """Who sent the message on before (Previously-Sent-By), the first one first."""
        steps = [value for value in self.all(Field.PREVIOUSLY_SENT_BY) if isinstance(value, Counted)]
        return tuple(sorted(steps, key=lambda counted: counted.step))


def decode(data: bytes, *, limit: int = MAX_SIZE) -> Pdu:
    """A PDU, its fields in any order. Raises Mm1Error: cut off, over a limit, or of no Message-Type.

    Whether it has what its type needs is said by `missing`.
    """
    if len(data) > limit:
        raise Mm1Error(f"PDU over {limit} octets")
    headers: list[Header] = []
    at, content_type = 0, None
    while at < len(data) and content_type is None:
        if len(headers) == MAX_HEADERS:
            raise Mm1Error(f"over {MAX_HEADERS} headers")
        if data[at] == Field.CONTENT_TYPE:
            content_type, at = read_content_type(data, at + 1)
            continue
        header, at = _read_header(data, at)
        headers.append(header)
    pdu = Pdu(tuple(headers), content_type, data[at:])
    if not pdu.type:
        raise Mm1Error("no Message-Type")
    return pdu


def _read_header(data: bytes, at: int) -> tuple[Header, int]:
    field = data[at]
    if field >= 0x80:
        end = value_end(data, at + 1)
        return Header(field, decode_value(field, data[at + 1 : end])), end
    name, at = read_text(data, at)
    if not name:
        raise Mm1Error("header without a name")
    value, end = read_text(data, at)
    return Header(name.decode("latin-1"), value.decode("latin-1")), end


def encode(pdu: Pdu) -> bytes:
    """The octets: type, transaction and version first, Content-Type last, the others in their order.

    Raises Mm1Error for a value that is not of its field's form.
    """
    first = [header for field in _HEAD for header in pdu.headers if header.field == field]
    others = [header for header in pdu.headers if header.field not in _HEAD]
    out = [_write_header(header) for header in (*first, *others)]
    if pdu.content_type is not None:
        out += (bytes((Field.CONTENT_TYPE,)), write_content_type(pdu.content_type), pdu.body)
    return b"".join(out)


def _write_header(header: Header) -> bytes:
    field, value = header
    if isinstance(field, str):
        return write_text(_latin(field)) + write_text(_latin(value if isinstance(value, str) else ""))
    return bytes((field,)) + encode_value(field, value)


def _latin(text: str) -> bytes:
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return utf8(text)


def missing(pdu: Pdu) -> tuple[Field, ...]:
    """The mandatory fields (§6) this PDU lacks; of a PDU type we do not know, none. Content is one, too."""
    lacking = [field for field in _MANDATORY.get(pdu.type, ()) if pdu.get(field) is None]
    if pdu.type in _WITH_RECIPIENT and not any(pdu.get(f) for f in (Field.TO, Field.CC, Field.BCC)):
        lacking.append(Field.TO)
    if pdu.content_type is None and _needs_content(pdu):
        lacking.append(Field.CONTENT_TYPE)
    return tuple(lacking)


def _needs_content(pdu: Pdu) -> bool:
    if pdu.type == MessageType.SEND_REQ:
        return True
    # A retrieval that failed has no content (§6.3).
    return pdu.type == MessageType.RETRIEVE_CONF and pdu.number(Field.RETRIEVE_STATUS) in (None, 0x80)
