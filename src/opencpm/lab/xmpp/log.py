"""What went over the component's stream, stanza by stanza: the evidence that stories and tests show."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from opencpm.protocols.xmlsafe import escape
from opencpm.protocols.xmpp import names

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

MAX_LINES = 10_000


@dataclass(frozen=True, slots=True)
class StanzaLine:
    """``direction``: C (from the component) or S; ``kind``: message, presence, iq; ``at`` epoch seconds."""

    at: float
    direction: str
    kind: str
    type: str
    sender: str
    to: str
    text: str

    def has(self, *words: str) -> bool:
        return all(word in self.text for word in words)


class StanzaLog:
    """The last lines, oldest first. ``space``: the stream's own namespace, which is not repeated in each line."""

    def __init__(self, space: str = names.COMPONENT) -> None:
        self._space = space
        self._lines: deque[StanzaLine] = deque(maxlen=MAX_LINES)
        self._listeners: list[Callable[[StanzaLine], None]] = []

    def add(self, direction: str, stanza: Element) -> None:
        line = StanzaLine(
            time.time(),
            direction,
            stanza.tag.rpartition("}")[2],
            stanza.get("type", ""),
            stanza.get("from", ""),
            stanza.get("to", ""),
            as_text(stanza, self._space),
        )
        self._lines.append(line)
        for heard in tuple(self._listeners):
            heard(line)

    def of(self, kind: str, direction: str = "", *words: str) -> list[StanzaLine]:
        """All of a kind, in which all the words stand."""
        return [
            line for line in self._lines if line.kind == kind and direction in ("", line.direction) and line.has(*words)
        ]

    def subscribe(self, heard: Callable[[StanzaLine], None]) -> Callable[[], None]:
        """Call ``heard`` with every new line; returns what ends it."""
        self._listeners.append(heard)
        return lambda: self._listeners.remove(heard) if heard in self._listeners else None

    def __iter__(self) -> Iterator[StanzaLine]:
        return iter(tuple(self._lines))


def as_text(element: Element, outer: str) -> str:
    """An element as it is on the wire: a namespace is named where it changes."""
    space, _, local = element.tag[1:].rpartition("}") if element.tag[:1] == "{" else (outer, "", element.tag)
    given = "" if space == outer else f' xmlns="{escape(space)}"'
    given += "".join(f' {key.rpartition("}")[2]}="{escape(value)}"' for key, value in element.items())
    inside = escape(element.text or "") + "".join(as_text(child, space) + escape(child.tail or "") for child in element)
    return f"<{local}{given}>{inside}</{local}>" if inside else f"<{local}{given}/>"
