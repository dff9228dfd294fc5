"""One HTTP resource that takes POST from known peers: what machine-to-machine protocols over HTTP need of a server."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, NamedTuple

from opencpm.protocols.sip.digest import Verdict
from opencpm.transport.http_digest import DigestGate

_BASIC = ("WWW-Authenticate", 'Basic realm="opencpm", charset="UTF-8"')

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
Proves = Callable[[str, "str | None", str], bool]
"""(user, password, peer): whether this is who they say, and may come in. User and password are "" where none were
given, and where a Digest was wrong; the password is None where a Digest has proved it."""

Wait = Callable[[str, str], float]
"""(user, peer): seconds until they may try again after too many wrong passwords; 0: now."""


class Resource:
    """An ASGI application: ``path`` takes POST of at most ``limit`` octets from those who prove who they are.

    Credentials (Basic, RFC 7617; with ``digest`` RFC 7616, and with ``basic`` False nothing else) are judged before the
    body is read. At most ``at_once`` requests are in hand; one more is told to come again (503).
    """

    def __init__(
        self,
        path: str,
        handle: Handle,
        proves: Proves,
        *,
        limit: int,
        at_once: int = 16,
        wait: Wait = lambda *_: 0.0,
        digest: DigestGate | None = None,
        basic: bool = True,
    ) -> None:
        self._path, self._handle, self._proves, self._wait = path, handle, proves, wait
        self._limit, self._at_once = limit, at_once
        self._digest, self._basic = digest, basic
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
        user = self._who(headers.get("authorization", ""), peer)
        if isinstance(user, Answer):
            return user
        if self._in_hand >= self._at_once:
            return Answer(503, headers=(("Retry-After", "5"),))
        self._in_hand += 1
        try:
            body = await self._body(headers, receive)
            return Answer(413) if body is None else await self._handle(Posted(headers, body, user, peer))
        finally:
            self._in_hand -= 1

    def _who(self, authorization: str, peer: str) -> str | Answer:
        """Who asks, or what they are told instead."""
        if self._digest is not None and not authorization.lower().startswith("basic "):
            return self._by_digest(self._digest, authorization, peer)
        user, password = credentials(authorization) if self._basic else ("", "")
        return self._locked_out(user, peer) or (user if self._proves(user, password, peer) else self._refused())

    def _by_digest(self, gate: DigestGate, authorization: str, peer: str) -> str | Answer:
        """Every first request of a peer comes without credentials: that is no attempt."""
        verdict, user = gate.judge(self._path, authorization)
        if locked_out := self._locked_out(user, peer):
            return locked_out
        if verdict is Verdict.ACCEPTED and self._proves(user, None, peer):
            return user
        if verdict is Verdict.WRONG:
            self._proves(user, "", peer)
        return self._refused(stale=verdict is Verdict.STALE)

    def _locked_out(self, user: str, peer: str) -> Answer | None:
        wait = self._wait(user, peer)
        return Answer(429, headers=(("Retry-After", str(int(wait) + 1)),)) if wait else None

    def _refused(self, *, stale: bool = False) -> Answer:
        challenges = self._digest.challenges(stale=stale) if self._digest is not None else ()
        return Answer(401, headers=(*challenges, *((_BASIC,) if self._basic else ())))

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
