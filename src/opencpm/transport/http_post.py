"""One HTTP resource that takes POST from known peers: what machine-to-machine protocols over HTTP need of a server."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, NamedTuple

_REALM = b'Basic realm="opencpm", charset="UTF-8"'

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Posted(NamedTuple):
    """A request as it came. ``user`` is whom :class:`Resource`'s ``proves`` knows; "" where nobody is asked."""

    headers: Mapping[str, str]  # names in lower case
    body: bytes
    user: str
    peer: str

    @property
    def content_type(self) -> str:
        return self.headers.get("content-type", "")


class Answer(NamedTuple):
    status: int
    content_type: str = ""
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


class _GoneError(Exception):
    """The peer went away amid its request."""


Handle = Callable[[Posted], Awaitable[Answer]]
Proves = Callable[[str, str, str], bool]
"""(user, password, peer): whether this is who they say; user and password are "" where none were given."""

Wait = Callable[[str, str], float]
"""(user, peer): seconds until they may try again after too many wrong passwords; 0: now."""


class Resource:
    """An ASGI application: ``path`` takes POST of at most ``limit`` octets from those who prove who they are.

    Credentials (Basic, RFC 7617) are judged before the body is read. At most ``at_once`` requests are in hand; one more
    is told to come again (503).
    """

    def __init__(
        self, path: str, handle: Handle, proves: Proves, *, limit: int, at_once: int = 16, wait: Wait = lambda *_: 0.0
    ) -> None:
        self._path, self._handle, self._proves, self._wait = path, handle, proves, wait
        self._limit, self._at_once = limit, at_once
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
        if scope["path"] != self._path:
            return Answer(404)
        if scope["method"] != "POST":
            return Answer(405, headers=(("Allow", "POST"),))
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        peer = scope["client"][0] if scope.get("client") else ""
        user, password = credentials(headers.get("authorization", ""))
        if wait := self._wait(user, peer):
            return Answer(429, headers=(("Retry-After", str(int(wait) + 1)),))
        if not self._proves(user, password, peer):
            return Answer(401, headers=(("WWW-Authenticate", _REALM.decode()),))
        if self._in_hand >= self._at_once:
            return Answer(503, headers=(("Retry-After", "5"),))
        self._in_hand += 1
        try:
            body = await self._body(headers, receive)
            return Answer(413) if body is None else await self._handle(Posted(headers, body, user, peer))
        finally:
            self._in_hand -= 1

    async def _body(self, headers: Mapping[str, str], receive: Receive) -> bytes | None:
        """The body; None where it is over the limit, which is told from its length before any of it is read."""
        said = headers.get("content-length", "")
        if said.isdecimal() and int(said) > self._limit:
            return None
        chunks: list[bytes] = []
        size = 0
        while True:
            event = await receive()
            if event["type"] == "http.disconnect":
                raise _GoneError
            chunk = event.get("body", b"")
            size += len(chunk)
            if size > self._limit:
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


def credentials(authorization: str) -> tuple[str, str]:
    """User and password of Basic authentication; two empty strings for anything else."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        user, colon, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return "", ""
    return (user, password) if colon else ("", "")
