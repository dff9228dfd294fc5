"""POST /messages and what can be asked about it."""

from __future__ import annotations

import base64
import json

import pytest

from opencpm.domain.profile import HealthState

from .world import BOB_PHONE, world


async def test_a_message_is_stored_sent_and_followed_to_its_receipt() -> None:
    async with world() as w:
        answer = await w.client.post("/api/v1/messages", json={"to": ["+1 202-555-0101"], "text": "Where are you?"})
        assert answer.status_code == 202, answer.text
        message = answer.json()
        assert message["to"] == ["tel:+12025550101"]
        assert message["peer"] == "bob"
        path = f"/messages/{message['id']}"
        accepted = await w.until(path, lambda m: m["deliveries"][0]["state"] == "accepted")
        assert accepted["deliveries"][0]["network"] == "sms"
        assert w.sms.sent[0].message.text == "Where are you?"
        w.sms.receipt(w.sms.sent[0])
        await w.until(path, lambda m: m["deliveries"][0]["state"] == "delivered")
        steps = [e["step"] for e in (await w.get(f"{path}/trail"))["trail"]]
        assert [s for s in steps if s in ("received", "selected", "accepted", "delivered")] == [
            "received",
            "selected",
            "accepted",
            "delivered",
        ]


async def test_the_trail_holds_the_plan_with_its_candidates() -> None:
    async with world() as w:
        sent = (await w.client.post("/api/v1/messages", json={"to": [str(BOB_PHONE)], "text": "x"})).json()
        trail = (await w.get(f"/messages/{sent['id']}/trail"))["trail"]
        plan = next(e["data"] for e in trail if e["step"] == "selected")
        assert plan["chosen"]["network"] == "sms"
        assert {c["network"] for c in plan["candidates"]} == {"sms", "msn"}


async def test_a_repeated_message_id_is_stored_and_sent_once() -> None:
    async with world() as w:
        body = {"to": [str(BOB_PHONE)], "text": "once", "message_id": "m-1"}
        first = (await w.client.post("/api/v1/messages", json=body)).json()
        again = (await w.client.post("/api/v1/messages", json=body)).json()
        assert first["id"] == again["id"]
        await w.until(f"/messages/{first['id']}", lambda m: m["deliveries"][0]["state"] == "accepted")
        assert len(w.sms.sent) == 1
        assert (await w.get("/messages/m-1"))["id"] == first["id"]


async def test_parts_in_base64_come_back_as_they_were() -> None:
    async with world() as w:
        picture = bytes(range(256))
        parts = [
            {"text": "look"},
            {"content_type": "image/png", "body": base64.b64encode(picture).decode(), "name": "a.png"},
        ]
        sent = (await w.client.post("/api/v1/messages", json={"to": ["msn:bob@msn.test"], "parts": parts})).json()
        shown = sent["parts"][1]
        assert shown["size"] == 256
        answer = await w.client.get(shown["href"])
        assert answer.content == picture
        assert answer.headers["content-type"] == "image/png"
        assert "sandbox" in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        ({"to": ["+12025550101"]}, 400, "malformed"),
        ({"to": ["+12025550101"], "text": ""}, 400, "malformed"),
        ({"to": [], "text": "x"}, 422, "malformed"),
        ({"to": ["not a number"], "text": "x"}, 400, "malformed"),
        ({"to": ["+12025550101"], "text": "x", "colour": "red"}, 422, "malformed"),
        ({"to": ["+12025550101"], "text": "x", "route": "fax"}, 422, "unknown-network"),
        ({"to": ["+12025550101"], "text": "x", "message_id": "with space"}, 422, "malformed"),
        ({"to": ["+12025550101"], "text": "\ud800"}, 422, "malformed"),
        ({"to": ["sip:nobody@cpm.test"], "text": "x"}, 404, "unknown-address"),
        ({"to": ["+12025550101"], "text": "x" * 20_001}, 413, "too-large"),
        ({"to": ["+12025550101"], "text": "x", "expires_in": -1}, 422, "malformed"),
    ],
)
async def test_what_cannot_be_sent_is_a_problem_with_its_reason(body: dict, status: int, reason: str) -> None:
    async with world() as w:
        answer = await w.client.post(
            "/api/v1/messages", content=json.dumps(body), headers={"Content-Type": "application/json"}
        )
        assert (answer.status_code, answer.json()["reason"]) == (status, reason), answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        assert not w.sms.sent


async def test_a_network_that_is_down_makes_the_message_wait_and_says_so() -> None:
    async with world() as w:
        w.sms.state = HealthState.DOWN
        sent = (await w.client.post("/api/v1/messages", json={"to": ["+442079460000"], "text": "x"})).json()
        delivery = sent["deliveries"][0]
        assert delivery["state"] == "queued"
        assert delivery["waits_for"] == "network:sms"
        w.sms.state = HealthState.UP
        w.messaging.health_changed("sms", w.sms.health())
        await w.until(f"/messages/{sent['id']}", lambda m: m["deliveries"][0]["state"] == "accepted")


async def test_nobody_sees_a_message_of_others() -> None:
    async with world() as w:
        sent = (await w.client.post("/api/v1/messages", json={"to": [str(BOB_PHONE)], "text": "secret"})).json()
        for path in ("", "/trail", "/parts/0"):
            answer = await w.client.get(f"/api/v1/messages/{sent['id']}{path}", headers=w.desk())
            assert answer.status_code == 404


async def test_displayed_is_reported_for_what_was_received_only() -> None:
    async with world() as w:
        message = w.sms.incoming("are you there?")
        await w.until("/conversations", lambda c: len(c) == 1)
        answer = await w.client.post(f"/api/v1/messages/{message.id}/displayed")
        assert answer.status_code == 204
        assert (await w.get(f"/messages/{message.id}"))["deliveries"][0]["state"] == "displayed"
        sent = (await w.client.post("/api/v1/messages", json={"to": [str(BOB_PHONE)], "text": "x"})).json()
        assert (await w.client.post(f"/api/v1/messages/{sent['id']}/displayed")).status_code == 409
