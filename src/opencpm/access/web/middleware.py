"""Around every request: a bound on its body, and headers that keep browsers to what we mean."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from opencpm.access.web.problems import Problem


class BodyLimit:
    """Refuses bodies of more than ``limit`` bytes with 413 (RFC 9110 §15.5.14), also where no length was announced."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if _announced(scope) > self._limit:
            await self._refusal().response()(scope, receive, send)
            return
        taken = 0
        refused = False

        async def bounded() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > self._limit:
                raise self._refusal()
            return message

        async def answer(message: Message) -> None:
            """Whatever the application makes of the broken-off body, the answer is 413."""
            nonlocal refused
            if refused:
                return
            if taken > self._limit and message["type"] == "http.response.start":
                refused = True
                await self._refusal().response()(scope, receive, send)
                return
            await send(message)

        await self._app(scope, bounded, answer)

    def _refusal(self) -> Problem:
        return Problem(413, "too-large", f"A request may have {self._limit} bytes at most.")


class SecurityHeaders:
    """Content from ourselves only; ``connect`` names further origins the page may talk to (the demo's lab)."""

    def __init__(self, app: ASGIApp, connect: str = "") -> None:
        self._app = app
        allowed = f"'self' {connect}".strip()
        policy = (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; media-src blob:; "
            f"connect-src {allowed}; "
            "manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )
        self._headers = {
            "Content-Security-Policy": policy,
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await self._app(scope, receive, with_headers)


def _announced(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() and len(value) < 19 else 0
    return 0
