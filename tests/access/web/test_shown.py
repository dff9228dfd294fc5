"""The page behind a link: for anybody who has it, for as long as it lasts, and nothing in it runs."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from opencpm.domain.message import Message, Part, message_ident, text_part
from tests.access.web.world import ALICE, BOB_PHONE, World, world

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(200))
SVG = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
PARTS = (
    text_part("Look <b>here</b> & there"),
    Part("image/png", PNG, "garden.png"),
    Part("audio/amr", b"#!AMR\n...", "hello.amr"),
    Part("video/3gpp", b"....ftyp3gp4", 'film".3gp'),
    Part("image/svg+xml", SVG, "x.svg"),
    Part("text/html", b"<script>alert(1)</script>", "<script>.html"),
    Part("application/smil", b"<smil/>"),
)


async def shared(w: World, *parts: Part, subject: str = "") -> str:
    """A message to Bob's phone and its link, as a path."""
    now = w.clock.now()
    message = Message(
        id=message_ident(ALICE, "m1"),
        message_id="m1",
        sender=ALICE,
        recipients=(BOB_PHONE,),
        parts=parts or PARTS,
        sent_at=now,
        received_at=now,
        origin="test",
        subject=subject,
    )
    w.messaging.received([message], lambda _: None)
    while not (records := w.messaging.store.deliveries_of(message.id)):
        await asyncio.sleep(0.005)
    share = w.filing.files.share(records[0].id, now + 1000)
    assert share.page.startswith("http://cpm.test/c/")
    return str(httpx.URL(share.page).path)


async def test_everything_is_shown_and_nothing_runs() -> None:
    async with world() as w:
        path = await shared(w)
        answer = await w.client.get(path, headers={"Authorization": ""})
        page = answer.text
        assert answer.status_code == 200
        assert "Look &lt;b&gt;here&lt;/b&gt; &amp; there" in page
        assert f'<img src="{path}/1" alt="Picture: garden.png">' in page
        assert f'<audio controls preload="metadata" src="{path}/2"' in page
        assert f'<video controls preload="metadata" src="{path}/3" aria-label="film.3gp">' in page
        assert "<script" not in page
        assert f"{path}/6" not in page  # the presentation is no content
        policy = answer.headers["content-security-policy"]
        assert "script-src" not in policy
        assert "default-src 'none'" in policy
        assert "noindex" in answer.headers["x-robots-tag"]
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert '<html lang="en">' in page


@pytest.mark.parametrize(
    ("index", "content_type", "kind"),
    [
        (1, "image/png", "inline"),
        (2, "audio/amr", "inline"),
        (4, "application/octet-stream", "attachment"),
        (5, "application/octet-stream", "attachment"),
    ],
)
async def test_only_what_is_safe_is_shown_in_place(index: int, content_type: str, kind: str) -> None:
    async with world() as w:
        path = await shared(w)
        answer = await w.client.get(f"{path}/{index}")
        assert answer.content == PARTS[index].body
        assert answer.headers["content-type"] == content_type
        assert answer.headers["content-disposition"].startswith(kind)
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"


async def test_ranges_and_head() -> None:
    async with world() as w:
        path = await shared(w)
        some = await w.client.get(f"{path}/1", headers={"Range": "bytes=4-9"})
        assert (some.status_code, some.content) == (206, PNG[4:10])
        assert some.headers["content-range"] == f"bytes 4-9/{len(PNG)}"
        outside = await w.client.get(f"{path}/1", headers={"Range": "bytes=9000-"})
        assert (outside.status_code, outside.headers["content-range"]) == (416, f"bytes */{len(PNG)}")
        head = await w.client.head(f"{path}/1")
        assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", str(len(PNG)))
        assert (await w.client.head(path)).status_code == 200


async def test_looking_is_counted_and_is_no_display_report() -> None:
    async with world() as w:
        path = await shared(w)
        for _ in range(3):
            await w.client.get(path)
        await w.client.head(path)
        await w.client.get(f"{path}/1")
        _, shown = w.filing.files.look(path.rpartition("/")[2])
        assert shown.views == 3
        steps = [entry.step.value for entry in w.messaging.store.trail(message_ident(ALICE, "m1"))]
        assert "displayed" not in steps


async def test_expired_gone_and_never_there() -> None:
    async with world() as w:
        path = await shared(w)
        for wrong in ("/c/short", "/c/" + "A" * 22, f"{path}/99", f"{path}/-1", "/c/../api", f"{path}/x"):
            assert (await w.client.get(wrong)).status_code in (404, 422), wrong
        w.clock.ahead += 1001
        for gone in (path, f"{path}/1"):
            answer = await w.client.get(gone)
            assert answer.status_code == 410
            assert "This link has expired" in answer.text


async def test_a_link_for_devices_opens_no_page() -> None:
    async with world() as w:
        path = await shared(w)
        record = w.messaging.store.deliveries_of(message_ident(ALICE, "m1"))[0]
        other = f"{record.id[:-1]}9"
        fetch = w.filing.files.fetch(other, 0, w.clock.now() + 100)
        token = fetch.url.split("/")[-2]
        assert (await w.client.get(f"/c/{token}")).status_code == 404
        assert (await w.client.get(path)).status_code == 200
