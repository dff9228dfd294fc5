"""Presentations as we write them: an image region above a text region, a slide for each item."""

from __future__ import annotations

from collections.abc import Iterable

from opencpm.protocols.xmlsafe import escape

from .presentation import Item, Page

_SLIDE_SECONDS = 5
_MEDIA_SECONDS = 10
_REGIONS = (
    '<region id="Image" left="0" top="0" width="100%" height="60%" fit="meet"/>'
    '<region id="Text" left="0" top="60%" width="100%" height="40%" fit="scroll"/>'
)


def pages_of(items: Iterable[Item]) -> tuple[Page, ...]:
    """Items in the order they were sent, as slides: a text goes with the media just before it."""
    pages: list[tuple[Item, ...]] = []
    for item in items:
        if item.kind == "text" and pages and len(pages[-1]) == 1 and pages[-1][0].kind != "text":
            pages[-1] = (*pages[-1], item)
        else:
            pages.append((item,))
    return tuple(Page(page) for page in pages)


def write(pages: Iterable[Page], *, width: int = 160, height: int = 120) -> bytes:
    """The document (application/smil, UTF-8) for a screen of this size in pixels."""
    layout = f'<layout><root-layout width="{width}" height="{height}"/>{_REGIONS}</layout>'
    body = "".join(_par(page) for page in pages)
    return f"<smil><head>{layout}</head><body>{body}</body></smil>".encode()


def _par(page: Page) -> str:
    return f'<par dur="{_duration(page)}s">{"".join(map(_element, page.items))}</par>'


def _duration(page: Page) -> int:
    """The length of the longest audio or video (10 s where it is not known), else 5 s."""
    timed = [item.seconds or _MEDIA_SECONDS for item in page.items if item.kind in ("audio", "video")]
    return max([1 + int(seconds - 0.001) for seconds in timed if seconds > 0], default=_SLIDE_SECONDS)


def _element(item: Item) -> str:
    region = {"img": "Image", "video": "Image", "text": "Text"}.get(item.kind)
    placed = f' region="{region}"' if region else ""
    alt = f' alt="{escape(item.alt)}"' if item.alt else ""
    return f'<{item.kind} src="{escape(item.src)}"{placed}{alt}/>'
