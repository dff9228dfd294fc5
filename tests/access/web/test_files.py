"""Files over the API: uploaded, gone on with, named in a message, forgotten."""

from __future__ import annotations

from tests.access.web.world import World, world

PNG = b"\x89PNG\r\n\x1a\n" + bytes(5000)


async def upload(w: World, data: bytes = PNG, tid: str = "", name: str = "garden.png") -> dict[str, object]:
    files = {"tid": (None, tid)} if tid else {}
    answer = await w.client.post("/api/v1/files", files={**files, "File": (name, data, "image/png")})
    assert answer.status_code == 201, answer.text
    found: dict[str, object] = answer.json()
    return found


async def test_a_file_becomes_a_part() -> None:
    async with world() as w:
        found = await upload(w)
        assert (found["name"], found["content_type"], found["received"]) == ("garden.png", "image/png", len(PNG))
        parts = [{"text": "Look"}, {"file": found["id"]}]
        sent = await w.client.post("/api/v1/messages", json={"to": ["sip:desk@cpm.test"], "parts": parts})
        assert sent.status_code == 202, sent.text
        shown = sent.json()["parts"]
        assert (shown[1]["name"], shown[1]["size"], shown[1]["content_type"]) == ("garden.png", len(PNG), "image/png")
        content = await w.client.get(shown[1]["href"], headers={"Range": "bytes=0-7"})
        assert (content.status_code, content.content) == (206, PNG[:8])


async def test_what_belongs_to_others_or_is_not_there() -> None:
    async with world() as w:
        found = await upload(w)
        for headers, ident in ((w.desk(), found["id"]), ({}, "0" * 24), ({}, "../../etc")):
            message = {"to": ["sip:desk@cpm.test"], "parts": [{"file": ident}]}
            answer = await w.client.post("/api/v1/messages", json=message, headers=headers)
            assert answer.status_code == 404
        both = {"to": ["sip:desk@cpm.test"], "parts": [{"file": found["id"], "text": "x"}]}
        assert (await w.client.post("/api/v1/messages", json=both)).status_code == 400
        assert (await w.client.get("/api/v1/files", params={"tid": "none"})).status_code == 404
        assert (await w.client.post("/api/v1/files", headers={"Authorization": ""})).status_code == 401


async def test_going_on_after_a_break() -> None:
    async with world() as w:
        partial = await w.filing.uploads.begin("alice", "t1", name="a.png", content_type="image/png")
        await w.filing.uploads.append(partial.id, 0, PNG[:3000])
        known = await w.get("/files", tid="t1")
        assert (known["received"], known["complete"]) == (3000, False)
        early = {"to": ["sip:desk@cpm.test"], "parts": [{"file": known["id"]}]}
        assert (await w.client.post("/api/v1/messages", json=early)).status_code == 409
        span = f"bytes 3000-{len(PNG) - 1}/{len(PNG)}"
        path = f"/api/v1/files/{known['id']}"
        done = await w.client.put(path, content=PNG[3000:], headers={"Content-Range": span})
        assert (done.status_code, done.json()["complete"]) == (200, True)
        assert w.filing.uploads.content(known["id"]).body == PNG


async def test_forgetting() -> None:
    async with world() as w:
        found = await upload(w)
        path = f"/api/v1/files/{found['id']}"
        assert (await w.client.delete(path, headers=w.desk())).status_code == 404
        assert (await w.client.delete(path)).status_code == 204
        assert (await w.client.delete(path)).status_code == 404
