"""Digest at our listeners: answered by an independent client (httpx), and what is not answered rightly."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from opencpm.protocols.sip import digest
from opencpm.transport.http_digest import DigestGate
from opencpm.transport.http_post import Answer, Posted, Resource
from tests.transport.test_http_post import serving

SECRET = "ü-secret"


class House:
    def __init__(self) -> None:
        self.asked: list[tuple[str, str | None]] = []
        self.wait = 0.0
        self.barred = False
        self.url = ""

    def proves(self, user: str, password: str | None, peer: str) -> bool:
        self.asked.append((user, password))
        return user == "vasp" and password in (None, SECRET) and not self.barred

    def secret(self, user: str, realm: str, algorithm: str) -> str | None:
        return digest.ha1(user, realm, SECRET, algorithm) if user == "vasp" else None

    async def handle(self, posted: Posted) -> Answer:
        return Answer(200, "text/plain", posted.user.encode())


@asynccontextmanager
async def house(**more: Any) -> AsyncIterator[House]:
    one = House()
    gate = DigestGate("cpm.test", one.secret)
    resource = Resource(
        "/mm7", one.handle, one.proves, limit=1000, digest=gate, wait=lambda user, peer: one.wait, **more
    )
    async with serving(resource) as (host, port):
        one.url = f"http://{host}:{port}/mm7"
        yield one


async def ask(here: House, auth: httpx.Auth | None, **more: Any) -> httpx.Response:
    async with httpx.AsyncClient(auth=auth) as client:
        return await client.post(here.url, content=b"<x/>", **more)


async def test_who_answers_the_challenge_is_let_in() -> None:
    async with house() as here:
        answer = await ask(here, httpx.DigestAuth("vasp", SECRET))
        assert (answer.status_code, answer.text) == (200, "vasp")
        assert here.asked == [("vasp", None)]


async def test_without_credentials_there_is_a_challenge_and_no_attempt() -> None:
    async with house() as here:
        answer = await ask(here, None)
        schemes = [one.partition(" ")[0] for one in answer.headers.get_list("www-authenticate")]
        assert answer.status_code == 401
        assert set(schemes) == {"Digest", "Basic"}
        assert here.asked == []


@pytest.mark.parametrize(("user", "password"), [("vasp", "guess"), ("eve", SECRET)])
async def test_a_wrong_answer_is_an_attempt(user: str, password: str) -> None:
    async with house() as here:
        assert (await ask(here, httpx.DigestAuth(user, password))).status_code == 401
        assert here.asked == [(user, "")]


async def test_who_may_not_come_in_stays_out_though_the_password_is_right() -> None:
    async with house() as here:
        here.barred = True
        assert (await ask(here, httpx.DigestAuth("vasp", SECRET))).status_code == 401


async def test_after_too_many_attempts_there_is_a_pause() -> None:
    async with house() as here:
        here.wait = 9.5
        answer = await ask(here, httpx.DigestAuth("vasp", SECRET))
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "10")


async def test_basic_is_taken_only_where_it_is_offered() -> None:
    async with house() as here:
        assert (await ask(here, httpx.BasicAuth("vasp", SECRET))).status_code == 200
    async with house(basic=False) as here:
        answer = await ask(here, httpx.BasicAuth("vasp", SECRET))
        assert answer.status_code == 401
        assert "Basic" not in answer.headers["www-authenticate"]


async def test_an_answer_for_another_resource_or_used_before_is_worth_nothing() -> None:
    async with house() as here:
        heard: list[str] = []

        async def note(request: httpx.Request) -> None:
            heard.append(request.headers.get("authorization", ""))

        async with httpx.AsyncClient(auth=httpx.DigestAuth("vasp", SECRET), event_hooks={"request": [note]}) as client:
            assert (await client.post(here.url, content=b"<x/>")).status_code == 200
        right = heard[-1]
        again = await ask(here, None, headers={"Authorization": right})
        assert again.status_code == 401
        assert "stale=true" in again.headers["www-authenticate"]
        moved = right.replace('uri="/mm7"', 'uri="/other"')
        assert (await ask(here, None, headers={"Authorization": moved})).status_code == 401


@pytest.mark.parametrize("header", ["Digest", "Digest ,,,", "Digest username=" + "x" * 9000, "Bearer x", "\u00ff"])
async def test_what_is_no_answer_is_challenged(header: str) -> None:
    async with house() as here:
        answer = await ask(here, None, headers={"Authorization": header.encode("latin-1")})
        assert answer.status_code == 401
