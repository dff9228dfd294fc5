"""Server-sent events: the hints of the bus with what they point to, and deliveries to acknowledge."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.responses import Response

from opencpm.access.web.api.body import Body
from opencpm.access.web.api.caller import Caller, TheHouse, bearer, caller, known
from opencpm.access.web.eventstream import EventStream
from opencpm.access.web.guard import Tickets
from opencpm.access.web.house import House

router = APIRouter(tags=["events"])


class EventStreamResponse(Response):
    """For the OpenAPI description: the media type of the stream."""

    media_type = "text/event-stream"


class Acknowledgement(Body):
    ids: list[str] = Field(min_length=1, max_length=1000, description="Ids of events with `ack` true.")


@router.post("/events/ticket", status_code=201, summary="A one-time key for an EventSource")
async def ticket(caller: Caller, within: TheHouse) -> dict[str, Any]:
    """For clients that cannot send an Authorization header; good for one connection, for 30 seconds."""
    issued = within.ids.new() + within.ids.new()
    within.tickets.issue(issued, caller.id, within.clock.now())
    return {"ticket": issued, "expires_in": Tickets.LIFE}


@router.get(
    "/events",
    summary="The stream of events",
    response_class=EventStreamResponse,
    openapi_extra={"security": [{"token": []}, {}]},  # a ticket will do
)
async def events(
    request: Request, within: TheHouse, ticket: Annotated[str | None, Query(max_length=128)] = None
) -> Response:
    """`message`, `state`, `composing`, `session`, `presence`, `account`, `contacts`, `contact-request`, `group`,
    `trail`; `resync`: read everything again.

    Events with `ack` true are deliveries: they count as delivered when POST /events/ack names their ids, and come
    again otherwise. After a break, send Last-Event-ID.
    """
    if ticket is not None:
        owner = known(within, within.tickets.take(ticket, within.clock.now()))
        token = ""
    else:
        owner = await caller(request, within)
        token = bearer(request)
    last = request.headers.get("last-event-id", "")[:64]
    return EventStream(within.connector, owner.id, last, lambda: _welcome(within, owner.id, token))


@router.post("/events/ack", summary="The page has these events")
async def acknowledge(body: Acknowledgement, caller: Caller, within: TheHouse) -> dict[str, int]:
    return {"settled": within.connector.acknowledged(caller.id, body.ids)}


def _welcome(within: House, owner: str, token: str) -> bool:
    subscriber = within.people.subscriber(owner)
    if subscriber is None or subscriber.barred:
        return False
    return not token or within.people.user_of_token(token) == owner
