"""MM4 messages as mail (3GPP TS 23.140 §8.4.5): read from and written to the octets that SMTP carries."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from opencpm.protocols.mime import Part

from .errors import Mm4Error
from .fields import MM_STATUS, RESPONSE_SLOTS, SLOTS, Slot
from .headers import Headers, one_line, read_headers
from .messages import RESPONSES, TYPES, DeliveryReportReq, ForwardReq, Message, Response, type_of

MAX_SIZE = 16 << 20
_TYPE = "X-Mms-Message-Type"
_CLASSES = {name.lower(): cls for cls, name in TYPES.items()}
_RESPONSES = {name.lower(): name for name in RESPONSES}
_EMPTY = (None, "", ())
_EMPTY_BODY = (("Content-Type", "text/plain; charset=us-ascii"),)


def decode(data: bytes, *, limit: int = MAX_SIZE) -> Message:
    """A mail as an MM4 message; headers that are no part of it are skipped, of repeated ones the first counts.

    Raises Mm4Error: over a limit, or no X-Mms-Message-Type that we know (so also for a bounce).
    """
    if len(data) > limit:
        raise Mm4Error(f"mail over {limit} octets")
    headers, body = read_headers(data)
    named = _by_name(headers)
    said = named.get(_TYPE.lower(), [""])[0].strip().strip('"').lower()
    if said in _RESPONSES:
        return Response(type=_RESPONSES[said], **_values(named, RESPONSE_SLOTS))
    cls = _CLASSES.get(said)
    if cls is None:
        raise Mm4Error("no MM4 message")
    message = cls(**_values(named, SLOTS[TYPES[cls]]))
    return replace(message, content=_content(headers, body)) if isinstance(message, ForwardReq) else message


def _by_name(headers: Headers) -> dict[str, list[str]]:
    named: dict[str, list[str]] = {}
    for name, value in headers:
        named.setdefault(name.lower(), []).append(value)
    return named


def _values(named: dict[str, list[str]], slots: tuple[Slot, ...]) -> dict[str, Any]:
    found: dict[str, Any] = {"version": ""}
    for slot in slots:
        for name in (slot.header, *slot.variants):
            values = named.get(name.lower())
            if values:
                found[slot.attribute] = slot.kind.read(values)
                break
    return found


def _content(headers: Headers, body: bytes) -> Part:
    return Part(tuple((name, value) for name, value in headers if name.lower().startswith("content-")), body)


def encode(message: Message, *, both_status_headers: bool = False) -> bytes:
    """The mail, with CRLF line ends; `both_status_headers` says the MM status under its old name, too.

    The content goes as it is: `mms.content.multipart` makes one that fits mail.
    Raises Mm4Error for a date that no calendar has.
    """
    lines = [f"{_TYPE}: {type_of(message)}"]
    for slot in _slots(message):
        value = getattr(message, slot.attribute)
        if value not in _EMPTY:
            lines += (f"{slot.header}: {spelled}" for spelled in slot.kind.write(value))
    if both_status_headers and isinstance(message, DeliveryReportReq):
        lines.append(f"{MM_STATUS.variants[0]}: {one_line(message.mm_status)}")
    content = message.content if isinstance(message, ForwardReq) else Part(_EMPTY_BODY, b"")
    lines.append("MIME-Version: 1.0")
    lines += (f"{one_line(name)}: {one_line(value)}" for name, value in content.headers)
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + content.body


def _slots(message: Message) -> tuple[Slot, ...]:
    return RESPONSE_SLOTS if isinstance(message, Response) else SLOTS[TYPES[type(message)]]


def missing(message: Message) -> tuple[str, ...]:
    """The headers that the message must have and has not."""
    return tuple(s.header for s in _slots(message) if s.required and getattr(message, s.attribute) in _EMPTY)
