"""The login host, when it does not behave: a reason without secrets, and an end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from opencpm.interworking.yahoo.settings import YahooSettings
from opencpm.interworking.yahoo.web import Web, tls_context
from opencpm.lab.yahoo import LabYahoo
from opencpm.protocols.ymsg.errors import Kind
from opencpm.protocols.ymsg.weblogin import LoginRefused
from opencpm.transport.link import address_of

SECRET = "s3cret word"


@asynccontextmanager
async def web(login_url: str, **settings: object) -> AsyncIterator[Web]:
    known = YahooSettings(server="x", login_url=login_url, version=16, step_timeout=0.5, **settings)  # type: ignore[arg-type]
    made = Web(known, tls_context(known))
    yield made
    await made.close()


@pytest.mark.parametrize("whole", [True, False])
async def test_the_proof(whole: bool) -> None:
    async with LabYahoo() as lab:
        lab.account("alice", SECRET)
        async with web(lab.login_url, whole_cookies=whole) as it:
            proof = await it.prove("alice", SECRET, "x" * 24)
        yahoo, ticket, browser = proof.cookies
        assert proof.crumb
        assert yahoo == "v=1&n=alice; path=/" if whole else "v=1&n=alice"
        assert ticket.startswith("z=")
        assert browser == ("lab&b=3; path=/" if whole else "lab&b=3")


async def refused(login_url: str) -> LoginRefused:
    async with web(login_url) as it:
        with pytest.raises(LoginRefused) as caught:
            await it.prove("alice", SECRET, "x" * 24)
    assert SECRET not in str(caught.value)
    return caught.value


async def test_nobody_listens() -> None:
    error = await refused("http://127.0.0.1:1")
    assert error.trouble.kind is Kind.TEMPORARY


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"no HTTP at all\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: http://192.0.2.1/\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 100_000,
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n\xff\xfe",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n0\r\n",
    ],
)
async def test_answers_that_are_none(octets: bytes) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(octets)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    host, port = address_of(server)
    assert (await refused(f"http://{host}:{port}")).trouble.kind is Kind.TEMPORARY
    server.close()
