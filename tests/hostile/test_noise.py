"""Random and nearly right octets at every port of the running server, which goes on serving."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
import traceback
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.hostile.house import BOB, House, house, request

bounded = settings(max_examples=60, deadline=None, database=None, suppress_health_check=list(HealthCheck))


class Outside:
    """The server on a loop in another thread, so that plain functions can throw things at it."""

    def __init__(self, folder: Any) -> None:
        self._folder = folder
        self._ready = threading.Event()
        self.errors: list[str] = []
        self.here: House
        self._loop: asyncio.AbstractEventLoop
        self._over: asyncio.Event
        self._thread = threading.Thread(target=lambda: asyncio.run(self._live()))
        self._thread.start()
        assert self._ready.wait(20)

    async def _live(self) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        self._loop.set_exception_handler(lambda _, context: self.errors.append(_told(context)))
        async with house(self._folder) as self.here:
            self._ready.set()
            await self._over.wait()

    def run(self, what: Callable[[], Coroutine[Any, Any, None]]) -> None:
        asyncio.run_coroutine_threadsafe(what(), self._loop).result(30)

    def end(self) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(30)


def _told(context: dict[str, Any]) -> str:
    fault = context.get("exception")
    return "".join([context["message"], "\n", *(traceback.format_exception(fault) if fault else ())])


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outside]:
    found = Outside(tmp_path_factory.mktemp("noise"))
    yield found
    found.run(found.here.lives)
    found.end()
    assert not found.errors, found.errors[0]


SIP = request(
    "MESSAGE", BOB, ("Content-Type", "message/cpim"), body=b"From: <sip:a>\r\n\r\nContent-Type: text/plain\r\n\r\nx"
)
HTTP = b'POST /api/v1/login HTTP/1.1\r\nHost: x\r\nContent-Length: 33\r\n\r\n{"user":"alice","password":"guess"}'
WS = (
    b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: sip\r\n\r\n"
)


@st.composite
def spoiled(draw: st.DrawFn, good: bytes) -> bytes:
    """Something good with a few octets replaced, removed, or put in."""
    data = bytearray(good)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data)))
        data[at : at + draw(st.integers(0, 3))] = draw(st.binary(max_size=6))
    return bytes(data)


def noise(good: bytes) -> st.SearchStrategy[bytes]:
    return st.one_of(st.binary(max_size=2000), spoiled(good))


def _throw(where: tuple[str, int], *chunks: bytes) -> None:
    """Over a connection of its own, which is then closed from this side."""
    with socket.create_connection(where, 10) as thrown:
        thrown.settimeout(10)
        try:
            for chunk in chunks:
                thrown.sendall(chunk)
            thrown.shutdown(socket.SHUT_WR)
            while thrown.recv(65536):
                pass
        except OSError:
            pass  # cut off: as it should be


@bounded
@given(st.lists(noise(SIP), min_size=1, max_size=3))
def test_sip_over_udp(outside: Outside, datagrams: list[bytes]) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as thrown:
        for datagram in datagrams:
            thrown.sendto(datagram, outside.here.where("sip", "udp"))


@bounded
@given(st.lists(noise(SIP), min_size=1, max_size=3))
def test_sip_over_tcp(outside: Outside, chunks: list[bytes]) -> None:
    _throw(outside.here.where("sip", "tcp"), *chunks)


@bounded
@given(noise(WS), st.binary(max_size=500))
def test_sip_over_websocket(outside: Outside, handshake: bytes, rest: bytes) -> None:
    _throw(outside.here.where("sip", "ws"), handshake, rest)


@bounded
@given(spoiled(SIP), st.booleans())
def test_sip_in_websocket_frames(outside: Outside, message: bytes, text: bool) -> None:
    key = os.urandom(4)
    masked = bytes(octet ^ key[at % 4] for at, octet in enumerate(message))
    head = bytes((0x81 if text else 0x82, 0x80 | 126)) + len(message).to_bytes(2, "big") + key
    _throw(outside.here.where("sip", "ws"), WS, head + masked)


@bounded
@given(noise(HTTP))
def test_http(outside: Outside, data: bytes) -> None:
    _throw(outside.here.where("web", "http"), data)
