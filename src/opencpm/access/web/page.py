"""The page and what belongs to it: static files, the API's own documentation, the demo's address card."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from hashlib import blake2b
from importlib.resources import files
from importlib.resources.abc import Traversable
from ipaddress import ip_address
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from starlette.responses import HTMLResponse, Response

from opencpm.access.web.docs import render
from opencpm.access.web.problems import Problem, not_found

_TYPES = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
    "webmanifest": "application/manifest+json",
}


class File:
    """A static file in memory with its ETag (RFC 9110 §8.8.3)."""

    __slots__ = ("body", "etag", "media_type")

    def __init__(self, body: bytes, media_type: str) -> None:
        self.body = body
        self.media_type = media_type
        self.etag = f'"{blake2b(body, digest_size=8).hexdigest()}"'


@lru_cache(maxsize=1)
def static_files() -> Mapping[str, File]:
    """Every file of the page by its path: only what is in here can be asked for."""
    return {
        name: File(item.read_bytes(), _TYPES[name.rpartition(".")[2]])
        for name, item in _walk(files("opencpm.access.web") / "static", "")
        if name.rpartition(".")[2] in _TYPES
    }


def _walk(folder: Traversable, prefix: str) -> list[tuple[str, Traversable]]:
    found: list[tuple[str, Traversable]] = []
    for item in folder.iterdir():
        name = prefix + item.name
        found += _walk(item, f"{name}/") if item.is_dir() else [(name, item)]
    return found


def router(app: FastAPI, demo: Callable[[], Mapping[str, Any] | None]) -> APIRouter:
    """``demo`` gives what /demo.json says, or None where this server is no demo."""
    pages = APIRouter(include_in_schema=False)

    @pages.get("/api/docs")
    async def docs() -> HTMLResponse:
        return HTMLResponse(render(app.openapi()))

    @pages.get("/demo.json")
    async def demo_card(request: Request) -> Response:
        """Holds a token, so it is for browsers on this machine only; the Host check stops DNS rebinding."""
        card = demo()
        if card is None or not _is_loopback(request.url.hostname or ""):
            raise not_found("demo")
        return Response(json.dumps(dict(card)), media_type="application/json")

    @pages.get("/{name:path}")
    async def static(name: str, request: Request) -> Response:
        if name.startswith("api/"):
            raise Problem(404, "not-found", "The API has no such address; see /api/docs.")
        file = static_files().get(name or "index.html")
        if file is None:
            raise not_found("page")
        headers = {"ETag": file.etag, "Cache-Control": "no-cache"}
        if request.headers.get("if-none-match") == file.etag:
            return Response(status_code=304, headers=headers)
        return Response(file.body, 200, headers, file.media_type)

    return pages


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
