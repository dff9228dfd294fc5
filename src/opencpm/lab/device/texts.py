"""CPIM bodies as a device writes and reads them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from opencpm.protocols import cpim, imdn, mime

TEXT = "text/plain;charset=UTF-8"


@dataclass(frozen=True, slots=True)
class Heard:
    """A message that came. ``text``: of all its text parts; ``media``: the others."""

    message_id: str
    sender: str  # URI as the network asserted it
    text: str
    datetime: str
    conversation_id: str
    session: str = ""
    media: tuple[mime.Part, ...] = ()


def now_text() -> str:
    """RFC 3339, now."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def wrap(text: str, message_id: str, wants: tuple[str, ...], content_type: str = TEXT) -> bytes:
    """A text in CPIM, parties hidden as RCS devices do."""
    return cpim.compose(text.encode(), content_type, message_id=message_id, datetime=now_text(), dispositions=wants)


def notification(original: cpim.Cpim, kind: str, status: str, message_id: str) -> bytes:
    """A disposition notification in CPIM, about a message that came."""
    body = imdn.build(imdn.Imdn(original.message_id, original.datetime, kind, status))
    return cpim.compose(
        body,
        imdn.CONTENT_TYPE,
        message_id=message_id,
        datetime=now_text(),
        content_headers=(("Content-Disposition", "notification"),),
    )


def taken_apart(body: cpim.Cpim) -> tuple[str, tuple[mime.Part, ...]]:
    """The text of a message, and its parts that are no text."""
    if not body.media_type.startswith("multipart/"):
        whole = mime.Part((("Content-Type", body.content_type),), body.content)
        return (body.text, ()) if body.media_type.startswith("text/plain") else ("", (whole,))
    try:
        parts = mime.split_multipart(body.content_type, body.content)
    except mime.MimeError:
        return body.text, ()
    texts = [p.decoded().decode("utf-8", "replace") for p in parts if mime.media_type(p.content_type) == "text/plain"]
    return "\n".join(texts), tuple(p for p in parts if mime.media_type(p.content_type) != "text/plain")


def described(media: tuple[mime.Part, ...]) -> str:
    """What media there are, for the journal."""
    return ", ".join(f"{mime.media_type(part.content_type)}, {len(part.body)} octets" for part in media)
