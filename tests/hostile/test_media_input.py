"""Bad MSRP at the running server: MSRP's own error or a closed connection, and the sessions of others go on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from opencpm.lab.device import DeviceChat, LabDevice
from opencpm.protocols.msrp.uri import parse_path
from tests.hostile.house import BOB, PATIENCE, House, house, raw


@asynccontextmanager
async def talking(here: House) -> AsyncIterator[tuple[DeviceChat, LabDevice]]:
    """A session from Alice's device to Bob's."""
    async with here.device(BOB) as bob, here.device() as alice:
        yield await alice.invite(BOB), bob


def _msrp(chat: DeviceChat) -> tuple[str, int]:
    """Where the server listens."""
    path = parse_path(_remote(chat))[0]
    return path.host, path.port


def _remote(chat: DeviceChat) -> str:
    assert chat._session is not None
    return chat._session.remote


async def _goes_on(chat: DeviceChat, bob: LabDevice, text: str) -> None:
    assert (await chat.send(text))[1] == 200
    await bob.journal.wait("message", lambda one: one.what == text, PATIENCE)


def _send(to: str, body: bytes, *fields: str, tid: str = "a1b2c3d4", size: str = "") -> bytes:
    head = [f"MSRP {tid} SEND", f"To-Path: {to}", "From-Path: msrp://127.0.0.1:9/me;tcp", *fields]
    head += [f"Byte-Range: 1-{len(body)}/{size or len(body)}", "Content-Type: message/cpim"]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body + f"\r\n-------{tid}$\r\n".encode()


async def test_strangers_are_refused_and_sessions_go_on(tmp_path: Path) -> None:
    async with house(tmp_path) as here, talking(here) as (chat, bob):
        where = host, port = _msrp(chat)
        stranger = _send(f"msrp://{host}:{port}/nobody;tcp", b"x", "Message-ID: m")
        assert b" 481" in (await raw(where, stranger, eof=True)).partition(b"\r\n")[0]
        for data in (
            b"\0" * 100_000,
            b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 5000,
            b"MSRP a SEND\r\n\r\n\r\n",
            b"MSRP a1b2c3d4 SEND\r\n" + b"X: y\r\n" * 5000,
            b"MSRP a1b2c3d4 SEND\r\nTo-Path: msrp://" + b"x" * 100_000,
            stranger.replace(b"$", b"?"),
            stranger[:40],
        ):
            await raw(where, data, eof=True)
        await _goes_on(chat, bob, "still talking")
        await here.lives()


@pytest.mark.parametrize(
    ("fields", "body", "size"),
    [
        ([], b"x", ""),  # no Message-ID
        (["Message-ID: m1"], b"no cpim", ""),
        (["Message-ID: m2"], b"\xff" * 3000, ""),
        (["Message-ID: m3"], b"x", "999999999999"),
        (["Message-ID: " + "m" * 5000], b"x", ""),
        (["Message-ID: m4", "Byte-Range: 9-1/3"], b"x", ""),
        (["Message-ID: m5", "Success-Report: perhaps"], b"x", ""),
    ],
)
async def test_flawed_requests_inside_a_session(tmp_path: Path, fields: list[str], body: bytes, size: str) -> None:
    """Answered or ignored; the session they came in goes on."""
    async with house(tmp_path) as here, talking(here) as (chat, bob):
        assert chat._link is not None
        data = _send(_remote(chat), body, *fields, size=size)
        local = str(chat.local).encode()
        chat._link._transport.write(data.replace(b"msrp://127.0.0.1:9/me;tcp", local))
        await _goes_on(chat, bob, "still talking")
        await here.lives()


async def test_connections_that_say_nothing_disturb_nobody(tmp_path: Path) -> None:
    async with house(tmp_path) as here, talking(here) as (chat, bob):
        connections = [await asyncio.open_connection(*_msrp(chat)) for _ in range(200)]
        await _goes_on(chat, bob, "still talking")
        for _, writer in connections:
            writer.close()
        await here.lives()
