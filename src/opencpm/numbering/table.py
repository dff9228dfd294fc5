"""The operator's table: numbers and ranges, and who serves them. A text file, read anew whenever it changes."""

from __future__ import annotations

import asyncio
import logging
import os
import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from opencpm.domain.number import NO_FACTS, NumberFacts, carrier_name

log = logging.getLogger("opencpm.numbering")

SOURCE = "number table"
_LOOK = 2.0  # seconds between looks at the file
_NUMBER = re.compile(r"\+?([1-9][0-9]{0,14})\Z", re.ASCII)
_LONGEST_LINE = 200
_COMPLAINTS = 5


class Entry(NamedTuple):
    carrier: str
    number_type: str


Stamp = tuple[int, int]


class Table:
    """Longest beginning first, a dictionary look-up a length: a million ported numbers cost what ten do."""

    def __init__(self, entries: Mapping[str, Entry] | None = None, path: str = "", stamp: Stamp = (0, 0)) -> None:
        self._path, self._stamp = path, stamp
        self._take(entries or {})

    def __len__(self) -> int:
        return len(self._entries)

    @classmethod
    def load(cls, path: str) -> Table:
        """Read a file: lines of ``number or range,carrier,type``. Raises ValueError when there is none."""
        try:
            return cls(_read(path), path, _stamp(path))
        except OSError as error:
            raise ValueError(f"the table of numbers cannot be read: {error}") from None

    def facts(self, number: str) -> NumberFacts:
        """What the table says of a number in E.164 form; of each the entry with the longest beginning counts."""
        carrier = number_type = ""
        for length in self._lengths:
            entry = self._entries.get(number[:length]) if length <= len(number) else None
            if entry is not None:
                carrier, number_type = carrier or entry.carrier, number_type or entry.number_type
                if carrier and number_type:
                    break
        return NumberFacts(number_type, carrier, SOURCE) if carrier or number_type else NO_FACTS

    async def follow(self) -> None:
        """Read the file again whenever it changes, until cancelled. One that cannot be read changes nothing."""
        while self._path:
            await asyncio.sleep(_LOOK)
            try:
                stamp = _stamp(self._path)
                if stamp == self._stamp:
                    continue
                self._take(await asyncio.to_thread(_read, self._path))
            except OSError as error:
                log.warning("the table of numbers cannot be read, the old one holds: %s", error)
                continue
            self._stamp = stamp
            log.info("the table of numbers is taken anew: %d entries", len(self))

    def _take(self, entries: Mapping[str, Entry]) -> None:
        self._entries = entries
        self._lengths = sorted({len(number) for number in entries}, reverse=True)


def _stamp(path: str) -> Stamp:
    status = os.stat(path)
    return status.st_mtime_ns, status.st_size


def _read(path: str) -> dict[str, Entry]:
    with open(path, encoding="utf-8", errors="replace") as lines:
        return parse(lines)


def parse(lines: Iterable[str]) -> dict[str, Entry]:
    """The entries of lines; what is no entry is left out and complained about. Never fails."""
    entries: dict[str, Entry] = {}
    made: dict[Entry, Entry] = {}
    wrong = 0
    for at, line in enumerate(lines, 1):
        bare = line[:_LONGEST_LINE].partition("#")[0].strip()
        if not bare or (at == 1 and bare.lower().startswith("number")):
            continue
        fields = [field.strip() for field in bare.split(",")]
        number = _NUMBER.match(fields[0])
        kind = fields[2].lower() if len(fields) > 2 else ""
        if number is None or len(fields) not in (2, 3) or kind not in ("", "mobile", "fixed"):
            wrong += 1
            if wrong <= _COMPLAINTS:
                log.warning("the table of numbers: line %d is no entry", at)
            continue
        entry = Entry(carrier_name(fields[1]), kind)
        entries["+" + number[1]] = made.setdefault(entry, entry)
    if wrong > _COMPLAINTS:
        log.warning("the table of numbers: %d lines are no entries", wrong)
    return entries
