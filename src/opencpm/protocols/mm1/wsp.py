"""The value encodings of WSP (WAP-230-WSP §8.1, §8.4.2) that MMS encapsulation is made of.

`read_` functions take the octets and an offset and give the value with the offset behind it; all raise
Mm1Error when the octets end early. `write_` functions give octets.
"""

from __future__ import annotations

from typing import NamedTuple

from .errors import Mm1Error

_MAX_LONG = 30


class Quoted(NamedTuple):
    """A quoted-string: on the wire 22h, the text, 00; the closing quote is not sent (§8.4.2.1)."""

    text: str


def octet(data: bytes, at: int) -> int:
    """The octet at this place."""
    if at >= len(data):
        raise Mm1Error("octets end early")
    return data[at]


def slice_of(data: bytes, at: int, length: int) -> bytes:
    """Exactly `length` octets."""
    if length > len(data) - at:
        raise Mm1Error("octets end early")
    return data[at : at + length]


def read_uintvar(data: bytes, at: int) -> tuple[int, int]:
    """7 bits an octet, most significant first, at most 5 octets (§8.1.2)."""
    value = 0
    for end in range(at, at + 5):
        byte = octet(data, end)
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, end + 1
    raise Mm1Error("uintvar over 5 octets")


def write_uintvar(value: int) -> bytes:
    """Raises Mm1Error for what 35 bits do not hold."""
    if not 0 <= value < 1 << 35:
        raise Mm1Error("no uintvar")
    out = bytearray((value & 0x7F,))
    while value := value >> 7:
        out.append(value & 0x7F | 0x80)
    out.reverse()
    return bytes(out)


def read_length(data: bytes, at: int) -> tuple[int, int]:
    """A value-length: one octet up to 30, or 1Fh and a uintvar (a short one too) (§8.4.2.2)."""
    first = octet(data, at)
    if first < 0x1F:
        return first, at + 1
    if first == 0x1F:
        return read_uintvar(data, at + 1)
    raise Mm1Error("no value-length")


def with_length(value: bytes) -> bytes:
    """The value behind its value-length; from 31 octets on that needs 1Fh."""
    if len(value) < 0x1F:
        return bytes((len(value),)) + value
    return b"\x1f" + write_uintvar(len(value)) + value


def read_integer(data: bytes, at: int) -> tuple[int, int]:
    """An integer-value: a short-integer (0 to 127) or a long-integer of up to 30 octets (§8.4.2.1)."""
    first = octet(data, at)
    if first >= 0x80:
        return first & 0x7F, at + 1
    if not 1 <= first <= _MAX_LONG:
        raise Mm1Error("no integer")
    end = at + 1 + first
    return int.from_bytes(slice_of(data, at + 1, first)), end


def write_integer(value: int) -> bytes:
    """The shorter of the two forms. Raises Mm1Error below 0 and over 30 octets."""
    return bytes((value | 0x80,)) if 0 <= value < 0x80 else write_long(value)


def write_long(value: int) -> bytes:
    """A long-integer, also for a small value (dates and sizes have no short form)."""
    length = max(1, (value.bit_length() + 7) // 8)
    if value < 0 or length > _MAX_LONG:
        raise Mm1Error("no long-integer")
    return bytes((length,)) + value.to_bytes(length)


def read_text(data: bytes, at: int) -> tuple[bytes, int]:
    """The octets of a text-string without quote octet and end (§8.4.2.1); any leading 22h stays."""
    end = data.find(b"\0", at)
    if end < 0:
        raise Mm1Error("text without end")
    start = at + 1 if data[at : at + 1] == b"\x7f" else at
    return data[start:end], end + 1


def write_text(octets: bytes) -> bytes:
    """A text-string; 7Fh in front where the first octet could be taken for a number."""
    if b"\0" in octets:
        raise Mm1Error("text with a zero octet")
    quote = b"\x7f" if octets and not 0x20 <= octets[0] < 0x7F else b""
    return quote + octets + b"\0"


def text_of(octets: bytes) -> str:
    """Text of no stated charset: UTF-8 (so US-ASCII too) if it is that, else Latin-1. Never fails."""
    try:
        return octets.decode()
    except UnicodeDecodeError:
        return octets.decode("latin-1")


def read_string(data: bytes, at: int) -> tuple[str | Quoted, int]:
    """A text-string or a quoted-string."""
    octets, end = read_text(data, at)
    text = text_of(octets)
    return (Quoted(text[1:]) if text.startswith('"') else text), end


def write_string(value: str | Quoted) -> bytes:
    """The way back of `read_string`."""
    if isinstance(value, Quoted):
        return write_text(b'"' + utf8(value.text))
    return write_text(utf8(value))


def utf8(text: str) -> bytes:
    """The octets of the text; raises Mm1Error for lone surrogates."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise Mm1Error("text that is no Unicode") from None


def plain(value: object) -> str:
    """The text of a string value, however it was quoted: a leading 22h is for the wire only."""
    if isinstance(value, Quoted):
        return value.text.removesuffix('"')
    return value if isinstance(value, str) else ""


def value_end(data: bytes, at: int) -> int:
    """Where the value that begins here ends, known or not, by its first octet alone (§8.4.1.2)."""
    first = octet(data, at)
    if first >= 0x80:
        return at + 1
    if first >= 0x20:
        return read_text(data, at)[1]
    length, start = read_length(data, at)
    slice_of(data, start, length)
    return start + length
