"""Failed logins are counted, so that nobody can try passwords without end. Pure: time is an argument."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

_MOST: Final = 10_000
"""Keys counted at once."""


class Attempts:
    """At most ``most`` failures within ``window`` seconds for a key; then it must wait."""

    __slots__ = ("_failures", "_most", "_window")

    def __init__(self, most: int = 5, window: float = 60.0) -> None:
        self._most = most
        self._window = window
        self._failures: OrderedDict[str, list[float]] = OrderedDict()

    def wait(self, key: str, now: float) -> float:
        """Seconds until ``key`` may try again; 0: now."""
        recent = [at for at in self._failures.get(key, ()) if now - at < self._window]
        if len(recent) < self._most:
            return 0.0
        return self._window - (now - recent[-self._most])

    def failed(self, key: str, now: float) -> None:
        failures = self._failures.setdefault(key, [])
        failures.append(now)
        del failures[: -self._most]
        self._failures.move_to_end(key)
        if len(self._failures) > _MOST:
            self._failures.popitem(last=False)

    def passed(self, key: str) -> None:
        self._failures.pop(key, None)


class Logins:
    """Failed logins: five a minute for a name from an address, fifty for a name or for an address alone.

    The last two are wider, so that one person behind a proxy does not lock out the others, nor a stranger Alice.
    """

    __slots__ = ("_alone", "_together")

    def __init__(self) -> None:
        self._together = Attempts(5)
        self._alone = Attempts(50)

    def wait(self, user: str, address: str, now: float) -> float:
        """Seconds until this name may try again from this address; 0: now."""
        alone = (self._alone.wait(f"user {user}", now), self._alone.wait(f"from {address}", now))
        return max(self._together.wait(f"{user}\n{address}", now), *alone)

    def failed(self, user: str, address: str, now: float) -> None:
        self._together.failed(f"{user}\n{address}", now)
        self._alone.failed(f"user {user}", now)
        self._alone.failed(f"from {address}", now)

    def passed(self, user: str, address: str) -> None:
        self._together.passed(f"{user}\n{address}")
