"""How fast to send to an SMSC: an agreed rate, and backing off when it says throttled or queue full."""

from __future__ import annotations

PAUSE = 1.0
GROWTH = 1.05
"""Per second without a complaint."""
_FIRST_GUESS = 100.0
"""Segments a second that are taken for the rate where none is agreed and little was sent before a complaint."""


class Throttle:
    """A token bucket over segments a second; a complaint stops it for a second and halves the rate, which
    then grows by 5 % a second up to the agreed one. ``rate`` 0: no agreed rate; then the measured one is
    halved (a hundred at least: the complaint may be about others), and the limit goes once it has grown to eight times
    that.
    """

    __slots__ = (
        "_agreed",
        "_ceiling",
        "_count",
        "_crowded_at",
        "_grown_at",
        "_rate",
        "_since",
        "_tokens",
        "_until",
        "_updated",
    )

    def __init__(self, rate: float, now: float) -> None:
        self._agreed = rate
        self._rate = rate  # 0: unlimited
        self._ceiling = rate
        self._tokens = max(rate, 1.0)
        self._updated = self._grown_at = self._since = now
        self._until = now
        self._crowded_at = now - 1.0
        self._count = 0

    @property
    def rate(self) -> float:
        """Segments a second at present; 0: not limited."""
        return self._rate

    def allowance(self, now: float, wanted: int) -> int:
        """How many of ``wanted`` segments may go now."""
        if now < self._until:
            return 0
        if not self._rate:
            return wanted
        self._grow(now)
        if not self._rate:
            return wanted
        burst = max(self._rate / 10, 1.0)
        self._tokens = min(self._tokens + (now - self._updated) * self._rate, burst)
        self._updated = now
        return min(wanted, int(self._tokens))

    def sent(self, count: int, now: float) -> None:
        """Account for segments that went."""
        self._tokens -= count
        if now - self._since >= 1.0:
            self._since, self._count = now, 0
        self._count += count

    def complained(self, now: float) -> None:
        """The SMSC said throttled or queue full. Complaints during the pause are answers to what went
        before it.
        """
        if now < self._until:
            return
        self._slow_down(now, 0.5)
        self._until = now + PAUSE
        self._updated = self._grown_at = self._until
        self._tokens = 1.0

    def crowded(self, now: float) -> None:
        """The SMSC says that it is near its limit: a tenth slower, at most once a second."""
        if now < self._until or now < self._crowded_at + 1.0:
            return
        if not self._rate:  # nobody has counted tokens
            self._tokens, self._updated = 1.0, now
        self._slow_down(now, 0.9)
        self._grown_at = self._crowded_at = now

    def _slow_down(self, now: float, factor: float) -> None:
        rate = self._rate or max(self._count / max(now - self._since, 0.1), _FIRST_GUESS)
        self._ceiling = self._agreed or 8 * max(rate, 1.0)
        self._rate = max(rate * factor, 0.5)

    def next_time(self, now: float) -> float:
        """When at least one more segment may go."""
        if now < self._until:
            return self._until
        if not self._rate or self._tokens >= 1.0:
            return now
        return max(now, self._updated + (1.0 - self._tokens) / self._rate)

    def _grow(self, now: float) -> None:
        seconds = int(now - self._grown_at)
        if seconds < 1 or self._rate >= self._agreed > 0:
            return
        self._grown_at += seconds
        self._rate = min(self._rate * GROWTH ** min(seconds, 600), self._ceiling)
        if not self._agreed and self._rate >= self._ceiling:
            self._rate = 0.0
