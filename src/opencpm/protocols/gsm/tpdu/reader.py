"""Octets taken from the front of a TPDU, never past its end."""

from __future__ import annotations

from .errors import TpduError


class Reader:
    __slots__ = ("_at", "_octets")

    def __init__(self, octets: bytes) -> None:
        self._octets, self._at = octets, 0

    def octet(self) -> int:
        return self.take(1)[0]

    def take(self, count: int) -> bytes:
        """The next octets. Raises TpduError when there are fewer."""
        end = self._at + count
        if end > len(self._octets):
            raise TpduError("the TPDU ends too early")
        taken, self._at = self._octets[self._at : end], end
        return taken

    def rest(self) -> bytes:
        return self.take(len(self._octets) - self._at)

    @property
    def left(self) -> int:
        return len(self._octets) - self._at
