"""Is-composing indications (RFC 3994): `application/im-iscomposing+xml`."""

from __future__ import annotations

from typing import NamedTuple

from .xmlsafe import XmlError, escape, local_name, parse_xml

__all__ = ["CONTENT_TYPE", "DEFAULT_REFRESH", "IsComposing", "IsComposingError", "build", "parse"]

CONTENT_TYPE = "application/im-iscomposing+xml"
NS = "urn:ietf:params:xml:ns:im-iscomposing"
DEFAULT_REFRESH = 120
"""Seconds after which an `active` that was not refreshed lapses (RFC 3994 §3.3)."""
_LIMIT = 8192


class IsComposingError(ValueError):
    """Not an isComposing document, or one over 8 kB."""


class IsComposing(NamedTuple):
    """The state of the person at the other keyboard."""

    active: bool
    content_type: str = "text/plain"
    refresh: int = DEFAULT_REFRESH
    """Seconds the state holds."""
    last_active: str | None = None
    """RFC 3339, as written."""


def parse(body: bytes) -> IsComposing:
    """Parse a document; any state but `active` is idle (RFC 3994 §3.2). Raises IsComposingError."""
    try:
        root = parse_xml(body, limit=_LIMIT)
    except XmlError as error:
        raise IsComposingError(str(error)) from None
    if local_name(root) != "isComposing":
        raise IsComposingError("not an isComposing document")
    values = {local_name(child): (child.text or "").strip() for child in root}
    if "state" not in values:
        raise IsComposingError("no state")
    return IsComposing(
        values["state"].lower() == "active",
        values.get("contenttype") or "text/plain",
        _seconds(values.get("refresh", "")),
        values.get("lastactive") or None,
    )


def _seconds(text: str) -> int:
    if text.isascii() and text.isdigit() and len(text) < 8:
        return max(1, int(text))
    return DEFAULT_REFRESH


def build(state: IsComposing) -> bytes:
    """Serialise."""
    last = f"<lastactive>{escape(state.last_active)}</lastactive>" if state.last_active else ""
    kind = f"<contenttype>{escape(state.content_type)}</contenttype>"
    refresh = f"<refresh>{state.refresh}</refresh>" if state.active else ""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\r\n<isComposing xmlns="{NS}">\r\n'
        f"<state>{'active' if state.active else 'idle'}</state>{last}{kind}{refresh}\r\n</isComposing>"
    ).encode()
