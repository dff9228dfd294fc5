"""Resource lists (RFC 4826) with copyControl (RFC 5364), as recipient lists of RFC 5365, 5366 and 5368."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from .xmlsafe import XmlError, escape, local_name, parse_xml

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

__all__ = ["CONTENT_TYPE", "Entry", "ResourceLists", "ResourceListsError", "build", "parse"]

CONTENT_TYPE = "application/resource-lists+xml"
NS = "urn:ietf:params:xml:ns:resource-lists"
COPY_NS = "urn:ietf:params:xml:ns:copycontrol"
_COPY = frozenset({"to", "cc", "bcc"})
_LIMIT = 262144


class ResourceListsError(ValueError):
    """Not a resource-lists document, or one over the limits on size, nesting or entries (answer 413)."""


class Entry(NamedTuple):
    """One recipient."""

    uri: str
    """As written, embedded headers (`?Session-Replaces=…`) included."""
    copy_control: str = "to"
    """to, cc or bcc."""
    anonymize: bool = False
    display_name: str | None = None


class ResourceLists(NamedTuple):
    """All lists of a document, nested ones flattened in document order."""

    entries: tuple[Entry, ...]
    references: tuple[str, ...] = ()
    """URIs of lists stored elsewhere (`external` anchors and `entry-ref`s), for the caller to resolve."""


def parse(body: bytes, *, max_entries: int = 1000, max_depth: int = 16) -> ResourceLists:
    """Parse a document; double entries (same URI) are kept once, the first. Raises ResourceListsError."""
    try:
        root = parse_xml(body, limit=_LIMIT, max_depth=max_depth)
    except XmlError as error:
        raise ResourceListsError(str(error)) from None
    if local_name(root) != "resource-lists":
        raise ResourceListsError("not a resource-lists document")
    entries: dict[str, Entry] = {}
    references: dict[str, None] = {}
    for element in root.iter():
        name = local_name(element)
        if name == "entry":
            entry = _entry(element)
            entries.setdefault(entry.uri, entry)
        elif name in ("external", "entry-ref"):
            target = element.get("anchor") or element.get("ref")
            if target:
                references[target.strip()] = None
        if len(entries) + len(references) > max_entries:
            raise ResourceListsError(f"over {max_entries} entries")
    return ResourceLists(tuple(entries.values()), tuple(references))


def _entry(element: Element) -> Entry:
    uri = (element.get("uri") or "").strip()
    if not uri or len(uri) > 2048:
        raise ResourceListsError("entry without a usable uri")
    copy, anonymize = "to", False
    # Two spellings of the namespace are in use (copycontrol, copyControl): the local name decides.
    for key, value in element.items():
        local = key.rpartition("}")[2].lower()
        if local == "copycontrol" and value.strip().lower() in _COPY:
            copy = value.strip().lower()
        elif local == "anonymize":
            anonymize = value.strip().lower() in ("true", "1")
    for child in element:
        if local_name(child) == "display-name" and child.text:
            return Entry(uri, copy, anonymize, child.text.strip())
    return Entry(uri, copy, anonymize)


def build(entries: Iterable[Entry]) -> bytes:
    """One flat list."""
    rows = "".join(_row(entry) for entry in entries)
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\r\n<resource-lists xmlns="{NS}" xmlns:cp="{COPY_NS}">\r\n'
        f"<list>\r\n{rows}</list>\r\n</resource-lists>"
    ).encode()


def _row(entry: Entry) -> str:
    hidden = ' cp:anonymize="true"' if entry.anonymize else ""
    head = f'<entry uri="{escape(entry.uri)}" cp:copyControl="{entry.copy_control}"{hidden}'
    if entry.display_name is None:
        return f"{head}/>\r\n"
    return f"{head}><display-name>{escape(entry.display_name)}</display-name></entry>\r\n"
