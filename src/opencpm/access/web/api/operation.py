"""What people and operators ask about the server: routes, presence, health, figures."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field

from opencpm.access.web import views
from opencpm.access.web.api.body import Body
from opencpm.access.web.api.caller import Caller, TheHouse, is_local, operator
from opencpm.access.web.api.messages import PartIn
from opencpm.access.web.api.read import address
from opencpm.access.web.house import House
from opencpm.access.web.metrics import text as metrics_text
from opencpm.access.web.problems import malformed
from opencpm.domain.contact import Contact
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
    parts = tuple(p.part() for p in body.parts) if body.parts else None
    plan = within.messaging.explain(
        caller.id, address(body.to), body.text, route=body.route, session=body.session, parts=parts
    )
    return as_json(plan)


@router.get("/presence", summary="Who can be reached where")
async def presence(caller: Caller, within: TheHouse) -> dict[str, Any]:
    """`me`: your own devices. `contacts`: each address of each contact, as the networks tell it now."""
    connectors = list(within.messaging.connectors.values())
    own = {c.name: views.reach(c.reach(caller.id, caller.addresses[0])) for c in connectors if c.profile.access}
    accounts = {
        a.network: {"address": str(a.address), **views.health(within.messaging.connectors[a.network].health())}
        for a in caller.accounts
        if a.network in within.messaging.connectors
    }
    contacts = {c.id: _seen(within, caller.id, c, connectors) for c in within.people.contacts(caller.id)}
    return {"me": own, "accounts": accounts, "contacts": contacts}


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


@router.get("/metrics", summary="Figures for Prometheus (operators)", dependencies=[Depends(operator)])
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


def _seen(within: House, owner: str, contact: Contact, connectors: list[Connector]) -> list[dict[str, Any]]:
    seen = []
    for item in contact.addresses:
        subscriber = within.people.owner_of(item)
        for connector in connectors:
            profile = connector.profile
            if profile.access:
                if subscriber is None or subscriber.on(item.scheme) != item:
                    continue
                reach = connector.reach(subscriber.id, item)
            elif item.scheme in profile.schemes:
                reach = connector.reach(owner, item)
            else:
                continue
            seen.append({"address": str(item), "network": connector.name, **views.reach(reach)})
    return seen
