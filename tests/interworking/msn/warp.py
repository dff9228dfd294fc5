"""An event loop whose clock runs ahead while nothing is to be read: an hour of timers in seconds, over real sockets."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any

_LINGER = 0.002  # real seconds in which octets on their way inside this machine arrive


class _Selector(selectors.DefaultSelector):  # type: ignore[misc, valid-type]
    def __init__(self) -> None:
        super().__init__()
        self.ahead = 0.0

    def select(self, timeout: float | None = None) -> Any:
        if timeout is None or timeout <= _LINGER:
            return super().select(timeout)
        ready = super().select(_LINGER)
        if not ready:
            self.ahead += timeout
        return ready


class WarpLoop(asyncio.SelectorEventLoop):
    """`time()` is real time and what was skipped."""

    def __init__(self) -> None:
        self._warp = _Selector()
        super().__init__(self._warp)

    def time(self) -> float:
        return super().time() + self._warp.ahead


def run_warped(work: Coroutine[Any, Any, None]) -> None:
    """Run to the end on a loop of its own."""
    with asyncio.Runner(loop_factory=WarpLoop) as runner:
        runner.run(work)
