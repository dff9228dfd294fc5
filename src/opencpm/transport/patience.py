"""Nobody may keep a connection by never finishing a request (slowloris); uvicorn bounds only the time between them."""

from __future__ import annotations

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

PATIENCE = 60.0
"""Seconds between looks at a connection: whoever is amid the same request at two of them, and brought next to nothing
in between, is cut off."""
LEAST = 64 << 10
"""Bytes between two looks that count as something: a large file over a slow line goes on, a trickle does not."""
_UNFINISHED = (h11.IDLE, h11.SEND_BODY)


class PatientProtocol(H11Protocol):
    """HTTP/1.1 as uvicorn speaks it, with an end to the wait for a request's head and body.

    Event streams are not concerned: their request was finished long ago. One timer for each connection.
    """

    _look: asyncio.TimerHandle | None = None
    _seen: object = None
    _came = 0

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._look = self.loop.call_later(PATIENCE, self._again)
        self._seen = self.cycle

    def data_received(self, data: bytes) -> None:
        self._came += len(data)
        super().data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._look is not None:
            self._look.cancel()
        super().connection_lost(exc)

    def _again(self) -> None:
        if self.conn.their_state in _UNFINISHED and self.cycle is self._seen and self._came < LEAST:
            self.transport.abort()
            return
        self._came = 0
        self._seen = self.cycle
        self._look = self.loop.call_later(PATIENCE, self._again)
