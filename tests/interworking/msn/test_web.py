"""The HTTP of the login, against servers that misbehave."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from opencpm.interworking.msn.settings import MsnSettings
from opencpm.interworking.msn.web import Dialogue, Unreachable, Web, tls_context
from opencpm.protocols.msnp.passport import PassportLogin, Refusal, Ticket
from opencpm.protocols.msnp.soap import MAX_ANSWER, HttpRequest, post

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
        passport: Dialogue[Ticket | Refusal] = PassportLogin("alice@msn.test", "secret", "ct=1", "", url())
        web = Web(SETTINGS, tls_context(SETTINGS))
        try:
            return await web.converse(passport)
        finally:
            await web.close()


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
    with pytest.raises(Unreachable) as error:
        await login(answer)
    assert "secret" not in str(error.value)


async def test_wrong_password() -> None:
    result = await login(b"HTTP/1.1 401 No\r\nWWW-Authenticate: Passport1.4 da-status=failed\r\n\r\n")
    assert result == Refusal(True, "address or password refused")


async def test_nobody_listens() -> None:
    async with server() as url:
        address = url()
    web = Web(SETTINGS, tls_context(SETTINGS))
    with pytest.raises(Unreachable):
        await web.call(HttpRequest(address, {}))
    await web.close()


@pytest.mark.parametrize("url", ["http://[", "http://127.0.0.1:99999/", "nonsense"])
async def test_addresses_that_cannot_be_used(url: str) -> None:
    web = Web(SETTINGS, tls_context(SETTINGS))
    with pytest.raises(Unreachable):
        await web.call(HttpRequest(url, {}))
    await web.close()


async def test_no_answer_in_time() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    web = Web(SETTINGS.model_copy(update={"step_timeout": 0.05}), tls_context(SETTINGS))
    with pytest.raises(Unreachable, match="in time"):
        await web.call(HttpRequest(f"http://127.0.0.1:{port}/", {}))
    await web.close()
    listening.close()


async def test_an_endless_answer_is_cut_off() -> None:
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {MAX_ANSWER + 10}\r\n\r\n".encode()
    async with server(head + bytes(MAX_ANSWER + 10)) as url:
        web = Web(SETTINGS, tls_context(SETTINGS))
        with pytest.raises(Unreachable, match="too long"):
            await web.call(HttpRequest(url(), {}))
        await web.close()


async def test_a_body_is_posted_as_it_is() -> None:
    seen = asyncio.get_running_loop().create_future()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        seen.set_result((head, await reader.readexactly(8)))
        writer.write(b"HTTP/1.1 500 No\r\nContent-Length: 2\r\n\r\nno")
        writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    web = Web(SETTINGS, tls_context(SETTINGS))
    reply = await web.call(post(f"http://127.0.0.1:{port}/x", "<soap />", "urn:Do"))
    head, body = await seen
    assert (reply.status, reply.body, body) == (500, b"no", b"<soap />")
    assert b"POST /x HTTP/1.1" in head
    assert b'SOAPAction: "urn:Do"' in head
    await web.close()
    listening.close()


def test_certificates_are_checked_unless_told_otherwise() -> None:
    assert tls_context(SETTINGS).check_hostname
    assert not tls_context(SETTINGS.model_copy(update={"verify_tls": False})).check_hostname
