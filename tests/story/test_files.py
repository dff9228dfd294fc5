"""Pictures and files between devices of every kind, at the running server: each gets them in the form it takes."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from PIL import Image

from opencpm.domain.address import Address
from opencpm.domain.message import message_ident
from opencpm.lab.device import File, LabDevice
from tests.story.village import ALICE, CAROL, Village, village

HTTP = {"services": ("session", "msg"), "iari": ("rcs.fthttp",)}
MSRP = {"services": ("session", "msg", "filetransfer")}
LARGE = {"services": ("session", "msg", "largemsg")}
PLAIN: dict[str, tuple[str, ...]] = {"services": ()}
NOTHING_BUT = {"http": HTTP, "msrp": MSRP, "large": LARGE}
WORDS = {
    "http": "by HTTP file transfer",
    "msrp": "by MSRP file transfer",
    "large": "in large message mode",
}


def photograph(width: int = 330, height: int = 220) -> File:
    """A picture with something to see in it, as a camera names it."""
    picture = Image.effect_noise((width, height), 60).convert("RGB")
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=85)
    return File("image/jpeg", out.getvalue(), "IMG 0001.jpg")


PHOTO = photograph()


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Village]:
    async with village(tmp_path) as found:
        yield found


def server(place: Village) -> str:
    host, port = place.app.endpoints["web"]["http"]
    return f"http://{host}:{port}"


@pytest.fixture
async def alice(place: Village) -> AsyncIterator[LabDevice]:
    async with place.device(upload_url=f"{server(place)}/ft", services=("session", "msg", "largemsg")) as device:
        yield device


async def got(device: LabDevice, number: int = 1) -> None:
    """Wait until a device has so many files."""
    for _ in range(number):
        await device.journal.wait("file", lambda _: len(device.files.got) >= number)


@pytest.mark.parametrize("taken", ["http", "msrp", "large"])
@pytest.mark.parametrize("form", ["http", "msrp", "large", "pager"])
async def test_from_every_form_to_every_form(place: Village, alice: LabDevice, form: str, taken: str) -> None:
    async with place.device("carol", **NOTHING_BUT[taken]) as carol:
        sent = await alice.files.send(CAROL, PHOTO, form=form)
        assert sent.status == 202, sent
        await got(carol)
        [file] = carol.files.got
        assert (file.form, file.file.body, file.file.content_type) == (taken, PHOTO.body, "image/jpeg")
        assert file.sender == ALICE
        if taken != "large":
            assert file.file.name == PHOTO.name
            with Image.open(io.BytesIO(file.thumbnail)) as small:
                assert max(small.size) <= 240
        words = WORDS[taken]
        await place.until(lambda: any(words in line.what for line in place.trail(sent.message_id)))


async def test_a_text_and_two_files(place: Village, alice: LabDevice) -> None:
    paper = File("application/pdf", b"%PDF-1.4" + bytes(5000), "plan.pdf")
    async with place.device("carol", **HTTP) as carol:
        sent = await alice.files.send(CAROL, "Look", PHOTO, paper, form="large")
        await got(carol, 2)
        assert {one.file.name: one.file.body for one in carol.files.got} == {
            PHOTO.name: PHOTO.body,
            paper.name: paper.body,
        }
        assert [heard.text for heard in carol.inbox] == ["Look", "", ""]
        await alice.journal.wait("imdn", lambda it: it.what == "delivered")
        assert {note.message_id for note in alice.imdns} == {sent.message_id}  # one word about it, not three


async def test_a_client_of_texts_gets_a_link_that_opens(place: Village, alice: LabDevice) -> None:
    async with place.device("carol", **PLAIN) as carol:
        sent = await alice.files.send(CAROL, "Look", PHOTO, form="large")
        heard = await carol.journal.wait("message")
        text, _, link = heard.what.partition("\n")
        assert text == "Look"
        assert link.startswith(f"{server(place)}/c/")
        async with httpx.AsyncClient(trust_env=False) as anybody:
            page = await anybody.get(link)
            assert 'alt="Picture: IMG 0001.jpg"' in page.text
            assert (await anybody.get(f"{link}/1")).content == PHOTO.body
        record = await place.until_state(sent.message_id, "delivered")
        shown = await place.api.get(f"/messages/{record.message.id}")
        assert shown["deliveries"][0]["losses"] == [
            "the receiver's device cannot take all of it, so it got a link to the rest"
        ]
        assert shown["deliveries"][0]["link"]["views"] == 1
        assert shown["deliveries"][0]["state"] == "delivered"  # and nothing says that it was seen


async def test_who_is_away_gets_it_when_back(place: Village, alice: LabDevice) -> None:
    sent = await alice.files.send(CAROL, PHOTO, form="msrp")
    assert sent.status == 202
    await place.line(sent.message_id, "deferred")
    async with place.device("carol", **MSRP) as carol:
        await got(carol)
        assert carol.files.got[0].file.body == PHOTO.body


async def test_after_a_restart_uploads_and_links_are_there(tmp_path: Path) -> None:
    """What was answered before the server stopped is good after it."""
    async with village(tmp_path) as place, place.device(upload_url=f"{server(place)}/ft") as alice:
        upload = await place.app.uploads.begin("alice", "half", name="half.bin", content_type="image/png")
        await place.app.uploads.append(upload.id, 0, b"half")
        await place.app.uploads.keep(upload.id)
        transfer = await alice.files.upload(PHOTO, tid="whole")
        port = place.app.endpoints["web"]["http"][1]
    async with village(tmp_path, web={"port": port}) as place, place.device() as alice:
        known = place.app.uploads.of("alice", "half")
        assert known is not None
        assert (known.id, known.received, known.complete) == (upload.id, 4, False)
        async with place.device("carol", **LARGE) as carol:
            from opencpm.protocols import fthttp

            sent = await alice.files.send_document(CAROL, fthttp.build(transfer))
            assert sent.status == 202, sent
            await got(carol)
            assert carol.files.got[0].file.body == PHOTO.body


async def test_nobody_else_may_fetch(place: Village, alice: LabDevice) -> None:
    async with place.device("carol", **HTTP) as carol:
        carol.files.auto_fetch = False
        await alice.files.send(CAROL, PHOTO)
        await carol.journal.wait("message")
        [offer] = carol.files.offered
        async with httpx.AsyncClient(trust_env=False) as anybody:
            assert (await anybody.get(offer.file.url)).status_code == 401
            wrong = httpx.DigestAuth("carol", "guess")
            assert (await anybody.get(offer.file.url, auth=wrong)).status_code == 401
        rest = await carol.files.fetch(offer.file.url, start=1000)
        assert (rest.status_code, rest.content) == (206, PHOTO.body[1000:])
        assert (await alice.files.fetch(offer.file.url)).status_code == 200  # its sender may
        place.app.directory.add_user("dave", "Dave", "dave-knows", [Address("sip", "dave@cpm.test")])
        other = LabDevice("sip:dave@cpm.test", "dave-knows", place.app.endpoints["sip"]["tcp"])
        assert (await other.files.fetch(offer.file.url)).status_code == 404


async def test_too_large_is_refused_in_every_form(tmp_path: Path) -> None:
    limits = {"message_bytes": 20_000}
    async with (
        village(tmp_path, policy={"limits": limits}) as place,
        place.device(upload_url=f"{server(place)}/ft", **LARGE) as alice,
    ):
        assert len(PHOTO.body) > limits["message_bytes"]
        assert (await alice.files.send(CAROL, PHOTO, form="msrp")).status == 403
        assert (await alice.files.send(CAROL, PHOTO, form="large")).status == 413
        assert (await alice.files.send(CAROL, PHOTO, form="pager")).status == 413
        with pytest.raises(httpx.HTTPStatusError) as caught:
            await alice.files.send(CAROL, PHOTO, form="http")
        assert caught.value.response.status_code == 413
        assert "20000 bytes at most" in caught.value.response.json()["detail"]


async def test_from_the_api_to_a_device_and_back(place: Village) -> None:
    headers = {"Authorization": f"Bearer {place.token}"}
    async with (
        httpx.AsyncClient(base_url=f"{server(place)}/api/v1", headers=headers, trust_env=False) as api,
        place.device("carol", **HTTP, upload_url=f"{server(place)}/ft") as carol,
    ):
        brought = await api.post("/files", files={"File": (PHOTO.name, PHOTO.body, PHOTO.content_type)})
        message = {"to": [CAROL], "parts": [{"text": "Look"}, {"file": brought.json()["id"]}]}
        assert (await api.post("/messages", json=message)).status_code == 202
        await got(carol)
        assert carol.files.got[0].file == PHOTO
        sent = await carol.files.send(ALICE, PHOTO)
        assert sent.status == 202
        ident = message_ident(place.app.directory.subscriber("carol").addresses[0], sent.message_id)  # type: ignore[union-attr]
        await place.until(lambda: place.app.store.message(ident))
        shown = (await api.get(f"/messages/{ident}")).json()["parts"][0]
        assert (shown["name"], shown["size"]) == (PHOTO.name, len(PHOTO.body))
        assert (await api.get(shown["href"].removeprefix("/api/v1"))).content == PHOTO.body


async def test_a_file_elsewhere_goes_on_as_it_is(place: Village, alice: LabDevice) -> None:
    """We fetch nothing from where a user says; a device gets the document, a client of texts its address."""
    from opencpm.protocols import fthttp

    url = "https://files.elsewhere.test/f/1?key=a&b"
    document = fthttp.build(fthttp.Transfer(fthttp.FileInfo(url, 10, "image/png", name="there.png")))
    async with place.device("carol", **HTTP) as carol:
        carol.files.auto_fetch = False
        assert (await alice.files.send_document(CAROL, document)).status == 202
        await carol.journal.wait("message")
        assert carol.files.offered[0].file.url == url
    async with place.device("carol", **PLAIN) as carol:
        await alice.files.send_document(CAROL, document)
        assert (await carol.journal.wait("message")).what == f"there.png: {url}"


async def test_a_phone_gets_a_link_by_sms(place: Village, alice: LabDevice) -> None:
    sent = await alice.files.send("tel:+12025550101", "Look", PHOTO, form="large")
    assert sent.status == 202, sent
    text = (await place.phone.wait_text(0)).text
    link = text.split()[-1]
    async with httpx.AsyncClient(trust_env=False) as anybody:
        assert (await anybody.get(f"{link}/1")).content == PHOTO.body


async def test_an_upload_over_a_bad_line(place: Village) -> None:
    """Cut off again and again, each time gone on with from where the server says it is."""
    part, tid = PHOTO.body, "bad-line"
    headers = {"Authorization": f"Bearer {place.token}"}
    host, port = place.app.endpoints["web"]["http"]
    head = (
        f"POST /api/v1/files HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {place.token}\r\n"
        "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 1000000\r\n\r\n"
        f'--b\r\nContent-Disposition: form-data; name="tid"\r\n\r\n{tid}\r\n'
        '--b\r\nContent-Disposition: form-data; name="File"; filename="p.jpg"\r\nContent-Type: image/jpeg\r\n\r\n'
    )
    _, writer = await asyncio.open_connection(host, port)
    writer.write(head.encode() + part[:5000])
    await writer.drain()
    writer.close()
    uploads = place.app.uploads
    await place.until(lambda: (known := uploads.of("alice", tid)) and known.received)
    async with httpx.AsyncClient(base_url=f"{server(place)}/api/v1", headers=headers, trust_env=False) as api:
        known = (await api.get("/files", params={"tid": tid})).json()
        while not known["complete"]:
            start = known["received"]
            end = min(start + 9000, len(part))
            span = {"Content-Range": f"bytes {start}-{end - 1}/{len(part)}"}
            known = (await api.put(f"/files/{known['id']}", content=part[start:end], headers=span)).json()
        found = uploads.content(known["id"])
        assert found is not None
        assert found.body == part
