"""Conversations: one per person, whatever the network."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from opencpm.access.web import views
from opencpm.access.web.api.body import Body
from opencpm.access.web.api.caller import Caller, TheHouse
from opencpm.access.web.api.read import address, person
from opencpm.domain.session import Composing

router = APIRouter(tags=["conversations"])


class Typing(Body):
    to: str
    active: bool


@router.get("/conversations", summary="Whom I talk with, latest first")
async def conversations(
    caller: Caller, within: TheHouse, limit: Annotated[int, Query(ge=1, le=500)] = 100
) -> list[dict[str, Any]]:
    return [
        {
            "peer": views.contact(person(within, caller.id, thread.peer)),
            "last_at": views.time(thread.last_at),
            "last": views.in_history(within.messaging.store, thread.last, thread.sent),
        }
        for thread in within.messaging.store.threads(caller.id, limit)
    ]


@router.get("/conversations/{peer:path}/messages", summary="A page of a conversation, oldest first")
async def messages(
    peer: str,
    caller: Caller,
    within: TheHouse,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    before: Annotated[float | None, Query(allow_inf_nan=False, description="The `next` of the page before.")] = None,
) -> dict[str, Any]:
    """`next` is null on the last page. `sessions` are the conversation's latest sessions, newest first."""
    who = person(within, caller.id, peer)
    rows = within.messaging.store.history(caller.id, who.id, limit, before)
    return {
        "peer": views.contact(who),
        "messages": [views.in_history(within.messaging.store, record, sent) for record, sent in rows],
        "next": repr(rows[0][0].created_at) if len(rows) == limit else None,
        "sessions": [views.session(s, caller.id) for s in within.messaging.store.sessions(caller.id, who.id)],
    }


@router.post("/composing", status_code=204, summary="I am typing, outside a session")
async def composing(body: Typing, caller: Caller, within: TheHouse) -> Response:
    within.messaging.composing(caller.addresses[0], address(body.to), Composing(body.active))
    return Response(status_code=204)
