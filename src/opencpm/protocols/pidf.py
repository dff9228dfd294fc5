"""Presence information (PIDF, RFC 3863) with what RPID (RFC 4480) adds: there, busy or away, and a note.

A document says one thing of one presentity: of several tuples the most available counts; unknown elements are ignored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .xmlsafe import XmlError, escape, local_name, parse_xml, walk

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

__all__ = ["AWAY", "BUSY", "CONTENT_TYPE", "Pidf", "PidfError", "build", "parse"]

CONTENT_TYPE = "application/pidf+xml"
NS = "urn:ietf:params:xml:ns:pidf"
_LIMIT = 65536
_NOTE_LIMIT = 2048

BUSY = "busy"
AWAY = "away"
_ACTIVITIES = {
    **dict.fromkeys(("busy", "on-the-phone", "meeting", "in-transit", "presentation", "performance"), BUSY),
    **dict.fromkeys(("away", "permanent-absence", "meal", "lunch", "breakfast", "dinner", "vacation"), AWAY),
    **dict.fromkeys(("sleeping", "holiday", "travel", "appointment"), AWAY),
}
"""RPID activities (RFC 4480 §3.2) in two kinds; the others say nothing about whether one can be talked to."""


class PidfError(ValueError):
    """Not a presence document, or one over the limits on size and nesting."""


class Pidf(NamedTuple):
    """`open` is None where the document has no tuple. `activity` is BUSY, AWAY or empty; `timestamp` RFC 3339."""

    entity: str
    open: bool | None
    activity: str = ""
    note: str = ""
    timestamp: str = ""


def build(document: Pidf) -> bytes:
    basic = "open" if document.open else "closed"
    note = f"<note>{escape(document.note)}</note>" if document.note else ""
    when = f"<timestamp>{escape(document.timestamp)}</timestamp>" if document.timestamp else ""
    person = (
        '<dm:person id="p1"><rpid:activities><rpid:' + document.activity + "/></rpid:activities></dm:person>\r\n"
        if document.activity in (BUSY, AWAY)
        else ""
    )
    shown = f'<tuple id="t1"><status><basic>{basic}</basic></status>{note}{when}</tuple>\r\n'
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\r\n<presence xmlns="{NS}" '
        'xmlns:dm="urn:ietf:params:xml:ns:pidf:data-model" xmlns:rpid="urn:ietf:params:xml:ns:pidf:rpid" '
        f'entity="{escape(document.entity)}">\r\n{shown if document.open is not None else ""}{person}</presence>'
    ).encode()


def parse(body: bytes) -> Pidf:
    """Raises PidfError."""
    try:
        root = parse_xml(body, limit=_LIMIT, max_depth=16)
    except XmlError as error:
        raise PidfError(str(error)) from None
    if local_name(root) != "presence":
        raise PidfError("not a presence document")
    opened: bool | None = None
    activity = note = timestamp = ""
    for element, _ in walk(root):
        name, text = local_name(element), (element.text or "").strip()
        if name == "basic":
            opened = bool(opened) or text.lower() == "open"
        elif name == "note":
            note = note or text[:_NOTE_LIMIT]
        elif name == "timestamp":
            timestamp = timestamp or text[:64]
        elif name == "activities":
            activity = _activity(element) or activity
    return Pidf((root.get("entity") or "")[:2048], opened, activity, note, timestamp)


def _activity(activities: Element) -> str:
    """The least available of what somebody does."""
    found = {_ACTIVITIES.get(local_name(child), "") for child in activities}
    return BUSY if BUSY in found else AWAY if AWAY in found else ""
