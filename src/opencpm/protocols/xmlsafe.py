"""XML from strangers: no DTD, no entities, bounded in size; the one door all XML bodies come in through."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING
from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

__all__ = ["XmlError", "escape", "local_name", "namespace", "parse_xml", "walk"]

_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"})
# XML 1.0 §2.2: these have no spelling in a document, so they are left out rather than make it ill-formed.
_FORBIDDEN = {c: None for c in range(0x20) if c not in (0x9, 0xA, 0xD)} | {0xFFFE: None, 0xFFFF: None}
_FORBIDDEN |= dict.fromkeys(range(0xD800, 0xE000))


class XmlError(ValueError):
    """The body is not well-formed XML, is too large or nests too deep, or brings a DTD or entities."""


def parse_xml(data: bytes, *, limit: int = 65536, max_depth: int = 32) -> Element:
    """Parse a document of at most `limit` bytes and `max_depth` nested elements; raises XmlError."""
    if len(data) > limit:
        raise XmlError(f"XML body over {limit} bytes")
    try:
        root: Element = fromstring(data, forbid_dtd=True, forbid_entities=True, forbid_external=True)
    except DefusedXmlException:
        raise XmlError("DTD and entities are not accepted") from None
    except (ParseError, ValueError, LookupError):
        raise XmlError("not well-formed XML") from None
    for _, depth in walk(root):
        if depth > max_depth:
            raise XmlError(f"XML nested over {max_depth} levels")
    return root


def walk(root: Element) -> Iterator[tuple[Element, int]]:
    """Every element in document order with its depth (the root has 1); no recursion."""
    stack = [(root, 1)]
    while stack:
        element, depth = stack.pop()
        yield element, depth
        stack.extend((child, depth + 1) for child in reversed(element))


def local_name(element: Element) -> str:
    """The tag without its namespace."""
    return element.tag.rpartition("}")[2]


def namespace(element: Element) -> str:
    """The namespace of the tag, empty if it has none."""
    return element.tag[1:].partition("}")[0] if element.tag.startswith("{") else ""


def escape(text: str) -> str:
    """Text for an element or a double-quoted attribute."""
    if text.isalnum():
        return text
    return text.translate(_ESCAPES).translate(_FORBIDDEN)
