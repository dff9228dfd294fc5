"""A presentation without its timing: what is shown together, in which order."""

from __future__ import annotations

from typing import NamedTuple

MEDIA = ("img", "text", "audio", "video", "ref")


class Item(NamedTuple):
    """A reference to a part."""

    kind: str
    """One of MEDIA."""
    src: str
    """A Content-Location, or `cid:` and a Content-ID."""
    seconds: float | None = None
    """How long an audio or video lasts, if that is known; only for writing."""
    alt: str = ""


class Page(NamedTuple):
    """A slide: its items in the order of reading."""

    items: tuple[Item, ...]


class Presentation(NamedTuple):
    """The slides in order, and the size of the screen it was made for (0: not said)."""

    pages: tuple[Page, ...]
    width: int = 0
    height: int = 0
