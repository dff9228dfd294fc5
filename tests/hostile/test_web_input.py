"""Bad HTTP at the running server: a problem document or a closed connection, and the next good request works."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from opencpm.lab.http import ApiError
from tests.hostile.house import BOB, PASSWORD, PATIENCE, PHONE, House, house, raw

PATHS = [
    "/../../../../etc/passwd",
    "/..%2f..%2f..%2fetc/passwd",
    "/%2e%2e/%2e%2e/etc/passwd",
    "/....//....//etc/passwd",
    "//etc/passwd",
    "/js/../../../application.py",
    "/js/..%5c..%5capplication.py",
    "/%00",
    "/index.html%00.js",
    "/static/../__init__.py",
    "/api/v1/../../../etc/passwd",
]


async def _http(here: House, line: str, *fields: str, body: bytes = b"") -> bytes:
    head = "\r\n".join([line, "Host: localhost", "Connection: close", *fields, f"Content-Length: {len(body)}"])
    return await raw(here.where("web", "http"), head.encode("utf-8", "surrogateescape") + b"\r\n\r\n" + body)


def _status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


async def test_no_path_leads_out_of_the_page(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        for path in PATHS:
            answer = await _http(here, f"GET {path} HTTP/1.1")
            assert _status(answer) in (400, 401, 404), path
            assert b"root:" not in answer
            assert b"import" not in answer
        await here.lives()


async def test_what_is_no_http(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        where = here.where("web", "http")
        big = b"GET / HTTP/1.1\r\n" + b"X: " + b"y" * 200_000
        both = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        for data in (
            b"\0\xff\r\n\r\n",
            b"GET\r\n\r\n",
            big,
            both.replace(b"chunked", b"rubbish"),
        ):
            answer = await raw(where, data, eof=True)
            assert answer == b"" or 400 <= _status(answer) < 600, data[:40]
        await here.lives()


def _bearer(here: House) -> tuple[str, str]:
    return f"Authorization: Bearer {here.token}", "Content-Type: application/json"


BODIES: list[tuple[bytes, int]] = [
    (b"", 422),
    (b"{", 422),
    (b"[" * 100_000, 400),
    (b'{"to": ' * 5000, 400),
    (b"\xff\xfe{}", 422),
    (b'{"to": ["+12025550101"], "text": "\\ud800"}', 422),
    (b'{"to": ["+12025550101"], "text": "x", "extra": 1}', 422),
    (b'{"to": "x", "text": 7}', 422),
    (b'{"to": ["+12025550101"], "text": "x", "expires_in": 1e999}', 422),
    (b'{"to": ["+12025550101"], "text": "x", "expires_in": NaN}', 422),
    (b'{"to": ["nobody"], "text": "x"}', 400),
    (b'{"to": [""], "text": "x"}', 400),
]


async def test_bodies_that_cannot_be_taken(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        for body, status in BODIES:
            answer = await _http(here, "POST /api/v1/messages HTTP/1.1", *_bearer(here), body=body)
            assert _status(answer) == status, (body[:60], answer[:200])
            assert b"Traceback" not in answer
        head = "\r\n".join(["POST /api/v1/messages HTTP/1.1", "Host: x", *_bearer(here), "Content-Length: 999999999"])
        assert _status(await raw(here.where("web", "http"), head.encode() + b"\r\n\r\n{", eof=True)) == 413
        await here.lives()


async def test_a_flood_of_wrong_passwords_shuts_out_no_token(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        wrong = json.dumps({"user": "alice", "password": "wrong"}).encode()
        json_body = "Content-Type: application/json"
        found = [_status(await _http(here, "POST /api/v1/login HTTP/1.1", json_body, body=wrong)) for _ in range(20)]
        assert found[0] == 401
        assert found[-1] == 429
        right = json.dumps({"user": "alice", "password": PASSWORD}).encode()
        assert _status(await _http(here, "POST /api/v1/login HTTP/1.1", json_body, body=right)) == 429
        assert (await here.api.get("/me"))["id"] == "alice"
        await here.lives()


EVIL = [
    "a\r\nX-Evil: 1",
    "a\nX-Evil: 1",
    "a\rX-Evil: 1",
    "a\0\nX-Evil: 1",
    "a%0d%0aX-Evil: 1",
    "a\u2028X-Evil: 1",
    "a\x85X-Evil: 1",
]


async def _tried(here: House, path: str, body: dict[str, Any]) -> int:
    """The status; 202 for any success."""
    try:
        await here.api.post(path, body)
    except ApiError as error:
        return error.status
    return 202


def _messages(evil: str) -> list[dict[str, Any]]:
    text = {"to": [BOB], "text": "hi"}
    part = {"content_type": "text/plain", "text": "hi"}
    return [
        {**text, "subject": evil},
        {**text, "message_id": evil},
        {**text, "conversation_id": evil},
        {**text, "contribution_id": evil},
        {**text, "in_reply_to": evil},
        {**text, "to": [f"sip:bob{evil}@cpm.test"]},
        {**text, "to": [BOB, f"{BOB};x={evil}"]},
        {**text, "to": [f"msn:bob{evil}@msn.test"]},
        {"to": [BOB], "parts": [{**part, "content_type": f"text/plain;x={evil}"}]},
        {"to": [BOB], "parts": [{**part, "name": evil}]},
        {"to": [BOB], "parts": [{**part, "name": f'x"; {evil}'}, part]},
    ]


@pytest.mark.parametrize("evil", EVIL)
async def test_no_header_can_be_smuggled_to_a_device(tmp_path: Path, evil: str) -> None:
    """Through the API to a SIP device: refused, or carried as the text it is."""
    async with house(tmp_path) as here, here.device(BOB) as bob:
        for body in _messages(evil):
            assert await _tried(here, "/messages", body) in (202, 400, 404, 422), body
        await here.api.post("/messages", {"to": [BOB], "text": "the last one"})
        await bob.journal.wait("message", lambda one: one.what == "the last one", PATIENCE)
        for entry in bob.journal.find("sip.in"):
            lines = entry.raw.replace(b"\r", b"\n").replace(b"\0", b"\n").split(b"\n")
            assert not any(line.lower().startswith(b"x-evil") for line in lines), entry.raw
        await here.lives()


async def test_names_of_contacts_stay_names(tmp_path: Path) -> None:
    """A contact's name with line ends neither breaks a list nor reaches a header."""
    async with house(tmp_path) as here, here.device(BOB) as bob:
        for name in (*EVIL, "<script>alert(1)</script>", '"><sip:evil@x>', "x" * 10_000):
            assert await _tried(here, "/contacts", {"name": name, "addresses": [BOB]}) in (202, 400, 409, 422)
        await here.api.post("/messages", {"to": [BOB], "text": "hi"})
        await bob.journal.wait("message", patience=PATIENCE)
        assert b"X-Evil" not in bob.journal.find("sip.in")[-1].raw
        assert isinstance(await here.api.get("/conversations"), list)


async def test_a_request_that_never_ends_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Slowloris: neither a head nor a body may dribble for ever; an open event stream may stay."""
    monkeypatch.setattr("opencpm.transport.patience.PATIENCE", 0.2)
    async with house(tmp_path) as here:
        where = here.where("web", "http")
        events, stream = await asyncio.open_connection(*where)
        stream.write(f"GET /api/v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {here.token}\r\n\r\n".encode())
        assert (await events.readline()).startswith(b"HTTP/1.1 200")
        half = "POST /api/v1/messages HTTP/1.1\r\nHost: x\r\n" + "\r\n".join(_bearer(here))
        for data in (b"", b"GET / HTTP/1.1\r\nX: ", f"{half}\r\nContent-Length: 100\r\n\r\n{{".encode()):
            answer = await raw(where, data)
            assert answer == b"" or _status(answer) >= 400
        await here.api.post("/messages", {"to": [PHONE], "text": "meanwhile"})
        async with asyncio.timeout(PATIENCE):
            while b"meanwhile" not in await events.readline():
                pass
        stream.close()
        await here.lives()
