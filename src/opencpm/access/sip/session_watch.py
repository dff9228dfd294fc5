"""Whether anything still happens in a session: idle time, and the grace time after a lost connection."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from opencpm.domain.session import CloseReason

__all__ = ["Watch"]


class Watch:
    """Calls `give_up(reason, detail)` when a session has been silent for `idle` seconds, or without a media
    connection for `grace` seconds."""

    def __init__(self, idle: float, grace: float, give_up: Callable[[CloseReason, str], None]) -> None:
        self._idle, self._grace, self._give_up = idle, grace, give_up
        self._loop = asyncio.get_running_loop()
        self._last = self._loop.time()
        self._idle_timer: asyncio.TimerHandle | None = None
        self._grace_timer: asyncio.TimerHandle | None = None

    @property
    def connected(self) -> bool:
        """Whether there is a media connection, as far as we were told."""
        return self._grace_timer is None

    def start(self) -> None:
        """The session stands, its media connection is still to come."""
        self._look()
        self.lost("the device made no MSRP connection")

    def traffic(self) -> None:
        """Something happened."""
        self._last = self._loop.time()

    def lost(self, detail: str) -> None:
        """The media connection has gone; the device may come back."""
        if self._grace_timer is None:
            self._grace_timer = self._loop.call_later(self._grace, self._give_up, CloseReason.LOST, detail)

    def found(self) -> None:
        """There is a media connection (again)."""
        if self._grace_timer is not None:
            self._grace_timer.cancel()
            self._grace_timer = None

    def stop(self) -> None:
        """The session is over."""
        for timer in (self._idle_timer, self._grace_timer):
            if timer is not None:
                timer.cancel()

    def _look(self) -> None:
        """One timer, which looks at the time of the last traffic when it fires."""
        quiet = self._loop.time() - self._last
        if quiet >= self._idle:
            self._give_up(CloseReason.IDLE, f"no traffic for {quiet:.0f} s")
        else:
            self._idle_timer = self._loop.call_later(self._idle - quiet, self._look)
