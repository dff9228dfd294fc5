"""The multipart body of WSP (WAP-230-WSP §8.5): numbers of octets instead of boundaries."""

from __future__ import annotations

from typing import NamedTuple

from .content_type import (
    ContentType,
    Parameter,
    read_content_type,
    read_parameters,
    write_content_type,
    write_parameters,
)
from .errors import Mm1Error
from .wsp import (
    Quoted,
    plain,
    read_length,
    read_string,
    read_text,
    read_uintvar,
    slice_of,
    text_of,
    utf8,
    value_end,
    with_length,
    write_string,
    write_text,
    write_uintvar,
)

MAX_PARTS = 256
_MAX_PART_HEADERS = 32

CONTENT_LOCATION = 0x0E
CONTENT_DISPOSITION_OLD = 0x2E
CONTENT_ID = 0x40
CONTENT_DISPOSITION = 0x45
_DISPOSITIONS = (CONTENT_DISPOSITION_OLD, CONTENT_DISPOSITION)
_DISPOSITION_NAMES = ("form-data", "attachment", "inline")


class Disposition(NamedTuple):
    """A Content-Disposition: form-data, attachment or inline (or a token), and its parameters."""

    kind: str
    parameters: tuple[Parameter, ...] = ()


class PartHeader(NamedTuple):
    """A header of a part: its number (without 80h) or name; octets where we do not know the form."""

    key: int | str
    value: str | Quoted | Disposition | bytes


class WspPart(NamedTuple):
    """A part of a multipart body."""

    content_type: ContentType
    headers: tuple[PartHeader, ...]
    data: bytes

    @property
    def content_id(self) -> str:
        """The Content-ID without angle brackets; empty if there is none."""
        return self._text(CONTENT_ID, "content-id").strip("<>")

    @property
    def content_location(self) -> str:
        """The Content-Location; empty if there is none."""
        return self._text(CONTENT_LOCATION, "content-location")

    @property
    def name(self) -> str:
        """The file name: of the content type, else of the disposition, else the Content-Location."""
        for header in self.headers:
            if isinstance(header.value, Disposition):
                disposition = ContentType("", header.value.parameters)
                break
        else:
            disposition = ContentType("")
        named = self.content_type.get("name") or self.content_type.get("filename")
        return named or disposition.get("filename") or disposition.get("name") or self.content_location

    def _text(self, number: int, name: str) -> str:
        for key, value in self.headers:
            if key == number or (isinstance(key, str) and key.lower() == name):
                return plain(value)
        return ""


def part(content_type: ContentType, data: bytes, content_id: str = "", location: str = "") -> WspPart:
    """A part as we write it; the Content-ID without angle brackets."""
    headers = []
    if content_id:
        headers.append(PartHeader(CONTENT_ID, Quoted(f"<{content_id}>")))
    if location:
        headers.append(PartHeader(CONTENT_LOCATION, location))
    return WspPart(content_type, tuple(headers), data)


def decode_multipart(body: bytes, *, max_parts: int = MAX_PARTS) -> tuple[WspPart, ...]:
    """The parts. A count of 0, or one over what is there, is read until the octets end.

    Raises Mm1Error: a part that is cut off, or over `max_parts`.
    """
    count, at = read_uintvar(body, 0)
    parts: list[WspPart] = []
    while at < len(body) and (not count or len(parts) < count):
        if len(parts) == max_parts:
            raise Mm1Error(f"over {max_parts} parts")
        headers_length, at = read_uintvar(body, at)
        data_length, at = read_uintvar(body, at)
        headers = slice_of(body, at, headers_length)
        at += headers_length
        data = slice_of(body, at, data_length)
        at += data_length
        parts.append(_part(headers, data))
    return tuple(parts)


def _part(headers: bytes, data: bytes) -> WspPart:
    content_type, at = read_content_type(headers)
    found: list[PartHeader] = []
    while at < len(headers):
        if len(found) == _MAX_PART_HEADERS:
            raise Mm1Error("too many part headers")
        header, at = _read_header(headers, at)
        found.append(header)
    return WspPart(content_type, tuple(found), data)


def _read_header(data: bytes, at: int) -> tuple[PartHeader, int]:
    if data[at] < 0x80:
        name, at = read_text(data, at)
        octets, at = read_text(data, at)
        return PartHeader(text_of(name), text_of(octets)), at
    key, start = data[at] & 0x7F, at + 1
    end = value_end(data, start)
    value = data[start:end]
    if key in _DISPOSITIONS and value[0] < 0x20:
        return PartHeader(key, _read_disposition(value)), end
    if key not in _DISPOSITIONS and (value == b"\0" or 0x20 <= value[0] < 0x80):
        return PartHeader(key, read_string(value, 0)[0]), end
    return PartHeader(key, value), end


def _read_disposition(value: bytes) -> Disposition:
    length, at = read_length(value, 0)
    if not length:
        return Disposition("")
    if value[at] >= 0x80:
        number = value[at] & 0x7F
        kind = _DISPOSITION_NAMES[number] if number < len(_DISPOSITION_NAMES) else "attachment"
        at += 1
    else:
        octets, at = read_text(value, at)
        kind = text_of(octets)
    return Disposition(kind, read_parameters(value, at))


def encode_multipart(parts: tuple[WspPart, ...]) -> bytes:
    """Raises Mm1Error."""
    out = [write_uintvar(len(parts))]
    for content_type, headers, data in parts:
        head = write_content_type(content_type) + b"".join(_write_header(header) for header in headers)
        out += (write_uintvar(len(head)), write_uintvar(len(data)), head, data)
    return b"".join(out)


def _write_header(header: PartHeader) -> bytes:
    key, value = header
    if isinstance(key, str):
        return write_text(utf8(key)) + write_text(utf8(plain(value)))
    head = bytes((key | 0x80,))
    if isinstance(value, bytes):
        return head + value
    if isinstance(value, Disposition):
        return head + with_length(_write_disposition(value))
    return head + write_string(value)


def _write_disposition(value: Disposition) -> bytes:
    if value.kind in _DISPOSITION_NAMES:
        kind = bytes((_DISPOSITION_NAMES.index(value.kind) | 0x80,))
    else:
        kind = write_text(utf8(value.kind)) if value.kind else b""
    return kind + write_parameters(value.parameters)
