"""How many submits an account may make: a token bucket."""

from __future__ import annotations


class Bucket:
    """``rate`` a second (0: no limit), ``burst`` at once. Time is an argument, in seconds of one monotonic clock."""

    __slots__ = ("_burst", "_rate", "_tokens", "_updated")

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self._rate = rate
        self._burst = max(burst or rate, 1.0)
        self._tokens = self._burst
        self._updated = now

    def take(self, now: float, count: int = 1) -> bool:
        """Take tokens; False, and none is taken, when there are not so many. More than the bucket holds are taken
        from a full one and paid back before the next."""
        if not self._rate:
            return True
        self._tokens = min(self._burst, self._tokens + (now - self._updated) * self._rate)
        self._updated = now
        if self._tokens < min(count, self._burst):
            return False
        self._tokens -= count
        return True
