"""POST between machines: our listener and our client, each also against a peer that misbehaves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from opencpm.protocols.sip import digest
from opencpm.protocols.sip.headers import parse_auth
from opencpm.transport.http_client import MAX_ANSWER, NotSent, Poster, Tls, Unanswered
from opencpm.transport.http_post import Answer, Handle, Posted, Resource, credentials
from opencpm.transport.http_server import Server
from tests.transport.certificates import make_certificate


async def echo(posted: Posted) -> Answer:
    return Answer(200, "text/plain", posted.user.encode() + b":" + posted.body)


def proves(user: str, password: str, peer: str) -> bool:
    return (user, password) == ("vasp", "ü-secret")


@asynccontextmanager
async def listening(handle: Handle = echo, limit: int = 1000, at_once: int = 4) -> AsyncIterator[tuple[str, int]]:
    server = Server(Resource("/mm7", handle, proves, limit=limit, at_once=at_once), "127.0.0.1", 0, name="test")
    where: asyncio.Future[tuple[str, int]] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(server.run(where.set_result))
    try:
        yield await where
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def poster(
    where: tuple[str, int], path: str = "/mm7", user: str = "vasp", **more: object
) -> AsyncIterator[Poster]:
    one = Poster(f"http://{where[0]}:{where[1]}{path}", username=user, password="ü-secret", **more)  # type: ignore[arg-type]
    try:
        yield one
    finally:
        await one.close()


async def test_a_request_of_a_known_peer_is_answered() -> None:
    async with listening() as where, poster(where) as client:
        reply = await client.post("text/xml", b"<x/>")
        assert (reply.status, reply.content_type, reply.body) == (200, "text/plain", b"vasp:<x/>")


async def test_strangers_other_paths_and_other_methods_are_refused() -> None:
    async with listening() as where:
        for path, user, status in (("/mm7", "eve", 401), ("/mm7", "", 401), ("/other", "vasp", 404)):
            async with poster(where, path, user) as client:
                assert (await client.post("text/xml", b"")).status == status
        assert (await _raw(where, b"GET /mm7 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")).startswith(
            b"HTTP/1.1 405"
        )


async def test_what_is_too_large_is_refused_whether_its_length_is_said_or_not() -> None:
    async with listening(limit=10) as where, poster(where) as client:
        assert (await client.post("text/xml", b"x" * 11)).status == 413
        head = b"POST /mm7 HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n"
        head += b"Authorization: Basic dmFzcDrDvC1zZWNyZXQ=\r\n\r\n"
        assert (await _raw(where, head + b"b\r\nxxxxxxxxxxx\r\n0\r\n\r\n")).startswith(b"HTTP/1.1 413")


async def test_one_too_many_at_a_time_comes_again_later() -> None:
    going, go = asyncio.Event(), asyncio.Event()

    async def slow(posted: Posted) -> Answer:
        going.set()
        await go.wait()
        return Answer(200)

    async with listening(slow, at_once=1) as where, poster(where) as client:
        first = asyncio.create_task(client.post("text/xml", b"1"))
        await going.wait()
        second = await client.post("text/xml", b"2")
        assert (second.status, second.retry_after) == (503, 5.0)
        go.set()
        assert (await first).status == 200


async def test_a_peer_that_goes_away_amid_its_request_costs_nothing() -> None:
    async with listening() as where, poster(where) as client:
        _, writer = await asyncio.open_connection(*where)
        writer.write(
            b"POST /mm7 HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n"
            b"Authorization: Basic dmFzcDrDvC1zZWNyZXQ=\r\n\r\nhalf"
        )
        await writer.drain()
        writer.close()
        assert (await client.post("text/xml", b"whole")).status == 200


@pytest.mark.parametrize("text", ["", "Basic", "Basic %%%", "Bearer abc", "Basic YWJj", "Basic /w=="])
def test_what_are_no_credentials(text: str) -> None:
    assert credentials(text) == ("", "")


Act = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def peer(act: Act) -> AsyncIterator[tuple[str, int]]:
    server = await asyncio.start_server(act, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()


async def _closes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.close()


async def _says_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
    writer.close()


async def _talks_rubbish(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"\x00\x01rubbish\r\n\r\n")
    writer.close()


async def _talks_without_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n" + bytes(MAX_ANSWER + 1))
    writer.close()


@pytest.mark.parametrize("act", [_closes, _says_nothing, _talks_rubbish, _talks_without_end])
async def test_no_answer_or_none_that_can_be_read_is_unanswered(act: Act) -> None:
    async with peer(act) as where, poster(where, answer_timeout=0.2) as client:
        with pytest.raises(Unanswered):
            await client.post("text/xml", b"<x/>")


async def test_where_nobody_listens_nothing_was_sent() -> None:
    async with peer(_closes) as where:
        pass
    async with poster(where) as client:
        with pytest.raises(NotSent):
            await client.post("text/xml", b"<x/>")


async def _raw(where: tuple[str, int], octets: bytes) -> bytes:
    reader, writer = await asyncio.open_connection(*where)
    writer.write(octets)
    answer = await reader.read()
    writer.close()
    return answer


# -- credentials and TLS of the client


@asynccontextmanager
async def serving(app: object, **more: str) -> AsyncIterator[tuple[str, int]]:
    server = Server(app, "127.0.0.1", 0, name="test", **more)
    where: asyncio.Future[tuple[str, int]] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(server.run(where.set_result))
    try:
        yield await where
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_digest_is_answered_and_the_second_request_needs_no_challenge() -> None:
    """Checked by our own server's verifier of RFC 7616."""
    policy, asked = digest.Policy("mmsc", b"k" * 32), []

    async def app(scope, receive, send):
        sent = dict(scope["headers"]).get(b"authorization", b"").decode()
        asked.append(sent)
        status, headers = 200, []
        if not sent or not _right(sent):
            challenge = f'Digest realm="mmsc", nonce="{digest.make_nonce(policy, 1.0, "s")}", qop="auth", algorithm=MD5'
            status, headers = 401, [(b"www-authenticate", challenge.encode())]
        while (await receive()).get("more_body"):
            pass
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    def _right(header: str) -> bool:
        auth = parse_auth(header)
        secret = digest.ha1("vasp", "mmsc", "ü-secret", "MD5")
        return auth.get("response") == digest.answer(secret, auth, "POST", "MD5")

    async with serving(app) as where, poster(where, scheme="digest") as client:
        assert (await client.post("text/xml", b"<x/>" * 1000)).status == 200
        assert (await client.post("text/xml", b"<y/>")).status == 200
    assert [bool(one) for one in asked] == [False, True, True]


async def test_https_is_checked_and_a_stranger_gets_nothing(tmp_path: Path) -> None:
    certificate, key = make_certificate(tmp_path)
    resource = Resource("/mm7", echo, proves, limit=1000)
    async with serving(resource, certificate=certificate, key=key) as where:
        url = f"https://{where[0]}:{where[1]}/mm7"
        trusting = Poster(url, username="vasp", password="ü-secret", tls=Tls(certificate, certificate, key))
        assert (await trusting.post("text/xml", b"<x/>")).status == 200
        await trusting.close()
        wary = Poster(url, username="vasp", password="ü-secret", tls=Tls())
        with pytest.raises(NotSent, match="certificate"):
            await wary.post("text/xml", b"<x/>")
        await wary.close()


def test_files_that_are_none_are_said() -> None:
    with pytest.raises(OSError):
        Tls("/nowhere.pem").context()
