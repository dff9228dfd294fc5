"""The content of a multimedia message as MIME parts, flat and transfer-decoded, and back (RFC 2387)."""

from __future__ import annotations

import base64
from collections.abc import Iterable

from opencpm.protocols.mime import (
    MimeError,
    Part,
    build_multipart,
    media_type,
    parse_content_type,
    split_multipart,
)

__all__ = ["SMIL", "bare_id", "flatten", "multipart", "part_of", "presentation", "transfer"]

SMIL = "application/smil"
MAX_PARTS = 128
_MAX_DEPTH = 4
_TRANSFER = "Content-Transfer-Encoding"
_TEXTUAL = ("text/", "application/smil", "application/xml", "application/json")


def bare_id(text: str) -> str:
    """An id or reference without `cid:`, quotes and angle brackets, in which peers differ."""
    text = text.strip().strip('"')
    if text[:4].lower() == "cid:":
        text = text[4:]
    return text.strip("<>").strip()


def flatten(content: Part) -> tuple[Part, ...]:
    """The leaf parts in order, without transfer encodings.

    Raises MimeError: a damaged multipart or encoding, nesting over 4 levels, or over 128 parts.
    """
    found: list[Part] = []
    _collect(content, found, 1)
    return tuple(found)


def _collect(content: Part, found: list[Part], depth: int) -> None:
    if not media_type(content.content_type).startswith("multipart/"):
        if len(found) == MAX_PARTS:
            raise MimeError(f"over {MAX_PARTS} parts")
        found.append(_leaf(content))
        return
    if depth > _MAX_DEPTH:
        raise MimeError(f"multipart nested over {_MAX_DEPTH} levels")
    body = content.decoded()
    for part in split_multipart(content.content_type, body, max_parts=MAX_PARTS):
        _collect(part, found, depth + 1)


def _leaf(content: Part) -> Part:
    headers = tuple(header for header in content.headers if header[0].lower() != _TRANSFER.lower())
    return Part(headers, content.decoded())


def presentation(content: Part, parts: Iterable[Part]) -> Part | None:
    """The SMIL among the flat parts: the one that `start` of the content names, else the first; None if none."""
    parts = tuple(parts)
    start = bare_id(parse_content_type(content.content_type)[1].get("start", ""))
    smil = [part for part in parts if media_type(part.content_type) == SMIL]
    named = [part for part in smil if start and bare_id(part.get("Content-ID") or "") == start]
    return next(iter(named or smil), None)


def part_of(content_type: str, body: bytes, content_id: str = "", location: str = "") -> Part:
    """A part with the headers that MMS uses; the id without angle brackets, the location an ASCII file name."""
    headers = [("Content-Type", content_type)]
    if content_id:
        headers.append(("Content-ID", f"<{content_id}>"))
    if location:
        headers.append(("Content-Location", location))
    return Part(tuple(headers), body)


def transfer(part: Part, *, binary: bool = False) -> Part:
    """The part as it travels: text as 8bit, all else in base64 (or as it is, where the peer takes binary).

    Text with lines that mail does not carry (a NUL, or over 998 octets) goes in base64, too (RFC 5321 §4.5.3.1.6),
    and so does everything with a line that may be taken for a boundary.
    """
    textual = media_type(part.content_type).startswith(_TEXTUAL) and _fits_lines(part.body)
    plain = binary and not _may_end(part.body)
    coding = "8bit" if textual else "binary" if plain else "base64"
    body = base64.encodebytes(part.body).replace(b"\n", b"\r\n").rstrip() if coding == "base64" else part.body
    return Part((*part.headers, (_TRANSFER, coding)), body)


def _may_end(body: bytes) -> bool:
    """Whether a line begins like a boundary (RFC 2046 §5.1.1)."""
    return body.startswith(b"--") or b"\n--" in body


def _fits_lines(body: bytes) -> bool:
    if b"\0" in body or _may_end(body):
        return False
    return all(len(line) <= 998 for line in body.split(b"\n"))


def multipart(parts: Iterable[Part], boundary: str, *, content_id: str = "", binary: bool = False) -> Part:
    """Flat parts as multipart/related when one is SMIL (which goes first and is its start), else as mixed.

    The caller chooses a boundary that stands in no part.
    """
    flat = sorted(parts, key=lambda part: media_type(part.content_type) != SMIL)
    value = f'multipart/mixed; boundary="{boundary}"'
    if flat and media_type(flat[0].content_type) == SMIL:
        start = bare_id(flat[0].get("Content-ID") or "")
        named = f'; start="<{start}>"' if start else ""
        value = f'multipart/related; type="{SMIL}"{named}; boundary="{boundary}"'
    body = build_multipart((transfer(part, binary=binary) for part in flat), boundary)
    return part_of(value, body, content_id)
