"""Locations that people send each other: application/vnd.gsma.rcspushlocation+xml (RCC.07 geolocation push), read."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from opencpm.protocols.xmlsafe import XmlError, local_name, parse_xml, walk

CONTENT_TYPE: Final = "application/vnd.gsma.rcspushlocation+xml"
_LIMIT: Final = 32 << 10
_POSITION: Final = re.compile(r"\s*([+-]?\d{1,2}(?:\.\d{1,12})?)[\s,]+([+-]?\d{1,3}(?:\.\d{1,12})?)\b", re.ASCII)
_LABEL: Final = 100


class LocationError(ValueError):
    """No location, or one that is nowhere on the earth."""


class Location(NamedTuple):
    """A point (WGS 84, degrees) and what the sender calls it; "" for nothing."""

    latitude: float
    longitude: float
    label: str = ""


def parse(body: bytes) -> Location:
    """The first position of the document (gml:pos: latitude, longitude) and the label. Raises LocationError."""
    try:
        root = parse_xml(body, limit=_LIMIT)
    except XmlError as error:
        raise LocationError(str(error)) from None
    label = ""
    for element, _ in walk(root):
        name = local_name(element)
        if name == "rcspushlocation":
            label = " ".join(element.get("label", "").split())[:_LABEL]
        elif name == "pos":
            return Location(*_position(element.text or ""), label)
    raise LocationError("no position")


def _position(text: str) -> tuple[float, float]:
    match = _POSITION.match(text)
    if match is None:
        raise LocationError("no position")
    latitude, longitude = float(match[1]), float(match[2])
    if abs(latitude) > 90 or abs(longitude) > 180:
        raise LocationError("a position outside the earth")
    return latitude, longitude
