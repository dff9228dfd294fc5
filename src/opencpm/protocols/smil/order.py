"""The parts of a message in the order of its presentation."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import unquote

from opencpm.protocols.mime import Part, media_type, parse_content_type
from opencpm.protocols.mms.content import SMIL, bare_id

from .errors import SmilError
from .presentation import Page
from .read import parse


def ordered(smil: bytes | None, parts: Iterable[Part]) -> tuple[tuple[Part, ...], ...]:
    """The flat, transfer-decoded parts, without any SMIL, as slides; never fails.

    What the presentation does not show comes behind, each part by itself; without a presentation that can be
    read, so does everything. A part that is shown twice stands at its first place.
    """
    shown = tuple(part for part in parts if media_type(part.content_type) != SMIL)
    found = _Index(shown)
    slides = [tuple(found.take(item.src) for item in page.items) for page in _pages(smil)]
    kept = [tuple(part for part in slide if part is not None) for slide in slides]
    return (*(slide for slide in kept if slide), *((part,) for part in found.rest()))


def _pages(smil: bytes | None) -> tuple[Page, ...]:
    try:
        return parse(smil).pages if smil else ()
    except SmilError:
        return ()


class _Index:
    """Finds each part once: by Content-Location, Content-ID, name, and file name in any case, in this order."""

    def __init__(self, parts: tuple[Part, ...]) -> None:
        self._parts = parts
        self._taken = [False] * len(parts)
        self._names: dict[tuple[str, str], int] = {}
        for number, part in enumerate(parts):
            for key in _keys(part):
                self._names.setdefault(key, number)

    def take(self, src: str) -> Part | None:
        for key in _wanted(src):
            number = self._names.get(key)
            if number is not None and not self._taken[number]:
                self._taken[number] = True
                return self._parts[number]
        return None

    def rest(self) -> Iterable[Part]:
        return (part for part, taken in zip(self._parts, self._taken, strict=True) if not taken)


def _keys(part: Part) -> Iterable[tuple[str, str]]:
    location = (part.get("Content-Location") or "").strip()
    name = parse_content_type(part.content_type)[1].get("name", "")
    disposition = parse_content_type(part.get("Content-Disposition") or "")[1].get("filename", "")
    yield "location", location
    yield "id", bare_id(part.get("Content-ID") or "")
    for title in (name, disposition):
        yield "name", title
    for title in (location, name, disposition):
        yield "file", _file(title)


def _wanted(src: str) -> Iterable[tuple[str, str]]:
    if not src:
        return ()
    by_id = ("id", bare_id(src))
    if src[:4].lower() == "cid:":
        return (by_id, ("location", src[4:]), ("name", src[4:]), ("file", _file(src[4:])))
    return (("location", src), by_id, ("name", src), ("file", _file(src)))


def _file(title: str) -> str:
    return unquote(title).replace("\\", "/").rpartition("/")[2].lower()
