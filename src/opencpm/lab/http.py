"""A small HTTP client for JSON: enough to read what the server says of itself."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import quote


class ApiError(Exception):
    """The server answered with an error."""

    def __init__(self, status: int, problem: Any) -> None:
        super().__init__(f"{status}: {problem}")
        self.status, self.problem = status, problem


class Api:
    """Calls ``/api/v1`` of one server with one token; a connection a call."""

    def __init__(self, host: str, port: int, token: str) -> None:
        self._where = (host, port)
        self._token = token

    async def get(self, path: str) -> Any:
        """:raises ApiError: :raises OSError:"""
        return await self._call("GET", path, None)

    async def post(self, path: str, body: Any) -> Any:
        """:raises ApiError: :raises OSError:"""
        return await self._call("POST", path, body)

    async def put(self, path: str, body: Any) -> Any:
        """:raises ApiError: :raises OSError:"""
        return await self._call("PUT", path, body)

    async def patch(self, path: str, body: Any) -> Any:
        """:raises ApiError: :raises OSError:"""
        return await self._call("PATCH", path, body)

    async def _call(self, method: str, path: str, body: Any) -> Any:
        data = b"" if body is None else json.dumps(body).encode()
        host, port = self._where
        head = (
            f"{method} /api/v1{path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n"
            f"Authorization: Bearer {self._token}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(data)}\r\n\r\n"
        )
        reader, writer = await asyncio.open_connection(host, port)
        try:
            writer.write(head.encode() + data)
            answer = await reader.read()
        finally:
            writer.close()
        return _read(answer)


def _read(answer: bytes) -> Any:
    head, _, body = answer.partition(b"\r\n\r\n")
    status = int(head.split(b" ", 2)[1])
    if b"transfer-encoding: chunked" in head.lower():
        body = _joined(body)
    value = json.loads(body) if body else None
    if status >= 400:
        raise ApiError(status, value)
    return value


def _joined(body: bytes) -> bytes:
    found = b""
    while body:
        size, _, rest = body.partition(b"\r\n")
        count = int(size, 16)
        found, body = found + rest[:count], rest[count + 2 :] if count else b""
    return found


def segment(text: str) -> str:
    """A path segment."""
    return quote(text, safe="")
