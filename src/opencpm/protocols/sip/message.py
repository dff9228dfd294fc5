"""SIP messages: one pass that finds the start line and the header fields, values read when asked for.

Reading 1 kB takes a few microseconds because nothing is interpreted: the head is cut into lines, the lines into
names and values. A defect that still lets us answer (a line without a colon, a body shorter than announced) does
not stop the reading; it is kept in `flaw` for the 400 (RFC 3261 §21.4.1).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from opencpm.protocols.sip.errors import SipError
from opencpm.protocols.sip.names import KEYS, header_key
from opencpm.protocols.sip.status import REASONS
from opencpm.protocols.sip.text import split_list

VERSION: Final = "SIP/2.0"
MAX_HEAD: Final = 32 * 1024
"""Octets of start line and headers; real REGISTERs have up to 4 kB."""
MAX_FIELDS: Final = 200
MAX_MESSAGE: Final = 1 << 20

_FOLD = re.compile(r"[ \t]*\r\n[ \t]+")
_TOKEN = re.compile(r"[A-Za-z0-9\-.!%*_+`'~]+\Z")

Fields = Iterable[tuple[str, str]]
"""Header fields to send, names in the spelling to send, in order."""


@dataclass(slots=True)
class Message:
    """A request (`status` 0) or a response (`method` ""). Header keys are long names in lower case."""

    method: str
    uri: str
    status: int
    reason: str
    headers: dict[str, list[str]]
    body: bytes = b""
    flaw: str = field(default="", compare=False)

    def get(self, key: str, default: str = "") -> str:
        """The first field's raw value."""
        values = self.headers.get(key)
        return values[0] if values else default

    def fields(self, key: str) -> list[str]:
        """All fields' raw values, in order, not cut at commas."""
        return self.headers.get(key, [])

    def values(self, key: str) -> list[str]:
        """All values of a comma-list header (RFC 3261 §7.3.1), over all its fields."""
        return [value for line in self.headers.get(key, ()) for value in split_list(line)]

    def tokens(self, key: str) -> set[str]:
        """Values of a header that lists tokens (Supported, Allow, Require), in lower case."""
        return {value.lower() for value in self.values(key)}


def parse(data: bytes, *, stream: bool = False, max_head: int = MAX_HEAD) -> Message:
    """Read one message: a whole datagram, or what `framing` cut from a stream.

    Raises SipError when it is not SIP at all or beyond the bounds: nothing can be answered then.
    """
    if data[:2] == b"\r\n":
        data = data.lstrip(b"\r\n")
    end = data.find(b"\r\n\r\n", 0, max_head)
    if end < 0:
        raise SipError("no end of headers" if len(data) < max_head else "headers too long", 400)
    head = data[:end].decode("utf-8", "surrogateescape")
    if "\r\n " in head or "\r\n\t" in head:
        head = _FOLD.sub(" ", head)
    lines = head.split("\r\n")
    if len(lines) > MAX_FIELDS:
        raise SipError("too many header fields")
    message = _start(lines[0])
    if head.count("\n") != len(lines) - 1 or head.count("\r") != len(lines) - 1:
        message.flaw = "Bare line end in headers"
    _read_fields(message, lines)
    _read_body(message, data, end + 4, stream)
    return message


def _start(line: str) -> Message:
    parts = line.split(" ", 2)
    if len(parts) < 2:
        raise SipError("no start line")
    if parts[0] == VERSION:
        if not (len(parts[1]) == 3 and parts[1].isascii() and parts[1].isdigit() and parts[1] >= "100"):
            raise SipError("no status code")
        return Message("", "", int(parts[1]), parts[2] if len(parts) > 2 else "", {})
    if len(parts) != 3 or not _TOKEN.match(parts[0]):
        raise SipError("no start line")
    if parts[2] != VERSION:
        if not parts[2].upper().startswith("SIP/"):
            raise SipError("not SIP")
        if parts[2].upper() != VERSION:
            return Message(parts[0], parts[1], 0, "", {}, flaw="Version Not Supported")
    return Message(parts[0], parts[1], 0, "", {})


def _read_fields(message: Message, lines: list[str]) -> None:
    headers = message.headers
    known = KEYS.get
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        key = known(name) or header_key(name)
        if not colon or not key:
            message.flaw = message.flaw or "Header line without a name"
        elif key in headers:
            headers[key].append(value.strip())
        else:
            headers[key] = [value.strip()]


def _read_body(message: Message, data: bytes, start: int, stream: bool) -> None:
    """Take the body by Content-Length; without one it is the rest of the datagram (RFC 3261 §18.3)."""
    lengths = message.headers.get("content-length")
    if not lengths:
        if stream and len(data) > start:
            message.flaw = message.flaw or "Missing Content-Length"
        message.body = data[start:]
        return
    size = content_length(lengths)
    if size < 0:
        message.flaw = message.flaw or "Bad Content-Length"
    elif start + size > len(data):
        message.flaw = message.flaw or "Body shorter than Content-Length"
    else:
        message.body = data[start : start + size]


def content_length(values: list[str]) -> int:
    """The number of octets announced, or -1 when the fields are no number or disagree."""
    first = values[0]
    if not (first.isascii() and first.isdigit() and len(first) <= 9):
        return -1
    return int(first) if len(values) == 1 or len(set(values)) == 1 else -1


def encode_request(method: str, uri: str, fields: Fields, body: bytes = b"") -> bytes:
    """The octets of a request; Content-Length is added. Raises SipError if a value holds a line end."""
    return _encode(f"{method} {uri} {VERSION}", fields, body)


def encode_status(status: int, reason: str, fields: Fields, body: bytes = b"") -> bytes:
    """The octets of a response with just these fields; see `response.encode_response` for answering a request."""
    return _encode(f"{VERSION} {status} {reason or REASONS.get(status, 'Unknown')}", fields, body)


def _encode(start: str, fields: Fields, body: bytes) -> bytes:
    lines = [start, *[f"{name}: {value}" for name, value in fields], f"Content-Length: {len(body)}\r\n\r\n"]
    head = "\r\n".join(lines)
    if head.count("\n") != len(lines) + 1 or head.count("\r") != len(lines) + 1:
        raise SipError("line end inside a header value", 500)
    return head.encode("utf-8", "surrogateescape") + body
