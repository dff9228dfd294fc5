"""WAP push of an MMS PDU: WSP connectionless push (WAP-230-WSP §8.2.4.1) as SMS user data on port 2948."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from opencpm.protocols.gsm.segmentation import Segment
from opencpm.protocols.gsm.udh import split

from .content_type import read_content_type
from .errors import Mm1Error
from .pdu import MEDIA_TYPE
from .wsp import octet, read_integer, read_text, read_uintvar, slice_of, text_of, value_end, write_uintvar

PUSH_PORT = 2948
SOURCE_PORT = 9200
MMS_APPLICATION = "x-wap-application:mms.ua"
_MMS_APPLICATION_ID = 4

_PUSH, _CONFIRMED_PUSH = 0x06, 0x05
_APPLICATION_ID = 0xAF
_HEADERS = bytes((0xBE, _APPLICATION_ID, 0x80 | _MMS_APPLICATION_ID))
_USER_DATA = 140
_MAX_SEGMENTS = 255


class Push(NamedTuple):
    """A push as received."""

    transaction: int
    """The WSP transaction, one octet."""
    content_type: str
    application: str
    """The X-Wap-Application-Id as a URN, empty if absent; a number we do not know as its digits."""
    content: bytes

    @property
    def is_mms(self) -> bool:
        """Whether the content is an MMS PDU."""
        return self.content_type.lower() == MEDIA_TYPE


def encode_push(pdu: bytes, transaction: int) -> bytes:
    """The push with the PDU, in its shortest form; `transaction` is one octet (the caller counts)."""
    return bytes((transaction & 0xFF, _PUSH)) + write_uintvar(len(_HEADERS)) + _HEADERS + pdu


def decode_push(data: bytes) -> Push:
    """A push, of an MMS PDU or something else; headers we do not know are skipped. Raises Mm1Error."""
    transaction = octet(data, 0)
    if octet(data, 1) not in (_PUSH, _CONFIRMED_PUSH):
        raise Mm1Error("no WSP push")
    length, at = read_uintvar(data, 2)
    headers = slice_of(data, at, length)
    content_type, position = read_content_type(headers)
    return Push(transaction, content_type.media, _application(headers, position), data[at + length :])


def _application(headers: bytes, at: int) -> str:
    found = ""
    while at < len(headers):
        field = headers[at]
        if field < 0x80:
            name, start = read_text(headers, at)
            at = read_text(headers, start)[1]
            if name.lower() == b"x-wap-application-id":
                found = text_of(headers[start : at - 1])
            continue
        end = value_end(headers, at + 1)
        if field == _APPLICATION_ID:
            found = _application_id(headers[at + 1 : end])
        at = end
    return found


def _application_id(value: bytes) -> str:
    if 0x20 <= value[0] < 0x80:
        return text_of(read_text(value, 0)[0])
    if value[0] == 0:
        return ""
    number = read_integer(value, 0)[0]
    return MMS_APPLICATION if number == _MMS_APPLICATION_ID else str(number)


def user_data(push: bytes, reference: int) -> tuple[bytes, ...]:
    """The push as user data of short messages (8-bit, user data header set), in segments if it is long.

    `reference` (one octet) ties the segments together. Raises Mm1Error over 255 segments.
    """
    ports = PUSH_PORT.to_bytes(2) + SOURCE_PORT.to_bytes(2)
    header = b"\x05\x04" + ports
    if len(push) <= _USER_DATA - len(header) - 1:
        return (bytes((len(header),)) + header + push,)
    size = _USER_DATA - len(header) - 6
    pieces = [push[at : at + size] for at in range(0, len(push), size)]
    if len(pieces) > _MAX_SEGMENTS:
        raise Mm1Error("push over 255 short messages")
    return tuple(
        bytes((len(header) + 5, 0, 3, reference & 0xFF, len(pieces), number)) + header + piece
        for number, piece in enumerate(pieces, 1)
    )


def segments_of(content: bytes, reference: int) -> tuple[Segment, ...]:
    """What brings ``content`` to a phone: an MMS PDU, which is wrapped here, or a push that already holds one.

    The WSP transaction is the low octet of `reference`. Raises Mm1Error for what is neither, or too long.
    """
    pushed = encode_push(content, reference) if _is_pdu(content) else content
    if not decode_push(pushed).is_mms:
        raise Mm1Error("a push of something else than an MMS message")
    return tuple([Segment(octets[: 1 + octets[0]], octets[1 + octets[0] :]) for octets in user_data(pushed, reference)])


def _is_pdu(content: bytes) -> bool:
    """Every PDU begins with X-Mms-Message-Type (OMA MMS ENC §7); a push has its PDU type second, below 80h."""
    return content[:1] == b"\x8c" and content[1:2] >= b"\x80"


def from_user_data(data: bytes) -> Push | None:
    """The push in the user data of one short message; None if it is none."""
    header, content = split(data)
    return from_segments((content,)) if header.destination_port == PUSH_PORT else None


def from_segments(contents: Sequence[bytes | None]) -> Push | None:
    """The push in what came to :data:`PUSH_PORT`; None if it is none, or a segment is missing."""
    try:
        return decode_push(b"".join([one for one in contents if one is not None])) if None not in contents else None
    except Mm1Error:
        return None
