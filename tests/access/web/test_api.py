"""The rest of the API: who I am, contacts, conversations, questions, figures, and the door."""

from __future__ import annotations

import pytest

from .world import ALICE, BOB_PHONE, PASSWORD, World, world


async def test_every_operation_but_login_needs_a_token() -> None:
    async with world() as w:
        paths = (await w.client.get("/api/openapi.json")).json()["paths"]
        for path, item in paths.items():
            for method in set(item) - {"parameters"}:
                if (path, method) in (("/api/v1/login", "post"), ("/api/v1/metrics", "get")):
                    continue
                if path.startswith("/api/v1/operation/"):
                    continue  # for operators, and for this machine without a token
                for header in ("", "Bearer", "Bearer wrong", "Basic YTpi"):
                    url = path.replace("{", "").replace("}", "")
                    body = {"json": {}} if method in ("post", "put", "patch") else {}
                    answer = await w.client.request(method, url, headers={"Authorization": header}, **body)
                    assert answer.status_code == 401, (method, path, header, answer.text)
                    assert answer.json()["reason"] == "token"
                    assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_login_gives_a_token_until_one_signs_out() -> None:
    async with world() as w:
        answer = await w.client.post("/api/v1/login", json={"user": "alice", "password": PASSWORD})
        assert answer.status_code == 201
        headers = {"Authorization": f"Bearer {answer.json()['token']}"}
        assert (await w.client.get("/api/v1/me", headers=headers)).json()["id"] == "alice"
        assert (await w.client.delete("/api/v1/login", headers=headers)).status_code == 204
        assert (await w.client.get("/api/v1/me", headers=headers)).status_code == 401


async def test_after_five_wrong_passwords_even_the_right_one_must_wait() -> None:
    async with world() as w:

        async def attempt(password: str) -> int:
            answer = await w.client.post("/api/v1/login", json={"user": "alice", "password": password})
            return answer.status_code

        assert [await attempt("wrong") for _ in range(5)] == [401] * 5
        assert await attempt(PASSWORD) == 429
        w.clock.ahead += 61
        assert await attempt(PASSWORD) == 201


async def test_a_barred_subscriber_stays_outside() -> None:
    async with world() as w:
        w.people.set_barred("alice", True)
        assert (await w.client.get("/api/v1/me")).status_code == 403


async def test_me_and_preferences() -> None:
    async with world() as w:
        me = await w.get("/me")
        assert me["addresses"][0] == str(ALICE)
        assert [n["name"] for n in me["networks"]] == ["sms", "msn"]
        changed = await w.client.patch("/api/v1/me/preferences", json={"networks": ["msn"], "max_segments": 2})
        assert changed.json()["networks"] == ["msn"]
        assert changed.json()["session_feedback"] == "all"
        sent = (await w.client.post("/api/v1/messages", json={"to": [str(BOB_PHONE)], "text": "x"})).json()
        assert sent["deliveries"][0]["network"] == "msn"
        wrong = await w.client.patch("/api/v1/me/preferences", json={"networks": ["fax"]})
        assert (wrong.status_code, wrong.json()["reason"]) == (422, "unknown-network")
        assert (await w.client.patch("/api/v1/me/preferences", json={"status": "asleep"})).status_code == 422


async def test_contacts_are_added_changed_and_removed() -> None:
    async with world() as w:
        body = {"name": "Bob at home", "addresses": ["+442079460000"]}
        added = (await w.client.post("/api/v1/contacts", json=body)).json()
        path = f"/api/v1/contacts/{added['id']}"
        changed = await w.client.put(path, json={**body, "addresses": ["+442079460001"], "networks": ["sms"]})
        assert changed.json()["addresses"] == ["tel:+442079460001"]
        contact = next(c for c in await w.get("/contacts") if c["id"] == added["id"])
        assert contact["networks"] == ["sms"]
        taken = await w.client.put(path, json={**body, "addresses": [str(BOB_PHONE)]})
        assert (taken.status_code, taken.json()["reason"]) == (409, "conflict")
        again = await w.client.post("/api/v1/contacts", json={"name": "Robert", "addresses": [str(BOB_PHONE)]})
        assert again.status_code == 409
        assert (await w.client.delete(path)).status_code == 204
        assert (await w.client.delete(path)).status_code == 404
        assert (await w.client.delete("/api/v1/contacts/bob", headers=w.desk())).status_code == 404


async def said(w: World, count: int) -> None:
    for number in range(count):
        w.sms.incoming(f"number {number}")
        await w.until("/conversations", lambda c, n=number: c and c[0]["last"]["text"] == f"number {n}")


async def test_a_conversation_is_read_page_by_page() -> None:
    async with world() as w:
        await said(w, 5)
        first = await w.get("/conversations/bob/messages", limit=2)
        assert [m["text"] for m in first["messages"]] == ["number 3", "number 4"]
        second = await w.get("/conversations/bob/messages", limit=2, before=first["next"])
        assert [m["text"] for m in second["messages"]] == ["number 1", "number 2"]
        third = await w.get("/conversations/bob/messages", limit=2, before=second["next"])
        assert [m["text"] for m in third["messages"]] == ["number 0"]
        assert third["next"] is None


async def test_a_stranger_has_a_conversation_under_their_address() -> None:
    async with world() as w:
        sent = (await w.client.post("/api/v1/messages", json={"to": ["+442079460000"], "text": "x"})).json()
        assert sent["peer"] == "tel:+442079460000"
        page = await w.get("/conversations/tel%3A%2B442079460000/messages")
        assert [m["id"] for m in page["messages"]] == [sent["id"]]
        assert (await w.client.get("/api/v1/conversations/no one/messages")).status_code == 404


async def test_explain_is_the_decision_and_sends_nothing() -> None:
    async with world() as w:
        body = {"to": str(BOB_PHONE), "text": "x"}
        plan = (await w.client.post("/api/v1/routes/explain", json=body)).json()
        assert (plan["action"], plan["chosen"]["network"]) == ("send", "sms")
        session = (await w.client.post("/api/v1/routes/explain", json={**body, "session": True})).json()
        assert session["chosen"]["network"] == "msn"
        assert not w.sms.sent
        assert await w.get("/conversations") == []


async def test_presence_tells_what_the_networks_know() -> None:
    async with world() as w:
        presence = await w.get("/presence")
        assert presence["me"]["web"]["availability"] == "offline"
        seen = {entry["network"]: entry["availability"] for entry in presence["contacts"]["bob"]}
        assert seen == {"sms": "unknown", "msn": "available"}
        assert presence["accounts"]["msn"]["address"] == "msn:alice@msn.test"


async def test_only_operators_see_the_servers_insides() -> None:
    async with world() as w:
        status = await w.get("/status")  # the test client comes from 127.0.0.1
        assert next(c for c in status["connectors"] if c["name"] == "sms")["facts"] == {"links": 1}
        assert "opencpm_connector_up" in (await w.client.get("/api/v1/metrics")).text
        through_proxy = {"X-Forwarded-For": "203.0.113.7"}
        outside = (await w.client.get("/api/v1/status", headers=through_proxy)).json()
        assert "facts" not in outside["connectors"][0]
        assert "counts" not in outside
        assert (await w.client.get("/api/v1/metrics", headers=through_proxy)).status_code == 403
    async with world(operators=frozenset({"alice"})) as w:
        assert (await w.client.get("/api/v1/metrics", headers=through_proxy)).status_code == 200


async def test_a_refused_message_leaves_a_trail_for_its_sender() -> None:
    async with world() as w:
        answer = await w.client.post("/api/v1/messages", json={"to": ["sip:nobody@cpm.test"], "text": "x"})
        ident = answer.json()["message"]
        trail = (await w.get(f"/messages/{ident}/trail"))["trail"]
        assert trail[-1]["step"] == "refused"
        assert (await w.client.get(f"/api/v1/messages/{ident}/trail", headers=w.desk())).status_code == 404


@pytest.mark.parametrize("to", ["msn:bob@msn.test", str(BOB_PHONE)])
async def test_typing_outside_a_session_is_taken_and_not_stored(to: str) -> None:
    async with world() as w:
        assert (await w.client.post("/api/v1/composing", json={"to": to, "active": True})).status_code == 204
        assert await w.get("/conversations") == []
