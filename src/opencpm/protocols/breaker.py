"""Whether a peer over HTTP can be reached, judged by what became of requests. Pure: time is an argument."""

from __future__ import annotations

from typing import Final

_LONGEST_REFUSAL: Final = 900.0


class Breaker:
    """Opens at the first trouble and closes at the first answer. While it is open, :meth:`due` says when to look again;
    pauses double, and are longer after our credentials were refused (accounts get locked).
    """

    def __init__(self, where: str, shortest: float, longest: float, refused: float, now: float) -> None:
        self.up = True
        self.detail = f"{where}, not used yet"
        self.since = now
        self._where = where
        self._shortest, self._longest, self._refused = shortest, longest, refused
        self._pause = 0.0
        self._again_at = 0.0

    def answered(self, now: float) -> None:
        """The peer speaks to us."""
        if not self.up:
            self.since = now
        self.up, self._pause, self.detail = True, 0.0, self._where

    def failed(self, why: str, now: float, *, refused: bool = False) -> None:
        """It cannot be reached, or does not want us."""
        if self.up:
            self.since = now
        self.up = False
        first, longest = (self._refused, _LONGEST_REFUSAL) if refused else (self._shortest, self._longest)
        self._pause = min(max(2 * self._pause, first), max(longest, first))
        self._again_at = now + self._pause
        self.detail = f"{why}; next try in {self._pause:.0f} s" if self._pause >= 1 else why

    def due(self, now: float) -> bool:
        """Whether it is time to look whether it is back."""
        return not self.up and now >= self._again_at

    def half_open(self, now: float) -> None:
        """Let one message try; the pause is not forgotten until the centre answers."""
        self.up, self.since, self.detail = True, now, f"{self._where}, trying again"
