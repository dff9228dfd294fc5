"""The small HTTP client."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from opencpm.lab.http import Api, ApiError, segment

ANSWERS = {
    "/plain": b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n[1,2,3]",
    "/chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n[1,\r\n4\r\n2,3]\r\n0\r\n\r\n",
    "/empty": b"HTTP/1.1 204 No Content\r\n\r\n",
    "/wrong": b'HTTP/1.1 404 Not Found\r\nContent-Length: 12\r\n\r\n{"a": "why"}',
}


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        assert "Authorization: Bearer token" in head
        writer.write(ANSWERS[head.split(" ")[1].removeprefix("/api/v1")])
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield Api(*server.sockets[0].getsockname(), "token")


async def test_bodies(api: Api) -> None:
    assert await api.get("/plain") == [1, 2, 3]
    assert await api.post("/chunked", {"x": 1}) == [1, 2, 3]
    assert await api.patch("/empty", {}) is None


async def test_errors_keep_the_servers_words(api: Api) -> None:
    with pytest.raises(ApiError, match=r"404.*why"):
        await api.get("/wrong")


def test_a_path_segment() -> None:
    assert segment("tel:+1/2") == "tel%3A%2B1%2F2"
