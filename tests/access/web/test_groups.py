import asyncio

from opencpm.domain.address import Address

from .world import World, events, listening, world

PHONE = "tel:+12025550177"


async def convened(w: World, *members: str, **more: object) -> dict:
    answer = await w.client.post("/api/v1/groups", json={"members": list(members), "subject": "Dinner", **more})
    assert answer.status_code == 201, answer.text
    return answer.json()


def states(group: dict) -> dict[str, str]:
    return {member["name"]: member["state"] for member in group["members"]}


async def test_a_group_by_the_api() -> None:
    async with world() as w:
        made = await convened(w, "sip:desk@cpm.test", PHONE)
        assert made["address"].startswith("sip:grp-")
        path = f"/groups/{made['id']}"
        shown = await w.until(path, lambda g: states(g)[PHONE[4:]] == "connected")
        assert [m["me"] for m in shown["members"]] == [True, False, False]
        assert shown["members"][2]["network"] == "sms"
        assert "invited" in [line["step"] for line in shown["trail"]]
        assert [g["id"] for g in await w.get("/groups")] == [made["id"]]
        said = await w.client.post(f"/api/v1{path}/messages", json={"text": "Who is coming?"})
        assert said.status_code == 202
        assert [d["recipient"] for d in said.json()["deliveries"]] == ["sip:desk@cpm.test", PHONE]
        while len(w.sms.sent) < 2:
            await w.get(path)
        assert w.sms.sent[1].message.text == "Who is coming?"
        (thread,) = [one for one in await w.get("/conversations") if one["peer"]["id"] == made["address"]]
        assert thread["last"]["text"] == "Who is coming?"
        assert thread["peer"]["name"] == "Dinner"


async def test_adding_removing_leaving() -> None:
    async with world() as w:
        made = await convened(w, "sip:desk@cpm.test")
        path = f"/api/v1/groups/{made['id']}"
        more = await w.client.post(f"{path}/members", json={"members": [PHONE]})
        assert PHONE in [m["address"] for m in more.json()["members"]]
        out = await w.client.delete(f"{path}/members/{PHONE}")
        assert states(out.json())[PHONE[4:]] == "booted"
        refused = await w.client.delete(f"{path}/members/sip:alice@cpm.test", headers=w.desk())
        assert (refused.status_code, refused.json()["reason"]) == (403, "barred")
        left = await w.client.delete(f"{path}/members/me")
        assert states(left.json())["Alice"] == "departed"
        assert (await w.client.get(path)).status_code == 404
        assert (await w.client.get(path, headers=w.desk())).json()["members"][1]["role"] == "chair"


async def test_another_subject() -> None:
    async with world() as w:
        made = await convened(w, "sip:desk@cpm.test")
        path = f"/api/v1/groups/{made['id']}"
        seen: list[str] = []
        w.messaging.groups.follow(
            Address.parse(made["address"]), Address("sip", "desk@cpm.test"), lambda g: seen.append(g.subject)
        )
        changed = await w.client.patch(path, json={"subject": "Saturday  dinner"}, headers=w.desk())
        assert changed.json()["subject"] == "Saturday dinner"
        assert changed.json()["version"] > made["version"]
        while "Saturday dinner" not in seen:
            await asyncio.sleep(0.005)
        assert (await w.client.patch(path, json={"subject": "a\nb"})).status_code == 422


async def test_what_is_refused() -> None:
    async with world() as w:
        closed = await convened(w, "sip:desk@cpm.test", closed=True)
        path = f"/api/v1/groups/{closed['id']}"
        assert (await w.client.post(f"{path}/members", json={"members": [PHONE]})).status_code == 403
        assert (await w.client.post(f"{path}/messages", json={"text": " "})).status_code == 400
        too_many = await w.client.post("/api/v1/groups", json={"members": [f"+1202555{n:04d}" for n in range(20)]})
        assert too_many.status_code == 403
        assert (await w.client.post("/api/v1/groups", json={"members": ["", "x"]})).status_code == 400
        assert (await w.client.get("/api/v1/groups/none")).status_code == 404


async def test_a_page_takes_part() -> None:
    async with listening() as w, events(w) as following:
        made = await convened(w, PHONE)
        _, session = await following(lambda d: d.get("state") == "ringing")
        assert session["peer"] == made["address"]
        await w.client.post(f"/api/v1/sessions/{session['session']}/accept")
        await w.until(f"/groups/{made['id']}", lambda g: states(g)["Alice"] == "connected")
        w.sms.incoming("I am coming", Address.parse(PHONE), Address("tel", "+12025550199"))
        _, data = await following(lambda d: d.get("item", {}).get("text") == "I am coming")
        assert data["peer"] == made["address"]
        assert data["item"]["from"] == PHONE
        said = await w.client.post(f"/api/v1/sessions/{session['session']}/messages", json={"text": "Good"})
        assert said.status_code == 202
        while w.sms.sent[-1].message.text != "Good":
            await w.get("/groups")


async def test_nobody_sees_the_groups_of_others() -> None:
    async with world() as w:
        made = await convened(w, PHONE)
        desk = w.desk()
        assert (await w.client.get("/api/v1/groups", headers=desk)).json() == []
        for method, path in (("GET", ""), ("POST", "/members"), ("POST", "/messages"), ("DELETE", "/members/me")):
            body = {"json": {"members": [PHONE]} if path == "/members" else {"text": "x"}} if method == "POST" else {}
            answer = await w.client.request(method, f"/api/v1/groups/{made['id']}{path}", headers=desk, **body)
            assert answer.status_code == 404
