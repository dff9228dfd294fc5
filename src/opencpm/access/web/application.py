"""The ASGI application: routers, error answers, guards."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp

from opencpm.access.web import content_server, page, shown
from opencpm.access.web.api import (
    accounts,
    caller,
    conversations,
    events,
    files,
    groups,
    me,
    messages,
    operation,
    presence,
    sessions,
)
from opencpm.access.web.house import House
from opencpm.access.web.middleware import BodyLimit, SecurityHeaders
from opencpm.access.web.problems import ANSWER, DETAILS, Problem

_ABOUT = (
    "Send and receive messages, follow what became of them, talk in sessions. "
    "Authenticate with Authorization: Bearer and a token from POST /api/v1/login or from the operator."
)
_ENVELOPE = 65536  # bytes that a request may have beside its base64 content


class _Api(FastAPI):
    """Its description has the form of error answers too, which no model of ours is."""

    def openapi(self) -> dict[str, Any]:
        found = super().openapi()
        found["components"]["schemas"].setdefault("Problem", dict(DETAILS))
        return found


def application(house: House, allowed_origins: Sequence[str] = ()) -> ASGIApp:
    """The whole web server; ``allowed_origins``: whose pages may call the API (none by default)."""
    app = _Api(
        title="OpenCPM",
        version="1",
        description=_ABOUT,
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        swagger_ui_oauth2_redirect_url=None,
    )
    app.state.house = house
    for module in (caller, me, accounts, presence, conversations, messages, files, sessions, groups, events, operation):
        app.include_router(module.router, prefix="/api/v1", responses={"default": dict(ANSWER)})
    if house.desk is not None:
        app.include_router(content_server.router(house.desk))
        app.include_router(shown.router(house.desk))
    app.include_router(page.router(app, lambda: house.demo))
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unexpected)
    return _guarded(app, house, allowed_origins)


def _guarded(app: FastAPI, house: House, allowed_origins: Sequence[str]) -> ASGIApp:
    limit = house.messaging.policy.limits.message_bytes * 4 // 3 + _ENVELOPE
    guarded: ASGIApp = BodyLimit(app, limit)
    if allowed_origins:
        guarded = CORSMiddleware(
            guarded,
            allow_origins=list(allowed_origins),
            allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
            allow_headers=["Authorization", "Content-Type", "Last-Event-ID"],
        )
    lab = str((house.demo or {}).get("lab", ""))
    return SecurityHeaders(guarded, lab if lab.startswith("http://") and not set(lab) & set(" ;,'\"\r\n") else "")


async def _problem(_: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return error.response()


async def _invalid(_: Request, error: Exception) -> Response:
    """Says where and what, never repeats the input: it may hold a body or a secret."""
    assert isinstance(error, RequestValidationError)
    found: list[dict[str, Any]] = [
        {"where": ".".join(str(step) for step in item["loc"])[:200], "what": str(item["msg"])[:300]}
        for item in error.errors()[:20]
    ]
    detail = "; ".join(f"{item['where']}: {item['what']}" for item in found[:3])
    detail = detail.encode("utf-8", "replace").decode()
    return Problem(422, "malformed", detail or "The request is malformed.", members={"errors": found}).response()


async def _http(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    reason = {404: "not-found", 405: "method-not-allowed", 400: "malformed"}.get(error.status_code, "http")
    return Problem(error.status_code, reason, str(error.detail), headers=error.headers).response()


async def _unexpected(_: Request, error: Exception) -> Response:
    """The traceback is logged by the server; the caller learns nothing of our insides."""
    return Problem(500, "internal", "Something went wrong inside the server; it has been logged.").response()
