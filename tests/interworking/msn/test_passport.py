"""The HTTP of the login, against servers that misbehave."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from opencpm.interworking.msn.passport import fetch, tls_context
from opencpm.interworking.msn.settings import MsnSettings
from opencpm.protocols.msnp.passport import PassportLogin, Refusal, Ticket

SETTINGS = MsnSettings(server="msn.test", nexus_url="https://msn.test/")


@asynccontextmanager
async def server(*answers: bytes) -> AsyncIterator[Callable[[], str]]:
    left = list(answers)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(left.pop(0))
        writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    yield lambda: f"http://127.0.0.1:{port}/go?x=1"
    listening.close()


async def login(*answers: bytes) -> Ticket | Refusal:
    async with server(*answers) as url:
        passport = PassportLogin("alice@msn.test", "secret", "ct=1", "", url())
        return await fetch(passport, tls_context(SETTINGS), 5.0)


OK = b"HTTP/1.1 200 OK\r\nauthentication-info: Passport1.4 da-status=success,from-PP='t=1'\r\n\r\n"


async def test_ticket_after_a_provisional_answer() -> None:
    result = await login(b"HTTP/1.1 100 Continue\r\n\r\n" + OK)
    assert isinstance(result, Ticket)
    assert result.ticket == "t=1"


@pytest.mark.parametrize(
    "answer",
    [b"", b"HTTP/1.1 200", b"garbage\r\n\r\n", b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000, b"\x16\x03\x01\r\n\r\n"],
)
async def test_not_http(answer: bytes) -> None:
    result = await login(answer)
    assert isinstance(result, Refusal)
    assert not result.credentials


async def test_wrong_password() -> None:
    result = await login(b"HTTP/1.1 401 No\r\nWWW-Authenticate: Passport1.4 da-status=failed\r\n\r\n")
    assert result == Refusal(True, "address or password refused")


async def test_nobody_listens() -> None:
    async with server() as url:
        address = url()
    passport = PassportLogin("alice@msn.test", "secret", "ct=1", "", address)
    result = await fetch(passport, tls_context(SETTINGS), 5.0)
    assert isinstance(result, Refusal)
    assert "secret" not in result.text


async def test_no_answer_in_time() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    passport = PassportLogin("alice@msn.test", "secret", "ct=1", "", f"http://127.0.0.1:{port}/")
    assert await fetch(passport, tls_context(SETTINGS), 0.05) == Refusal(
        False, "the login server did not answer in time"
    )
    listening.close()


def test_certificates_are_checked_unless_told_otherwise() -> None:
    assert tls_context(SETTINGS).check_hostname
    assert not tls_context(SETTINGS.model_copy(update={"verify_tls": False})).check_hostname
