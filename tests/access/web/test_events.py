"""The stream of events: an open page is a device, and only what it acknowledges was delivered."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from opencpm.access.web import eventstream
from opencpm.access.web.handover import PATIENCE
from opencpm.domain.profile import Availability

from .world import ALICE, BOB_PHONE, DESK, events, listening


async def test_an_incoming_message_is_delivered_when_the_page_acknowledges_it() -> None:
    async with listening() as w, events(w) as following:
        await following(lambda e: e["type"] == "hello")
        message = w.sms.incoming("Bob here")
        ident, event = await following(lambda e: e["type"] == "message" and e.get("ack"))
        assert event["item"]["text"] == "Bob here"
        assert event["peer"] == "bob"
        assert (await w.get(f"/messages/{message.id}"))["deliveries"][0]["state"] == "sending"
        answer = await w.client.post("/api/v1/events/ack", json={"ids": [ident]})
        assert answer.json() == {"settled": 1}
        _, state = await following(lambda e: e["type"] == "state")
        assert state["state"] == "delivered"


async def test_without_a_page_the_message_waits_and_comes_when_one_opens() -> None:
    async with listening() as w:
        message = w.sms.incoming("first")
        await w.until("/conversations", lambda c: len(c) == 1)
        assert (await w.get(f"/messages/{message.id}"))["deliveries"][0]["state"] == "queued"
        async with events(w) as following:
            ident, event = await following(lambda e: e.get("ack"))
            assert event["message"] == message.id
            await w.client.post("/api/v1/events/ack", json={"ids": [ident]})
            await w.until(f"/messages/{message.id}", lambda m: m["deliveries"][0]["state"] == "delivered")


async def test_a_page_that_never_acknowledges_did_not_get_it() -> None:
    async with listening() as w, events(w) as following:
        message = w.sms.incoming("silence")
        await following(lambda e: e.get("ack"))
        w.clock.ahead += PATIENCE + 1

        def given_up(shown: dict[str, Any]) -> bool:
            delivery = shown["deliveries"][0]
            return delivery["state"] == "queued" or delivery["attempt"] > 1

        await w.until(f"/messages/{message.id}", given_up)
        states = [e["step"] for e in (await w.get(f"/messages/{message.id}/trail"))["trail"]]
        assert "delivered" not in states


async def test_a_page_that_comes_back_gets_what_it_missed_and_then_what_is_new() -> None:
    async with listening() as w:
        async with events(w) as following:
            seen, _ = await following(lambda e: e["type"] == "hello")
        w.sms.incoming("missed")
        async with events(w, last=seen) as following:
            _, event = await following(lambda e: e["type"] == "message")
            assert event["item"]["text"] == "missed"
        async with events(w, last="elsewhere.77") as following:
            assert (await following(lambda e: True))[1]["type"] == "resync"


async def test_an_open_page_makes_its_subscriber_available() -> None:
    async with listening() as w:
        assert w.connector.reach("alice", ALICE).availability is Availability.OFFLINE
        async with events(w) as following:
            await following(lambda e: e["type"] == "hello")
            assert w.connector.reach("alice", ALICE).availability is Availability.AVAILABLE
        while w.connector.hubs.is_open("alice"):
            await asyncio.sleep(0.005)


async def test_the_sender_sees_states_change_with_the_message_itself() -> None:
    async with listening() as w, events(w) as following:
        sent = (await w.client.post("/api/v1/messages", json={"to": [str(BOB_PHONE)], "text": "x"})).json()
        _, event = await following(lambda e: e["type"] == "state" and e["state"] == "accepted")
        assert event["item"]["id"] == sent["id"]
        assert event["item"]["deliveries"][0]["network"] == "sms"
        w.sms.receipt(w.sms.sent[0])
        await following(lambda e: e["type"] == "state" and e.get("state") == "delivered")
        ident, notice = await following(lambda e: e.get("notice", {}).get("status") == "delivered")
        assert notice["ack"]
        assert (await w.client.post("/api/v1/events/ack", json={"ids": [ident]})).json() == {"settled": 1}


async def test_an_event_source_opens_the_stream_with_a_ticket_once() -> None:
    async with listening() as w:
        ticket = (await w.client.post("/api/v1/events/ticket")).json()["ticket"]
        bare = {"Authorization": ""}
        async with w.client.stream("GET", f"/api/v1/events?ticket={ticket}", headers=bare) as answer:
            assert answer.status_code == 200
        assert (await w.client.get(f"/api/v1/events?ticket={ticket}", headers=bare)).status_code == 401
        assert (await w.client.get(f"/api/v1/events?ticket={w.token}", headers=bare)).status_code == 401


async def test_acknowledging_anothers_or_an_unknown_event_settles_nothing() -> None:
    async with listening() as w:
        for ident in ("", "x", "1", f"{w.connector.hubs.epoch}.99", f"{w.connector.hubs.epoch}.-1"):
            answer = await w.client.post("/api/v1/events/ack", json={"ids": [ident]})
            assert answer.json() == {"settled": 0}


async def test_stopping_the_server_ends_its_streams() -> None:
    async with listening() as w, events(w) as following:
        await following(lambda e: e["type"] == "hello")
        w.connector.hubs.end_all()
        with pytest.raises(AssertionError, match="ended"):
            await following(lambda e: False)


@pytest.mark.parametrize("how", ["token", "barred"])
async def test_a_stream_ends_when_its_owner_is_no_longer_welcome(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(eventstream, "HEARTBEAT", 0.02)
    async with listening() as w, events(w) as following:
        await following(lambda e: e["type"] == "hello")
        if how == "token":
            assert (await w.client.delete("/api/v1/login")).status_code == 204
        else:
            w.people.set_barred("alice", True)
        with pytest.raises(AssertionError, match="ended"):
            await following(lambda e: False)


async def test_two_subscribers_talk_page_to_page() -> None:
    async with listening() as w, events(w) as alices, events(w, headers=w.desk()) as desks:
        sent = (await w.client.post("/api/v1/messages", json={"to": [str(DESK)], "text": "hello"})).json()
        ident, event = await desks(lambda e: e["type"] == "message" and e.get("ack"))
        assert event["item"]["text"] == "hello"
        answer = await w.client.post("/api/v1/events/ack", json={"ids": [ident]}, headers=w.desk())
        assert answer.json() == {"settled": 1}
        await alices(lambda e: e["type"] == "state" and e["message"] == sent["id"] and e["state"] == "delivered")
        await w.client.post(f"/api/v1/messages/{sent['id']}/displayed", headers=w.desk())
        _, seen = await alices(lambda e: e["type"] == "state" and e.get("status") == "displayed")
        assert seen["item"]["deliveries"][0]["state"] == "displayed"
