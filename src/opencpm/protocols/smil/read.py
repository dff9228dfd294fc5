"""Presentations of any origin read in order; timing, transitions and what is outside MMS are passed over."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from opencpm.protocols.xmlsafe import XmlError, local_name, parse_xml, walk

from .errors import SmilError
from .presentation import MEDIA, Item, Page, Presentation

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

MAX_SIZE = 256 << 10
MAX_ITEMS = 1000

# A document type is no harm without an internal subset, and many phones write one.
_DOCTYPE = re.compile(rb"<!DOCTYPE\s[^<>\[\]]{0,1000}>", re.IGNORECASE)
_END = re.compile(rb"</(?:\w{1,20}:)?smil\s*>", re.IGNORECASE)
_LENGTH = re.compile(r"\s*(-?\d{1,7}(?:\.\d{1,7})?)\s*(%|px)?\s*", re.ASCII)


def parse(data: bytes) -> Presentation:
    """The slides of a document; items of a slide top to bottom by region, media before text where that says nothing.

    Junk behind the end of the document and a plain document type are tolerated.
    Raises SmilError: not well-formed, over 256 kB, or over 1000 items.
    """
    if len(data) > MAX_SIZE:
        raise SmilError(f"SMIL over {MAX_SIZE} bytes")
    try:
        root = parse_xml(_trimmed(data), limit=MAX_SIZE)
    except XmlError as error:
        raise SmilError(str(error)) from None
    if local_name(root).lower() != "smil":
        raise SmilError("no SMIL document")
    width, height, tops = _layout(root)
    return Presentation(_pages(root, tops), int(width), int(height))


def _trimmed(data: bytes) -> bytes:
    data = _DOCTYPE.sub(b"", data.lstrip(), count=1)
    ends = [match.end() for match in _END.finditer(data)]
    return data[: ends[-1]] if ends else data


def _layout(root: Element) -> tuple[float, float, dict[str, float]]:
    """Width and height of the screen, and how far down each region begins, in pixels."""
    width = height = 0.0
    regions: list[tuple[str, str]] = []
    for element, _ in walk(root):
        name = local_name(element).lower()
        if name == "root-layout":
            width, height = _pixels(element.get("width"), 0.0), _pixels(element.get("height"), 0.0)
        elif name == "region":
            regions.append((_id(element), element.get("top", "0")))
    return width, height, {key: _pixels(top, height or 100.0) for key, top in regions}


def _id(element: Element) -> str:
    xml_id = "{http://www.w3.org/XML/1998/namespace}id"
    return element.get("id") or element.get(xml_id) or element.get("regionName") or ""


def _pixels(text: str | None, whole: float) -> float:
    match = _LENGTH.fullmatch(text or "")
    if match is None:
        return 0.0
    value = float(match[1])
    return value * whole / 100 if match[2] == "%" else value


def _pages(root: Element, tops: dict[str, float]) -> tuple[Page, ...]:
    """Each outermost `par` is a slide; an item outside of any is one of its own."""
    pages: list[list[Element]] = []
    slide_depth, count = 0, 0
    for element, depth in walk(root):
        if slide_depth and depth <= slide_depth:
            slide_depth = 0
        name = local_name(element).lower()
        if name == "par" and not slide_depth:
            slide_depth = depth
            pages.append([])
        elif name in MEDIA and element.get("src"):
            count += 1
            if count > MAX_ITEMS:
                raise SmilError(f"over {MAX_ITEMS} items")
            if not slide_depth:
                pages.append([])
            pages[-1].append(element)
    return tuple(_page(elements, tops) for elements in pages if elements)


def _page(elements: list[Element], tops: dict[str, float]) -> Page:
    def place(element: Element) -> tuple[float, bool]:
        top = tops.get(element.get("region", ""), math.inf)
        return top, local_name(element).lower() == "text"

    # Only where every item has a region does their position say anything.
    placed = all(element.get("region", "") in tops for element in elements)
    ranked = sorted(elements, key=place if placed else lambda element: (0.0, place(element)[1]))
    return Page(tuple(_item(element) for element in ranked))


def _item(element: Element) -> Item:
    return Item(local_name(element).lower(), element.get("src", "").strip(), alt=element.get("alt", ""))
