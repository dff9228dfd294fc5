"""What people and operators ask about the server: routes, health, figures."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import PlainTextResponse
from pydantic import Field

from opencpm.access.web import views
from opencpm.access.web.api.body import Body
from opencpm.access.web.api.caller import Caller, TheHouse, is_local, operator
from opencpm.access.web.api.messages import PartIn
from opencpm.access.web.api.read import address
from opencpm.access.web.metrics import text as metrics_text
from opencpm.access.web.problems import malformed
from opencpm.domain.profile import HealthState
from opencpm.interfaces import Connector
from opencpm.selection.explain import as_json

router = APIRouter(tags=["operation"])


class Question(Body):
    to: str = Field(max_length=512)
    text: str = "Hello"
    parts: list[PartIn] | None = Field(None, min_length=1, max_length=32)
    route: str = Field("", max_length=64)
    session: bool = False


@router.post("/routes/explain", summary="What would become of it now, and why; nothing is sent")
async def explain(body: Question, caller: Caller, within: TheHouse) -> dict[str, Any]:
    if not body.text and not body.parts:
        raise malformed("The text is empty.")
    parts = tuple(p.part(within, caller.id, taken=False) for p in body.parts) if body.parts else None
    plan = within.messaging.explain(
        caller.id, address(body.to), body.text, route=body.route, session=body.session, parts=parts
    )
    return as_json(plan)


@router.get("/status", summary="The health of the networks")
async def status(request: Request, caller: Caller, within: TheHouse) -> dict[str, Any]:
    """Operators, and requests from the server's own machine, also see counts and each connector's own facts."""
    full = is_local(request) or caller.id in within.operators
    connectors = [_connector(c, full) for c in within.messaging.connectors.values()]
    foreign = [c.health().state for c in within.messaging.connectors.values() if not c.profile.access]
    shown: dict[str, Any] = {
        "ok": all(state is not HealthState.DOWN for state in foreign),
        "now": views.time(within.clock.now()),
        "connectors": connectors,
    }
    if full:
        shown["counts"] = dict(within.messaging.store.counts())
    return shown


@router.get(
    "/metrics",
    summary="Figures for Prometheus (operators)",
    dependencies=[Depends(operator)],
    response_class=PlainTextResponse,
)
async def metrics(within: TheHouse) -> Response:
    return Response(metrics_text(within), media_type="text/plain; version=0.0.4; charset=utf-8")


def _connector(connector: Connector, full: bool) -> dict[str, Any]:
    profile = connector.profile
    shown = {
        "name": connector.name,
        "label": profile.label,
        "kind": profile.kind,
        "access": profile.access,
        "sessions": profile.sessions,
        **views.health(connector.health()),
    }
    if full:
        shown["facts"] = connector.describe()
    else:
        shown.pop("detail")
    return shown
