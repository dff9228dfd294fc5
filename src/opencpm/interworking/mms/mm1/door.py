"""The HTTP door of phones: what they post, and what they fetch, through the operator's gateway and nobody else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from opencpm.domain.address import Address
from opencpm.domain.numbering import NumberPlan
from opencpm.protocols.mm1.pdu import MEDIA_TYPE
from opencpm.transport.http_post import Answer
from opencpm.transport.smtp_listener import networks, within

from .centre import Centre
from .posts import Posts
from .settings import Mm1Settings

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
_LONGEST_NUMBER = 64


class _GoneError(Exception):
    """The phone went away amid its request."""


class Door:
    """An ASGI application."""

    def __init__(self, settings: Mm1Settings, centre: Centre, posts: Posts) -> None:
        self.counters: Counter[str] = Counter()
        self._settings, self._centre, self._posts = settings, centre, posts
        self._trusted = networks(settings.trusted)
        self._header = settings.number_header.lower()
        self._numbers = NumberPlan(settings.country_code, settings.trunk_prefix, settings.plain_is_international)
        self._in_hand = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        try:
            answer = await self._answer(scope, receive)
        except _GoneError:
            return
        await _say(send, answer)

    async def _answer(self, scope: Scope, receive: Receive) -> Answer:
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        peer = scope["client"][0] if scope.get("client") else ""
        number = self._number(headers.get(self._header, ""))
        if number is None or not within(peer, self._trusted):
            self.counters["strangers"] += 1
            return Answer(403)
        path = scope["path"]
        if path != self._settings.path and not path.startswith(f"{self._settings.path}/"):
            return Answer(404)
        if self._in_hand >= self._settings.at_once:
            return Answer(503, headers=(("Retry-After", "5"),))
        self._in_hand += 1
        try:
            return await self._asked(scope["method"], path, number, headers, receive)
        finally:
            self._in_hand -= 1

    async def _asked(
        self, method: str, path: str, number: Address, headers: Mapping[str, str], receive: Receive
    ) -> Answer:
        if method == "GET":
            agent = f"{headers.get('user-agent', '')} {headers.get('x-wap-profile', '')} {headers.get('profile', '')}"
            name = path[len(self._settings.path) + 1 :]
            return Answer(200, MEDIA_TYPE, await self._centre.fetch(name, number, agent[:2000]))
        if method != "POST":
            return Answer(405, headers=(("Allow", "GET, POST"),))
        body = await self._body(headers, receive)
        if body is None:
            return Answer(413)
        posted = await self._posts.take(number, body)
        return Answer(posted.status, MEDIA_TYPE if posted.pdu else "", posted.pdu)

    def _number(self, said: str) -> Address | None:
        """The phone that the gateway names."""
        bare = said.strip().removeprefix("tel:").split(";", 1)[0].strip()
        if not bare or len(bare) > _LONGEST_NUMBER:
            return None
        address = self._numbers.to_address(0, bare)
        return address if address.scheme == "tel" else None

    async def _body(self, headers: Mapping[str, str], receive: Receive) -> bytes | None:
        """None: over the limit, which is told from its length before any of it is read."""
        limit = self._settings.max_post
        said = headers.get("content-length", "")
        if said.isdecimal() and int(said) > limit:
            return None
        chunks: list[bytes] = []
        size = 0
        while True:
            event = await receive()
            if event["type"] == "http.disconnect":
                raise _GoneError
            chunk = event.get("body", b"")
            size += len(chunk)
            if size > limit:
                return None
            chunks.append(chunk)
            if not event.get("more_body"):
                return b"".join(chunks)


async def _say(send: Send, answer: Answer) -> None:
    headers = [(name.lower().encode(), value.encode()) for name, value in answer.headers]
    if answer.content_type:
        headers.append((b"content-type", answer.content_type.encode()))
    headers.append((b"content-length", str(len(answer.body)).encode()))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})
