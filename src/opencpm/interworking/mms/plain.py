"""What no phone shows, in words that it does: a location as text with a link to a map. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from opencpm.domain.message import Part, text_part
from opencpm.protocols import pushlocation
from opencpm.protocols.pushlocation import Location, LocationError

MAP: Final = "https://www.openstreetmap.org/?mlat={latitude:.6f}&mlon={longitude:.6f}"


def plain(parts: Sequence[Part]) -> tuple[Part, ...]:
    """The parts with every location written out; one that cannot be read stays as it is, and will be left out."""
    if all(part.media_type != pushlocation.CONTENT_TYPE for part in parts):
        return tuple(parts)
    return tuple(_written(part) if part.media_type == pushlocation.CONTENT_TYPE else part for part in parts)


def _written(part: Part) -> Part:
    try:
        return text_part(in_words(pushlocation.parse(part.body)))
    except LocationError:
        return part


def in_words(location: Location) -> str:
    """``The old bridge: https://...``"""
    link = MAP.format(latitude=location.latitude, longitude=location.longitude)
    return f"{location.label or 'Location'}: {link}"
