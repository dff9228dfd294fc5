"""Sessions: ask, accept, talk, close."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter, Response
from pydantic import Field

from opencpm.access.web import views
from opencpm.access.web.api.body import Body
from opencpm.access.web.api.caller import Caller, TheHouse
from opencpm.access.web.api.messages import MESSAGE_ID, commit
from opencpm.access.web.api.read import address
from opencpm.access.web.house import House
from opencpm.access.web.leg import WebLeg
from opencpm.access.web.problems import Problem, malformed, not_found, of_send_error
from opencpm.domain.message import Disposition, Message, MessageKind, message_ident, text_part
from opencpm.domain.session import Composing, SessionOffer, SessionState

router = APIRouter(tags=["sessions"])


class SessionIn(Body):
    to: str = Field(max_length=512)
    route: str = Field("", max_length=64, description='The network to use; empty: "automatic".')
    subject: str = Field("", max_length=255, pattern=r"^[^\r\n\x00]*$")
    wait: float = Field(0, ge=0, le=90, allow_inf_nan=False, description="Seconds to wait for the answer.")


class TextIn(Body):
    text: str = Field(min_length=1)
    message_id: str | None = Field(None, pattern=MESSAGE_ID)


class ComposingIn(Body):
    active: bool


@router.post("/sessions", status_code=202, summary="Ask somebody for a session")
async def invite(body: SessionIn, caller: Caller, within: TheHouse, response: Response) -> dict[str, Any]:
    """202 at once, and events of type `session` tell the rest; or, with `wait`, 201 when answered, or the refusal."""
    target = address(body.to)
    if body.route and body.route not in within.messaging.connectors:
        raise Problem(422, "unknown-network", f"There is no network {body.route!r}.")
    offer = SessionOffer(
        id=within.ids.new(),
        initiator=caller.addresses[0],
        target=target,
        origin=within.connector.name,
        at=within.clock.now(),
        subject=body.subject,
        route=body.route,
    )
    peer = within.people.contact(caller.id, target).id
    leg = within.connector.sessions.invite(within.messaging, offer, caller, peer)
    if body.wait and leg.inviting is not None:
        await asyncio.wait([leg.inviting], timeout=body.wait)
    if leg.error is not None:
        raise of_send_error(leg.error, session=leg.id)
    if leg.state is SessionState.ESTABLISHED:
        response.status_code = 201
    return _shown(leg, within)


@router.get("/sessions", summary="Sessions that stand, or are being set up")
async def sessions(caller: Caller, within: TheHouse) -> list[dict[str, Any]]:
    """`mine` is true for those in which a web page of yours takes part; the others are of your other devices."""
    legs = [_shown(leg, within) for leg in within.connector.sessions.of(caller.id) if leg.live]
    known = {shown["session"] for shown in legs}
    others = [
        {**views.session(record, caller.id), "mine": False}
        for record in within.messaging.store.open_sessions()
        if record.id not in known and any(t.partition("|")[0] == caller.id for t in record.owner_threads)
    ]
    return legs + others


@router.get("/sessions/{session_id}", summary="One session")
async def session(session_id: str, caller: Caller, within: TheHouse) -> dict[str, Any]:
    return _shown(_leg(within, caller.id, session_id), within)


@router.get("/sessions/{session_id}/trail", summary="What happened to it and why")
async def trail(session_id: str, caller: Caller, within: TheHouse) -> dict[str, Any]:
    leg = within.connector.sessions.get(caller.id, session_id)
    record = None if leg else _recorded(within, caller.id, session_id)
    if leg is None and record is None:
        raise not_found("session")
    shown = _shown(leg, within) if leg else record
    return {"session": shown, "trail": [views.trail_entry(e) for e in within.messaging.store.trail(session_id)]}


@router.post("/sessions/{session_id}/accept", summary="Accept an invitation")
async def accept(session_id: str, caller: Caller, within: TheHouse) -> dict[str, Any]:
    leg = _leg(within, caller.id, session_id)
    within.connector.sessions.decide(leg, True)
    return _shown(leg, within)


@router.post("/sessions/{session_id}/decline", summary="Decline an invitation")
async def decline(session_id: str, caller: Caller, within: TheHouse) -> dict[str, Any]:
    leg = _leg(within, caller.id, session_id)
    within.connector.sessions.decide(leg, False)
    return _shown(leg, within)


@router.post("/sessions/{session_id}/messages", status_code=202, summary="Say something in a session")
async def say(session_id: str, body: TextIn, caller: Caller, within: TheHouse) -> dict[str, Any]:
    """Answered after it is durably stored, like every message."""
    leg = _leg(within, caller.id, session_id)
    if leg.state is not SessionState.ESTABLISHED or leg.events is None:
        raise Problem(409, "session-state", "The session does not stand. Send a message instead.")
    if not body.text.strip():
        raise malformed("The text is empty.")
    message_id = body.message_id or within.ids.new()
    now = within.clock.now()
    message = Message(
        id=message_ident(leg.mine, message_id),
        message_id=message_id,
        sender=leg.mine,
        recipients=(leg.far,),
        parts=(text_part(body.text),),
        sent_at=now,
        received_at=now,
        origin=within.connector.name,
        wants=Disposition.POSITIVE_DELIVERY | Disposition.NEGATIVE_DELIVERY,
        kind=MessageKind.CHAT,
        session_id=leg.id,
    )
    await commit(leg.events, message)
    stored = within.messaging.store.message(message.id) or message
    return views.whole(within.messaging.store, stored, within.messaging.store.deliveries_of(message.id), caller.id)


@router.post("/sessions/{session_id}/composing", status_code=204, summary="I am typing")
async def composing(session_id: str, body: ComposingIn, caller: Caller, within: TheHouse) -> Response:
    leg = _leg(within, caller.id, session_id)
    if leg.events is not None and leg.live:
        leg.events.composing(Composing(body.active))
    return Response(status_code=204)


@router.delete("/sessions/{session_id}", status_code=202, summary="Close it, or take the invitation back")
async def close(session_id: str, caller: Caller, within: TheHouse) -> dict[str, Any]:
    """How the other network answers comes as an event and in the session's trail."""
    leg = _leg(within, caller.id, session_id)
    within.connector.sessions.close(leg)
    return _shown(leg, within)


def _leg(within: House, owner: str, session_id: str) -> WebLeg:
    leg = within.connector.sessions.get(owner, session_id)
    if leg is None:
        raise not_found("session")
    return leg


def _shown(leg: WebLeg, within: House) -> dict[str, Any]:
    """A leg, with what messaging recorded of its session (the network, the times)."""
    records = within.messaging.store.sessions(leg.owner, leg.peer)
    record = next((r for r in records if r.id == leg.id), None)
    recorded = views.session(record, leg.owner) if record else {}
    return {**recorded, **leg.view()}


def _recorded(within: House, owner: str, session_id: str) -> dict[str, Any] | None:
    """From the history; also one in which nothing has been said, with somebody to whom nothing was ever written."""
    store = within.messaging.store
    standing = next((record for record in store.open_sessions() if record.id == session_id), None)
    if standing is not None:
        mine = any(thread.startswith(f"{owner}|") for thread in standing.owner_threads)
        return views.session(standing, owner) if mine else None
    peers = dict.fromkeys(thread.peer for thread in store.threads(owner, 500))
    peers.update(dict.fromkeys(contact.id for contact in within.people.contacts(owner)))
    for peer in peers:
        for record in store.sessions(owner, peer, 100):
            if record.id == session_id:
                return views.session(record, owner)
    return None
