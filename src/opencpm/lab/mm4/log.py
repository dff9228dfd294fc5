"""What went over the lab's wires, mail by mail: the evidence that tests show."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from opencpm.protocols.mail.reports import value_of
from opencpm.protocols.mm4.errors import Mm4Error
from opencpm.protocols.mm4.headers import Headers, read_headers

MAX_LINES = 2000


@dataclass(frozen=True, slots=True)
class MailLine:
    """One mail: ``direction`` is ``in`` (to the lab's centre) or ``out``; the type is empty for what is no MM4."""

    at: float
    direction: str
    type: str
    envelope: tuple[str, str]
    headers: Headers
    data: bytes

    def get(self, name: str) -> str:
        return value_of(self.headers, name)


class MailLog:
    """The last lines, oldest first."""

    def __init__(self) -> None:
        self._lines: deque[MailLine] = deque(maxlen=MAX_LINES)

    def add(self, direction: str, sender: str, recipient: str, data: bytes) -> MailLine:
        try:
            headers, _ = read_headers(data)
        except Mm4Error:
            headers = ()
        line = MailLine(
            time.time(), direction, value_of(headers, "X-Mms-Message-Type"), (sender, recipient), headers, data
        )
        self._lines.append(line)
        return line

    def of(self, kind: str, direction: str = "") -> list[MailLine]:
        """All mails of one type."""
        return [one for one in self._lines if one.type == kind and direction in ("", one.direction)]

    def __iter__(self) -> Iterator[MailLine]:
        return iter(tuple(self._lines))
