"""The HTTP content server as a device meets it: challenge, upload, break, resume, download (GSMA RCC.07)."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from opencpm.domain.message import Message, Part, message_ident
from opencpm.protocols import fthttp
from tests.access.web.digesting import answer, as_device
from tests.access.web.world import ALICE, DESK, PASSWORD, World, listening, world

PICTURE = bytes(range(256)) * 60
FORM = {
    "tid": (None, "1b9a7a2e-tid"),
    "Thumbnail": ("t.jpg", b"\xff\xd8small", "image/jpeg"),
    "File": ("garden.jpg", PICTURE, "image/jpeg"),
}


def path_of(url: str) -> str:
    return httpx.URL(url).raw_path.decode()


async def uploaded(w: World, **parts: object) -> fthttp.Transfer:
    found = await as_device(w, "POST", "/ft", files={**FORM, **parts})
    assert found.status_code == 200, found.text
    assert found.headers["content-type"] == fthttp.CONTENT_TYPE
    return fthttp.parse(found.content)


async def test_an_empty_post_asks_how_to_prove_oneself() -> None:
    async with world() as w:
        first = await w.client.post("/ft", headers={"Authorization": ""})
        assert first.status_code == 401
        challenges = first.headers.get_list("www-authenticate")
        assert [("SHA-256" in value, 'realm="cpm.test"' in value) for value in challenges] == [
            (True, True),
            (False, True),
        ]
        for challenge in challenges:  # either algorithm, with and without qop
            for qop in (True, False):
                given = answer(challenge, "POST", "/ft", qop=qop, count=1 + challenges.index(challenge))
                assert (await w.client.post("/ft", headers={"Authorization": given})).status_code == 204


async def test_upload_and_download() -> None:
    async with world() as w:
        told = await uploaded(w)
        assert told.file[1:3] == (len(PICTURE), "image/jpeg")
        assert told.file.name == "garden.jpg"
        assert told.thumbnail is not None
        whole = await as_device(w, "GET", path_of(told.file.url))
        assert whole.content == PICTURE
        some = await as_device(w, "GET", path_of(told.file.url), headers={"Range": "bytes=256-"})
        assert (some.status_code, some.content) == (206, PICTURE[256:])
        small = await as_device(w, "GET", path_of(told.thumbnail.url))
        assert small.content == b"\xff\xd8small"
        assert (await as_device(w, "GET", path_of(told.file.url), user="desk")).status_code == 404
        part = w.filing.files.uploaded(told.file.url, "alice")
        assert part == Part("image/jpeg", PICTURE, "garden.jpg", "attachment")
        assert w.filing.files.uploaded(told.file.url, "desk") is None
        assert w.filing.files.uploaded("https://elsewhere.test/ft/u/x", "alice") is None


async def test_the_same_tid_again_is_the_same_file() -> None:
    async with world() as w:
        first = await uploaded(w)
        assert await uploaded(w, File=("other.jpg", b"other", "image/jpeg")) == first
        again = await as_device(w, "GET", "/ft?tid=1b9a7a2e-tid&get_download_info")
        assert fthttp.parse(again.content) == first


async def test_a_break_and_a_resumption() -> None:
    """The connection goes amid the file: what came is there, the rest is brought, and then it is whole."""
    async with listening() as w:
        first = await w.client.post("/ft", headers={"Authorization": ""})
        given = answer(first.headers.get_list("www-authenticate")[0], "POST", "/ft")
        request = w.client.build_request("POST", "/ft", files=FORM, headers={"Authorization": given})
        body = await request.aread()
        head = f"POST /ft HTTP/1.1\r\nHost: x\r\nAuthorization: {given}\r\nContent-Type: "
        head += f"{request.headers['content-type']}\r\nContent-Length: {len(body)}\r\n\r\n"
        host, port = w.connector.endpoints["http"]
        _, writer = await asyncio.open_connection(host, port)
        writer.write(head.encode() + body[:9000])
        await writer.drain()
        writer.close()
        while (found := w.filing.uploads.of("alice", "1b9a7a2e-tid")) is None or not found.received:
            await asyncio.sleep(0.005)
        told = await as_device(w, "GET", "/ft?tid=1b9a7a2e-tid&get_upload_info")
        resume = fthttp.parse_resume(told.content)
        assert resume.start == 0
        assert 0 < resume.end < len(PICTURE) - 1
        early = await as_device(w, "GET", "/ft?tid=1b9a7a2e-tid&get_download_info")
        assert early.status_code == 409
        start, total = resume.end + 1, len(PICTURE)
        rest = {"Content-Range": f"bytes {start}-{total - 1}/{total}", "Content-Type": "image/jpeg"}
        done = await as_device(w, "PUT", path_of(resume.url), headers=rest, content=PICTURE[start:])
        assert done.status_code == 200, done.text
        told = await as_device(w, "GET", "/ft?tid=1b9a7a2e-tid&get_download_info")
        assert w.filing.files.uploaded(fthttp.parse(told.content).file.url, "alice").body == PICTURE


@pytest.mark.parametrize(
    ("span", "body", "status"),
    [
        ("bytes 100-199/200", b"x" * 100, 400),  # a gap
        ("bytes 0-99/200", b"x" * 50, 400),
        ("bytes 0-99/200", b"x" * 150, 400),
        ("bytes 0-99/30000", b"x" * 100, 413),
        ("bytes 9-0/10", b"", 400),
        ("nonsense", b"", 400),
    ],
)
async def test_wrong_ranges(span: str, body: bytes, status: int) -> None:
    async with world() as w:
        upload = await w.filing.uploads.begin("alice", "t", name="", content_type="image/png")
        found = await as_device(w, "PUT", f"/ft/u/{upload.id}", headers={"Content-Range": span}, content=body)
        assert found.status_code == status, found.text


async def test_too_large_is_said_clearly() -> None:
    async with world() as w:
        found = await as_device(w, "POST", "/ft", files={**FORM, "File": ("x", b"x" * 20_001, "image/png")})
        assert found.status_code == 413
        assert "20000 bytes at most" in found.json()["detail"]


async def test_more_than_one_person_may_have() -> None:
    async with world() as w:
        for number in range(5):
            await uploaded(w, tid=(None, f"t{number}"), File=("x", b"x", "image/png"))
        full = await as_device(w, "POST", "/ft", files={**FORM, "tid": (None, "t9")})
        assert full.status_code == 503
        assert int(full.headers["retry-after"]) > 0


async def test_forms_that_are_none() -> None:
    async with world() as w:
        for parts in (
            {"tid": (None, "x y")},
            {"tid": (None, "t"), "nothing": (None, "else")},
            {"File": ("x", b"x", "image/png"), "tid": (None, "late")},
            {"Thumbnail": ("t", b"x", "text/html"), "File": ("x", b"x", "image/png")},
            {f"p{number}": (None, "x") for number in range(20)},
        ):
            found = await as_device(w, "POST", "/ft", files=parts)
            assert found.status_code == 400, parts
        for kind in ("application/json", "multipart/form-data", "multipart/form-data; boundary=" + "x" * 300):
            found = await as_device(w, "POST", "/ft", content=b"{}", headers={"Content-Type": kind})
            assert found.status_code == 415, kind
        cut = await as_device(
            w, "POST", "/ft", content=b"--b\r\nrubbish", headers={"Content-Type": "multipart/form-data; boundary=b"}
        )
        assert cut.status_code == 400


async def test_names_with_tricks_are_names() -> None:
    async with world() as w:
        for name in ("../../etc/passwd", "..\\..\\x", "a/b/c"):
            told = await uploaded(w, tid=(None, f"t{len(name)}"), File=(name, b"x", "image/png"))
            assert told.file.name in ("passwd", "x", "c")
        folder = w.filing.uploads._folder
        assert all(path.parent == folder for path in folder.parent.rglob("*") if path.is_file())


async def test_wrong_digests() -> None:
    async with world() as w:
        first = await w.client.post("/ft", headers={"Authorization": ""})
        challenge = first.headers.get_list("www-authenticate")[0]
        right = answer(challenge, "POST", "/ft")
        assert (await w.client.post("/ft", headers={"Authorization": right})).status_code == 204
        again = await w.client.post("/ft", headers={"Authorization": right})
        assert again.status_code == 401  # the count was used
        assert "stale=true" in again.headers["www-authenticate"]
        for wrong in (
            answer(challenge, "GET", "/ft", count=2),
            answer(challenge, "POST", "/ft?other", count=3),
            answer(challenge, "POST", "/ft", password="guess", count=4),
            answer(challenge, "POST", "/ft", user="nobody", count=5),
            answer(challenge.replace('nonce="', 'nonce="0'), "POST", "/ft", count=6),
            "Digest ",
            'Digest username="alice", ===',
            f"Bearer {w.token}",
        ):
            assert (await w.client.post("/ft", headers={"Authorization": wrong})).status_code == 401, wrong
        for count in range(10, 15):
            wrong = answer(challenge, "POST", "/ft", password="guess", count=count)
            await w.client.post("/ft", headers={"Authorization": wrong})
        held = await w.client.post("/ft", headers={"Authorization": answer(challenge, "POST", "/ft", count=20)})
        assert held.status_code == 429


async def test_only_sender_and_receiver_fetch_what_was_delivered() -> None:
    async with world() as w:
        w.people.add_user("carol", "Carol", PASSWORD, [type(ALICE)("sip", "carol@cpm.test")])
        now = w.clock.now()
        parts = (Part("image/jpeg", PICTURE, "garden.jpg"),)
        message = Message(
            id=message_ident(ALICE, "m"),
            message_id="m",
            sender=ALICE,
            recipients=(DESK,),
            parts=parts,
            sent_at=now,
            received_at=now,
            origin="test",
        )
        w.messaging.received([message], lambda _: None)
        while not (records := w.messaging.store.deliveries_of(message.id)):
            await asyncio.sleep(0.005)
        small = Part("image/jpeg", b"\xff\xd8tiny")
        fetch = w.filing.files.fetch(records[0].id, 0, now + 100, small)
        for user, status in (("desk", 200), ("alice", 200), ("carol", 404)):
            found = await as_device(w, "GET", path_of(fetch.url), user=user)
            assert (user, found.status_code) == (user, status)
        tiny = await as_device(w, "GET", path_of(fetch.thumbnail_url), user="desk")
        assert tiny.content == small.body
        assert (await as_device(w, "GET", path_of(fetch.url)[:-1] + "7", user="desk")).status_code == 404
        w.clock.ahead += 101
        assert (await as_device(w, "GET", path_of(fetch.url), user="desk")).status_code == 410
