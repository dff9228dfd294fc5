"""CPIM bodies as a device writes and reads them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from opencpm.protocols import cpim, imdn

TEXT = "text/plain;charset=UTF-8"


@dataclass(frozen=True, slots=True)
class Heard:
    """A text that came."""

    message_id: str
    sender: str  # URI as the network asserted it
    text: str
    datetime: str
    conversation_id: str
    session: str = ""


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
