"""Putting chunks of incoming messages together (RFC 4975 §7.3.1), within a bound."""

from __future__ import annotations

from .message import ABORTED, COMPLETE, ByteRange

__all__ = ["Assembly"]

_MAX_STRAYS = 256


class Assembly:
    """One message whose chunks are arriving: in order as a rule, in any order if a relay reorders them."""

    __slots__ = ("_data", "_strays", "content_type", "total")

    def __init__(self, content_type: str) -> None:
        self.content_type = content_type
        self.total: int | None = None
        self._data = bytearray()
        self._strays: list[tuple[int, bytes]] = []

    @property
    def size(self) -> int:
        """Bytes held in memory."""
        return len(self._data) + sum([len(data) for _, data in self._strays])

    @property
    def prefix(self) -> bytes:
        """What is here from the start on without a hole."""
        return bytes(self._data)

    def add(self, place: int, data: bytes) -> bool:
        """Bytes that begin at 0-based `place` of the message. False if there are too many holes to go on."""
        if place == len(self._data):
            self._data += data
        elif place < len(self._data):
            self._data[place : place + len(data)] = data
        else:
            self._strays.append((place, data))
        return len(self._strays) <= _MAX_STRAYS

    def finish(self, span: ByteRange, end: int, flag: str) -> bool:
        """A chunk that covered up to 1-based `end` is over. True if the message is complete."""
        if flag == ABORTED:
            return False
        if span.total is not None:
            self.total = span.total
        elif flag == COMPLETE:
            self.total = end
        if self._strays:
            self._merge()
        return self.total is not None and len(self._data) >= self.total

    def content(self) -> bytes:
        """The message, once `finish` said it is complete."""
        return bytes(self._data[: self.total])

    def _merge(self) -> None:
        waiting = sorted(self._strays)
        self._strays = []
        for place, data in waiting:
            self.add(place, data)
