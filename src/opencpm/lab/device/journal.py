"""What went over a device's wires and what it understood of it: evidence one can look at, listen to and wait for."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

MAX_KEPT = 10_000
MAX_RAW = 4096


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing.

    On the wire: ``kind`` is ``sip.out``, ``sip.in``, ``msrp.out`` or ``msrp.in``, ``what`` the start line, ``raw`` the
    octets. Understood: ``kind`` is ``message``, ``file``, ``imdn``, ``composing``, ``invited``, ``established``,
    ``closed``, ``refused`` or ``registered``, ``what`` a few words, ``facts`` the particulars.
    """

    at: float
    kind: str
    what: str
    raw: bytes = b""
    facts: dict[str, str] = field(default_factory=dict)


Wanted = Callable[[Entry], bool]


class Journal:
    """Keeps the last entries, tells listeners, wakes who waits."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=MAX_KEPT)
        self._listeners: list[Callable[[Entry], None]] = []
        self._waiting: list[tuple[Wanted, asyncio.Future[Entry]]] = []

    def wire(self, kind: str, data: bytes) -> None:
        """Note octets as they went over the wire."""
        start = data[: data.find(b"\r\n")].decode("utf-8", "replace")
        self._add(Entry(time.time(), kind, start, data[:MAX_RAW]))

    def note(self, kind: str, what: str, **facts: str) -> None:
        """Note what was understood."""
        self._add(Entry(time.time(), kind, what, b"", facts))

    def _add(self, entry: Entry) -> None:
        self._entries.append(entry)
        for heard in tuple(self._listeners):
            heard(entry)
        for pair in tuple(self._waiting):
            wanted, future = pair
            if future.done():
                self._waiting.remove(pair)
            elif wanted(entry):
                future.set_result(entry)
                self._waiting.remove(pair)

    def subscribe(self, heard: Callable[[Entry], None]) -> Callable[[], None]:
        """Call ``heard`` with every new entry; returns what ends it."""
        self._listeners.append(heard)
        return lambda: self._listeners.remove(heard) if heard in self._listeners else None

    def find(self, kind: str, wanted: Wanted = lambda entry: True) -> list[Entry]:
        """All entries of a kind that are wanted, oldest first."""
        return [entry for entry in self._entries if entry.kind == kind and wanted(entry)]

    async def wait(self, kind: str, wanted: Wanted = lambda entry: True, patience: float = 20.0) -> Entry:
        """The first entry of a kind, past or future, that is wanted. :raises TimeoutError:"""
        for entry in self._entries:
            if entry.kind == kind and wanted(entry):
                return entry
        future: asyncio.Future[Entry] = asyncio.get_running_loop().create_future()
        self._waiting.append((lambda entry: entry.kind == kind and wanted(entry), future))
        async with asyncio.timeout(patience):
            return await future
