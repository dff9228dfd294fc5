"""HTTP/1.1 for the lab, on h11: one request a connection, with the freedom to behave badly."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import NamedTuple
from urllib.parse import urlsplit

import h11

_LIMIT = 32 << 20
_CHUNK = 1 << 16


class Request(NamedTuple):
    method: str
    path: str
    headers: dict[str, str]  # names in lower case
    body: bytes


class Response(NamedTuple):
    status: int
    content_type: str = ""
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


Handler = Callable[[Request], Awaitable[Response | None]]
"""None: close without a word."""


async def serve(connection: h11.Connection, streams: Streams, handler: Handler) -> None:
    """One request of a client. Raises h11.RemoteProtocolError, OSError."""
    request = await _request(connection, streams)
    response = None if request is None else await handler(request)
    if response is None:
        return
    headers = [("Content-Length", str(len(response.body))), ("Connection", "close"), *response.headers]
    if response.content_type:
        headers.append(("Content-Type", response.content_type))
    head = h11.Response(status_code=response.status, headers=headers)
    for event in (head, h11.Data(data=response.body), h11.EndOfMessage()):
        streams.writer.write(connection.send(event) or b"")
    await streams.writer.drain()


class Streams(NamedTuple):
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


async def _request(connection: h11.Connection, streams: Streams) -> Request | None:
    head: h11.Request | None = None
    body = bytearray()
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            if connection.they_are_waiting_for_100_continue:
                go = h11.InformationalResponse(status_code=100, headers=[])
                streams.writer.write(connection.send(go) or b"")
            connection.receive_data(await streams.reader.read(_CHUNK))
        elif isinstance(event, h11.Request):
            head = event
        elif isinstance(event, h11.Data):
            body += event.data
            if len(body) > _LIMIT:
                return None
        elif isinstance(event, h11.EndOfMessage) and head is not None:
            headers = {name.decode().lower(): value.decode("latin-1") for name, value in head.headers}
            return Request(head.method.decode(), head.target.decode(), headers, bytes(body))
        else:
            return None


async def post(url: str, headers: list[tuple[str, str]], body: bytes) -> Response:
    """A POST over a connection of its own. Raises OSError, h11.RemoteProtocolError."""
    return await _ask("POST", url, headers, body)


async def get(url: str) -> Response:
    """What a browser gets. Raises OSError, h11.RemoteProtocolError."""
    return await _ask("GET", url, [], b"")


async def _ask(method: str, url: str, headers: list[tuple[str, str]], body: bytes) -> Response:
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port or 80)
    try:
        connection = h11.Connection(our_role=h11.CLIENT)
        fixed = [("Host", parts.netloc), ("Connection", "close"), ("Content-Length", str(len(body)))]
        head = h11.Request(method=method, target=parts.path or "/", headers=[*fixed, *headers])
        for event in (head, h11.Data(data=body), h11.EndOfMessage()):
            writer.write(connection.send(event) or b"")
        return await _response(connection, reader)
    finally:
        writer.close()


async def _response(connection: h11.Connection, reader: asyncio.StreamReader) -> Response:
    status, content_type = 0, ""
    body = bytearray()
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(await reader.read(_CHUNK))
        elif isinstance(event, h11.Response):
            status = event.status_code
            content_type = dict(event.headers).get(b"content-type", b"").decode("latin-1")
        elif isinstance(event, h11.Data):
            body += event.data
        elif isinstance(event, h11.EndOfMessage):
            return Response(status, content_type, bytes(body))
        elif not isinstance(event, h11.InformationalResponse):
            raise OSError("the service closed the connection without an answer")
