"""Values of header fields, by the form of the field: octets to Python and back."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from types import MappingProxyType
from typing import Any, NamedTuple

from .charsets import EncodedText, read_encoded, write_encoded
from .errors import Mm1Error
from .fields import FORMS, Form
from .wsp import read_integer, read_length, read_text, with_length, write_integer, write_long, write_text

_FIRST, _SECOND = 0x80, 0x81


class InsertAddress(Enum):
    """From of a client that leaves its address to the server (OMA MMS ENC §7.3.25)."""

    TOKEN = 0x81


INSERT_ADDRESS = InsertAddress.TOKEN


class Time(NamedTuple):
    """A Delivery-Time, Expiry or deadline: seconds since 1970 UTC, or from now on if relative."""

    seconds: int
    relative: bool = False


class Counted(NamedTuple):
    """One step of a message's way: its number, from 1 for the first, and who sent it on, or when."""

    step: int
    value: EncodedText | int


Value = int | str | bytes | EncodedText | Time | Counted | InsertAddress


def decode_value(field: int, raw: bytes) -> Value:
    """The value of a field from exactly its octets; these themselves if they are not in the field's form."""
    form = FORMS.get(field, Form.OPAQUE)
    if form is Form.OPAQUE:
        return raw
    try:
        value, end = _READERS[form](raw)
    except Mm1Error:
        return raw
    return value if end == len(raw) else raw


def encode_value(field: int, value: Value) -> bytes:
    """The way back. Raises Mm1Error for a value that is not of the field's form."""
    if isinstance(value, bytes):
        return value
    form = FORMS.get(field, Form.OPAQUE)
    try:
        return _WRITERS[form](value)
    except (KeyError, AttributeError, TypeError, ValueError):
        raise Mm1Error(f"no value for field {field:#x}") from None


def _read_octet(raw: bytes) -> tuple[Value, int]:
    if raw[0] < 0x80:
        raise Mm1Error("no octet value")
    return raw[0], 1


def _write_octet(value: Any) -> bytes:
    if not 0x80 <= value <= 0xFF:
        raise Mm1Error("no octet value")
    return bytes((value,))


def _read_class(raw: bytes) -> tuple[Value, int]:
    return (raw[0], 1) if raw[0] >= 0x80 else _read_token(raw)


def _write_class(value: Any) -> bytes:
    return _write_token(value) if isinstance(value, str) else _write_octet(value)


def _read_token(raw: bytes) -> tuple[Value, int]:
    octets, end = read_text(raw, 0)
    return octets.decode("latin-1"), end


def _write_token(value: Any) -> bytes:
    return write_text(value.encode("latin-1"))


def _read_time(raw: bytes) -> tuple[Value, int]:
    length, at = read_length(raw, 0)
    if length < 2 or raw[at] not in (_FIRST, _SECOND):
        raise Mm1Error("no time")
    seconds, end = read_integer(raw, at + 1)
    return Time(seconds, raw[at] == _SECOND), end


def _write_time(value: Any) -> bytes:
    return with_length(bytes((_SECOND if value.relative else _FIRST,)) + write_long(value.seconds))


def _read_from(raw: bytes) -> tuple[Value, int]:
    length, at = read_length(raw, 0)
    if raw[at:] == b"\x81":
        return INSERT_ADDRESS, at + 1
    if length < 2 or raw[at] != _FIRST:
        raise Mm1Error("no From")
    return read_encoded(raw, at + 1)


def _write_from(value: Any) -> bytes:
    if value is INSERT_ADDRESS:
        return b"\x01\x81"
    return with_length(b"\x80" + write_encoded(value))


def _read_counted_text(raw: bytes) -> tuple[Value, int]:
    count, at = read_integer(raw, read_length(raw, 0)[1])
    text, end = read_encoded(raw, at)
    return Counted(count, text), end


def _read_counted_date(raw: bytes) -> tuple[Value, int]:
    count, at = read_integer(raw, read_length(raw, 0)[1])
    date, end = read_integer(raw, at)
    return Counted(count, date), end


def _write_counted(value: Any) -> bytes:
    content = write_long(value.value) if isinstance(value.value, int) else write_encoded(value.value)
    return with_length(write_integer(value.step) + content)


_READERS: MappingProxyType[Form, Callable[[bytes], tuple[Value, int]]] = MappingProxyType(
    {
        Form.OCTET: _read_octet,
        Form.CLASS: _read_class,
        Form.TOKEN: _read_token,
        Form.ENCODED: lambda raw: read_encoded(raw),
        Form.LONG: lambda raw: read_integer(raw, 0),
        Form.INTEGER: lambda raw: read_integer(raw, 0),
        Form.TIME: _read_time,
        Form.FROM: _read_from,
        Form.COUNTED_TEXT: _read_counted_text,
        Form.COUNTED_DATE: _read_counted_date,
    }
)
_WRITERS: MappingProxyType[Form, Callable[[Any], bytes]] = MappingProxyType(
    {
        Form.OCTET: _write_octet,
        Form.CLASS: _write_class,
        Form.TOKEN: _write_token,
        Form.ENCODED: write_encoded,
        Form.LONG: write_long,
        Form.INTEGER: write_integer,
        Form.TIME: _write_time,
        Form.FROM: _write_from,
        Form.COUNTED_TEXT: _write_counted,
        Form.COUNTED_DATE: _write_counted,
    }
)
