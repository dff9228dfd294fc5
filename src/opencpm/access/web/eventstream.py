"""Server-sent events (WHATWG HTML §9.2) on a page's stream."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from opencpm.access.web.connector import WebConnector
from opencpm.access.web.hub import Event, Stream

HEARTBEAT = 15.0  # seconds of silence before a comment line keeps the way open
RETRY = 2000  # milliseconds a browser waits before it comes back
_NOTHING = b":\n\n"


class EventStream(Response):
    """The answer to GET /events: runs until the page leaves, the stream is ended, or the server stops.

    ``welcome`` is asked in every silence whether the page may still listen.
    """

    def __init__(
        self, connector: WebConnector, owner: str, last_event_id: str, welcome: Callable[[], bool] = lambda: True
    ) -> None:
        super().__init__()
        self._connector = connector
        self._owner = owner
        self._last = last_event_id
        self._welcome = welcome

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send(
            {
                "type": "http.response.start",
                "status": 200,
                "headers": [
                    (b"content-type", b"text/event-stream; charset=utf-8"),
                    (b"cache-control", b"no-store"),
                    (b"x-accel-buffering", b"no"),
                ],
            }
        )
        hubs = self._connector.hubs
        opening = _opening(hubs.event_id(hubs.hub(self._owner).number)) if not self._last else _NOTHING
        stream = self._connector.page_opened(self._owner, self._seen())
        leaving = asyncio.create_task(_left(receive, stream), name="web page leaving")
        try:
            await self._pour(stream, opening, send)
        except OSError:
            pass  # the page is gone
        finally:
            leaving.cancel()
            self._connector.page_closed(self._owner, stream)

    def _seen(self) -> int | None:
        """The number of the last event the page saw; -1, which is never in the ring, where its id is not ours."""
        if not self._last:
            return None
        number = self._connector.hubs.number_of(self._last)
        return -1 if number is None else number

    async def _pour(self, stream: Stream, opening: bytes, send: Send) -> None:
        await send({"type": "http.response.body", "body": opening, "more_body": True})
        while not stream.ended:
            events = await stream.batch(HEARTBEAT)
            if not events and not self._welcome():
                break  # the token was taken back, or its owner barred
            body = self._frames(events) if events else _NOTHING
            await send({"type": "http.response.body", "body": body, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    def _frames(self, events: Sequence[Event]) -> bytes:
        name = self._connector.hubs.event_id
        return "".join(f"id: {name(e.number)}\nevent: {e.kind}\ndata: {e.data}\n\n" for e in events).encode()


async def _left(receive: Receive, stream: Stream) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    stream.end()


def _opening(event_id: str) -> bytes:
    return f'retry: {RETRY}\nid: {event_id}\nevent: hello\ndata: {{"type":"hello"}}\n\n'.encode()
