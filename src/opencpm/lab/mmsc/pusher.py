"""What the centre brings to the service: one request after the other, again after a while when it was not taken."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import time
from collections import deque

import h11

from opencpm.protocols import mm7
from opencpm.protocols.mm7.operations import Response, name_of

from . import http
from .happenings import Happening, Happenings
from .log import Line, Log, named

_PAUSE = 0.1
_BOUNDARY = "_boundary_of_the_lab"


class Pusher:
    """Requests to one service."""

    def __init__(self, log: Log, happenings: Happenings) -> None:
        self._log, self._happenings = log, happenings
        self._url = ""
        self._headers: list[tuple[str, str]] = []
        self._waiting: deque[mm7.Message] = deque()
        self._task: asyncio.Task[None] | None = None
        self._idle = asyncio.Event()
        self._idle.set()

    def reach(self, url: str, username: str, password: str) -> None:
        """Where to; what waited goes now."""
        self._url, self._headers = url, []
        if username:
            told = base64.b64encode(f"{username}:{password}".encode()).decode()
            self._headers = [("Authorization", f"Basic {told}")]
        self._wake()

    def later(self, message: mm7.Message) -> None:
        """Bring it in order, until the service takes it."""
        self._waiting.append(message)
        self._wake()

    async def idle(self) -> None:
        """Until nothing waits any more."""
        await self._idle.wait()

    async def push(self, message: mm7.Message) -> Response | None:
        """Bring it once, now; what the service said, None for nothing."""
        content_type, body = mm7.encode(message, _BOUNDARY)
        name = name_of(message.operation)
        self._log.add(Line(time.time(), "S", name, content_type, body))
        headers = [("Content-Type", content_type), ("SOAPAction", '""'), *self._headers]
        try:
            response = await http.post(self._url, headers, body)
        except (OSError, h11.RemoteProtocolError) as error:
            self._happenings.add(Happening(time.time(), "not pushed", text=f"{name}: {error}"))
            return None
        self._log.add(
            Line(
                time.time(),
                "C",
                named(response.content_type, response.body) if response.body else "HTTP",
                response.content_type,
                response.body,
                response.status,
            )
        )
        self._happenings.add(Happening(time.time(), "pushed", text=f"{name}: HTTP {response.status}"))
        return _read(response)

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    def _wake(self) -> None:
        if self._url and self._waiting and (self._task is None or self._task.done()):
            self._idle.clear()
            self._task = asyncio.ensure_future(self._drain())

    async def _drain(self) -> None:
        while self._waiting:
            if await self.push(self._waiting[0]) is None:
                await asyncio.sleep(_PAUSE)
            else:
                self._waiting.popleft()
        self._idle.set()


def _read(response: http.Response) -> Response | None:
    """None where the service wants it again: no MM7, or a 5xx."""
    if response.status >= 500:
        return None
    try:
        said = mm7.decode(response.content_type, response.body).operation
    except mm7.Mm7Error:
        return None
    return said if isinstance(said, Response) else None
