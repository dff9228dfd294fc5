"""WSP parts as MIME parts and back: the form in which MM1, MM4, MM7 and MM3 share content."""

from __future__ import annotations

from collections.abc import Iterable

from opencpm.protocols.mime import MimeError, Part, media_type

from .content_type import ContentType, from_mime, to_mime
from .errors import Mm1Error
from .multipart import MAX_PARTS, WspPart, decode_multipart, part

_MAX_DEPTH = 4


def to_parts(content_type: ContentType, body: bytes) -> tuple[Part, ...]:
    """The content as MIME parts in order, nested multiparts flattened (to a depth of 4). Raises Mm1Error."""
    found: list[Part] = []
    _collect(WspPart(content_type, (), body), found, 1)
    return tuple(found)


def _collect(source: WspPart, found: list[Part], depth: int) -> None:
    if not source.content_type.is_multipart:
        if len(found) == MAX_PARTS:
            raise Mm1Error(f"over {MAX_PARTS} parts")
        found.append(_mime(source))
        return
    if depth > _MAX_DEPTH:
        raise Mm1Error(f"multipart nested over {_MAX_DEPTH} levels")
    for inner in decode_multipart(source.data):
        _collect(inner, found, depth + 1)


def _mime(source: WspPart) -> Part:
    content_type = source.content_type
    value = to_mime(content_type)
    if source.name and content_type.get("name") is None:
        value += f'; name="{_header_text(source.name)}"'
    headers = [("Content-Type", value)]
    if source.content_id:
        headers.append(("Content-ID", f"<{_header_text(source.content_id)}>"))
    if source.content_location:
        headers.append(("Content-Location", _header_text(source.content_location)))
    return Part(tuple(headers), source.data)


def _header_text(text: str) -> str:
    return "".join(c for c in text if c.isprintable() and c not in '"\\')


def from_parts(parts: Iterable[Part]) -> tuple[WspPart, ...]:
    """MIME parts, transfer encodings undone, as WSP parts. Raises Mm1Error for a damaged encoding."""
    return tuple(_wsp(source) for source in parts)


def _wsp(source: Part) -> WspPart:
    try:
        data = source.decoded()
    except MimeError as error:
        raise Mm1Error(str(error)) from None
    content_id = (source.get("Content-ID") or "").strip().strip("<>")
    return part(from_mime(source.content_type), data, content_id, source.get("Content-Location") or "")


def presentation(content_type: ContentType, parts: tuple[WspPart, ...]) -> WspPart | None:
    """The SMIL part: the one that `start` names, else the first of type application/smil, else None."""
    start = (content_type.get("start") or "").strip("<>")
    for candidate in parts:
        if start and start in (candidate.content_id, candidate.content_location):
            return candidate
    for candidate in parts:
        if media_type(candidate.content_type.media) == "application/smil":
            return candidate
    return None
