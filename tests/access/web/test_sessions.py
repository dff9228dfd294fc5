"""Sessions of a web page: outgoing and incoming, through real messaging."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from opencpm.access.web.sessions import ALONE
from opencpm.domain.errors import SendError
from opencpm.domain.session import CloseReason, SessionOffer

from .world import ALICE, BOB_MSN, FakeLeg, World, down, events, listening, world


async def opened(w: World) -> dict[str, Any]:
    answer = await w.client.post("/api/v1/sessions", json={"to": str(BOB_MSN), "wait": 30})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_a_session_is_asked_for_answered_talked_in_and_closed() -> None:
    async with listening() as w, events(w) as following:
        session = await opened(w)
        assert session["state"] == "established"
        assert session["network"] == "msn"
        path = f"/api/v1/sessions/{session['session']}"
        said = await w.client.post(f"{path}/messages", json={"text": "Will you come?"})
        assert said.status_code == 202
        leg = w.msn.legs[0]
        assert [d.message.text for d in leg.got] == ["Will you come?"]
        leg.say("I will")
        ident, event = await following(lambda e: e.get("ack") and e["type"] == "message")
        assert event["item"]["text"] == "I will"
        assert event["item"]["session"] == session["session"]
        assert (await w.client.post("/api/v1/events/ack", json={"ids": [ident]})).json() == {"settled": 1}
        assert (await w.client.post(f"{path}/composing", json={"active": True})).status_code == 204
        assert leg.typing == [False, True]
        closed = await w.client.delete(path)
        assert closed.status_code == 202
        await leg.closed.wait()
        await following(lambda e: e["type"] == "session" and e["state"] == "closed")
        trail = (
            await w.until(f"/sessions/{session['session']}/trail", lambda t: t["trail"][-1]["step"] == "feedback")
        )["trail"]
        assert any(e["step"] == "closed" and "OUT" in e["what"] for e in trail)
        assert await w.get("/sessions") == []


async def test_a_refused_session_is_a_problem_with_its_reason() -> None:
    async with world() as w:
        w.msn.refusal = down()
        answer = await w.client.post("/api/v1/sessions", json={"to": str(BOB_MSN), "wait": 30})
        assert answer.status_code == 409
        assert answer.json()["reason"] == "offline"
        assert answer.json()["detail"] == "Bob is not signed in to MSN."


async def test_an_invitation_can_be_taken_back() -> None:
    async with world() as w:
        w.msn.hold = asyncio.Event()
        session = (await w.client.post("/api/v1/sessions", json={"to": str(BOB_MSN)})).json()
        await w.until(f"/sessions/{session['session']}", lambda s: s["state"] == "ringing")
        await w.client.delete(f"/api/v1/sessions/{session['session']}")
        gone = await w.until(f"/sessions/{session['session']}", lambda s: s["state"] == "closed")
        assert gone["reason"] == "cancelled"
        assert not w.msn.legs


async def incoming(w: World) -> tuple[asyncio.Task[Any], FakeLeg]:
    offer = SessionOffer(id="from-bob", initiator=BOB_MSN, target=ALICE, origin="msn", at=w.clock.now())
    leg = FakeLeg(None, offer)  # type: ignore[arg-type]
    return asyncio.create_task(w.messaging.invited(offer, leg)), leg


async def test_an_invitation_is_shown_and_accepted() -> None:
    async with listening() as w, events(w) as following:
        await following(lambda e: e["type"] == "hello")
        asking, leg = await incoming(w)
        _, event = await following(lambda e: e["type"] == "session" and e.get("mine") and e["state"] == "ringing")
        assert (event["peer"], event["outgoing"]) == ("bob", False)
        assert (await w.client.post("/api/v1/sessions/from-bob/accept")).status_code == 200
        leg.events = await asking
        leg.say("hello Alice")
        _, event = await following(lambda e: e.get("ack") and e["type"] == "message")
        assert event["item"]["text"] == "hello Alice"
        answer = await w.client.post("/api/v1/sessions/from-bob/messages", json={"text": "hello Bob"})
        assert answer.status_code == 202
        assert [d.message.text for d in leg.got] == ["hello Bob"]
        leg.events.closed(CloseReason.LEFT)
        await following(lambda e: e["type"] == "session" and e.get("mine") and e["state"] == "closed")
        late = await w.client.post("/api/v1/sessions/from-bob/messages", json={"text": "too late"})
        assert (late.status_code, late.json()["reason"]) == (409, "session-state")


async def test_an_invitation_is_declined() -> None:
    async with listening() as w, events(w) as following:
        await following(lambda e: e["type"] == "hello")
        asking, _ = await incoming(w)
        await following(lambda e: e["type"] == "session" and e.get("mine"))
        await w.client.post("/api/v1/sessions/from-bob/decline")
        with pytest.raises(SendError) as refused:
            await asking
        assert refused.value.reason == "declined"
        again = await w.client.post("/api/v1/sessions/from-bob/accept")
        assert again.status_code == 409


async def test_without_a_page_nobody_is_asked() -> None:
    async with world() as w:
        asking, _ = await incoming(w)
        with pytest.raises(SendError):
            await asking


async def test_a_session_of_another_is_not_there() -> None:
    async with world() as w:
        session = await opened(w)
        desk = w.desk()
        path = f"/api/v1/sessions/{session['session']}"
        assert (await w.client.get(path, headers=desk)).status_code == 404
        assert (await w.client.get(f"{path}/trail", headers=desk)).status_code == 404
        assert (await w.client.delete(path, headers=desk)).status_code == 404
        assert (await w.get("/sessions"))[0]["session"] == session["session"]


async def test_accepted_and_closed_in_one_breath_is_closed() -> None:
    async with listening() as w, events(w) as following:
        await following(lambda e: e["type"] == "hello")
        asking, _ = await incoming(w)
        await following(lambda e: e["type"] == "session" and e.get("mine"))
        leg = w.connector.sessions.get("alice", "from-bob")
        assert leg is not None
        w.connector.sessions.decide(leg, True)
        w.connector.sessions.close(leg)
        with pytest.raises(SendError):
            await asking
        assert not leg.live


async def test_a_session_without_a_page_is_closed_after_a_while() -> None:
    async with listening() as w:
        async with events(w) as following:
            await following(lambda e: e["type"] == "hello")
            await opened(w)
        while w.connector.hubs.is_open("alice"):
            await asyncio.sleep(0.005)
        now = w.clock.now()
        w.connector.sessions.sweep(now, w.connector.hubs.is_open)
        assert not w.msn.legs[0].closed.is_set()
        w.connector.sessions.sweep(now + ALONE + 1, w.connector.hubs.is_open)
        await w.msn.legs[0].closed.wait()


async def test_a_stopping_server_closes_its_sessions() -> None:
    async with listening() as w:
        await opened(w)
        w.connector.stopping()
        await w.msn.legs[0].closed.wait()
