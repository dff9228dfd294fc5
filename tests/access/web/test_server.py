"""The listener inside the running loop."""

from __future__ import annotations

import asyncio
import signal
import socket

import httpx
import pytest

from opencpm.domain.profile import HealthState
from opencpm.transport.http_server import Server

from .world import listening


async def plain(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"here"})


async def started(server: Server) -> tuple[asyncio.Task[None], tuple[str, int]]:
    found: asyncio.Future[tuple[str, int]] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(server.run(found.set_result))
    return task, await found


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_it_listens_answers_and_stops_and_can_do_so_again(host: str) -> None:
    stopped = []
    server = Server(plain, host, 0, lambda: stopped.append(True))
    for turn in (1, 2):
        task, (address, port) = await started(server)
        url = f"http://[{address}]:{port}/" if ":" in address else f"http://{address}:{port}/"
        async with httpx.AsyncClient() as client:
            assert (await client.get(url)).text == "here"
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert task.cancelled()
        assert len(stopped) == turn
        with pytest.raises(OSError):
            await asyncio.open_connection(address, port)


async def test_a_taken_port_is_said_in_words() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=f"cannot listen on 127.0.0.1:{port}"):
            await Server(plain, "127.0.0.1", port, lambda: None).run(lambda _: None)


async def test_signals_stay_with_the_process() -> None:
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    task, _ = await started(Server(plain, "127.0.0.1", 0, lambda: None))
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_bytes_that_are_no_http_are_answered_and_the_listener_lives_on() -> None:
    async with listening() as w:
        host, port = w.connector.endpoints["http"]
        for rubbish in (
            b"\x00" * 100,
            b"GET / HTTP/9.9\r\n\r\n",
            b"POST /api/v1/login HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        ):
            reader, writer = await asyncio.open_connection(host, port)
            writer.write(rubbish)
            writer.write_eof()
            answer = await reader.read()
            assert b"500" not in answer.split(b"\r\n", 1)[0]
            writer.close()
        assert (await w.get("/me"))["id"] == "alice"


async def test_health_and_facts_follow_the_listener() -> None:
    async with listening() as w:
        assert w.connector.health().state is HealthState.UP
        host, port = w.connector.endpoints["http"]
        assert w.connector.describe()["endpoints"] == {"http": f"{host}:{port}"}
        connector = w.connector
    assert connector.health().state is HealthState.DOWN
    assert not connector.endpoints
