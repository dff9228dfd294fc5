"""Bad uploads, downloads and links at the running server: each costs only itself."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import pytest

from opencpm.lab.device import File
from opencpm.protocols import fthttp
from tests.hostile.house import BOB, PASSWORD, House, house, raw

TRICKS = [
    "../../../etc/passwd",
    "..\\..\\boot.ini",
    "/etc/shadow",
    "a\r\nX-Evil: 1",
    'x"; filename="y',
    "\u202egnp.exe",
    "." * 300,
]
BOMB = b'<!DOCTYPE file [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;">]><file>&b;</file>'


def web(here: House) -> str:
    host, port = here.where("web", "http")
    return f"http://{host}:{port}"


def client(here: House) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        base_url=web(here), headers={"Authorization": f"Bearer {here.token}"}, trust_env=False, timeout=30
    )


def files_outside(here: House) -> list[Path]:
    """Every file of the server's folder that is none of its own."""
    folder = here.app.settings.data_dir
    own = ("opencpm.db", "opencpm.db-wal", "opencpm.db-shm", "server.lock")
    return [p for p in folder.rglob("*") if p.is_file() and p.parent.name != "uploads" and p.name not in own]


async def test_names_that_are_paths_or_headers(tmp_path: Path) -> None:
    async with house(tmp_path) as here, client(here) as api:
        for name in TRICKS:
            answer = await api.post("/api/v1/files", files={"File": (name, b"x", "text/html")})
            assert answer.status_code == 201, name
            sent = {"to": [BOB], "parts": [{"file": answer.json()["id"]}]}
            message = (await api.post("/api/v1/messages", json=sent)).json()
            part = await api.get(message["parts"][0]["href"])
            assert part.headers["content-type"] == "application/octet-stream"
            assert part.headers["content-disposition"].startswith("attachment")
            assert "x-evil" not in part.headers
            assert not set("/\\") & set(answer.json()["name"])
        assert files_outside(here) == []
        await here.lives()


async def test_ids_and_tokens_that_are_paths(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        for path in (
            "/c/..%2f..%2fetc",
            "/c/" + "A" * 5000,
            "/c/%00%00",
            "/ft/u/..%2f..%2fopencpm.db",
            "/ft/d/x/99999999999999999999",
            "/ft/d/x/-1",
            "/ft?tid=" + "x" * 3000 + "&get_upload_info",
            "/api/v1/files/..%2fopencpm.db",
        ):
            async with httpx.AsyncClient(trust_env=False) as anybody:
                answer = await anybody.get(web(here) + path)
            assert answer.status_code in (400, 401, 404, 405, 422), path
            assert b"SQLite" not in answer.content
        await here.lives()


async def test_lengths_that_lie(tmp_path: Path) -> None:
    """Announced and never sent, sent and never announced, chunked without end of the form."""
    async with house(tmp_path) as here:
        where = here.where("web", "http")
        head = f"POST /api/v1/files HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {here.token}\r\n"
        head += "Content-Type: multipart/form-data; boundary=b\r\n"
        form = b'--b\r\nContent-Disposition: form-data; name="File"; filename="x"\r\n\r\nhello'
        for framing, body in (
            ("Content-Length: 99999999999\r\n", form),
            ("Content-Length: -5\r\n", form),
            ("Transfer-Encoding: chunked\r\n", b"%x\r\n%s\r\n0\r\n\r\n" % (len(form), form)),
            ("Content-Length: 10\r\n", form),
        ):
            answer = await raw(where, head.encode() + framing.encode() + b"\r\n" + body, eof=True)
            assert answer == b"" or answer.split(b" ", 2)[1] in (b"400", b"413"), framing
        await here.lives()


async def test_more_than_a_person_may_have(tmp_path: Path) -> None:
    async with house(tmp_path, files={"per_user": 3, "per_user_bytes": 10_000}) as here, client(here) as api:
        statuses = [
            (await api.post("/api/v1/files", files={"File": (f"f{n}", bytes(4000), "image/png")})).status_code
            for n in range(6)
        ]
        assert statuses[:2] == [201, 201]
        assert set(statuses[2:]) == {503}
        stored = sum(path.stat().st_size for path in (here.app.settings.data_dir / "uploads").glob("*.bin"))
        assert stored <= 10_000
        await here.lives()


async def test_many_uploads_that_all_break(tmp_path: Path) -> None:
    async with house(tmp_path, files={"per_user": 10}) as here:
        where = here.where("web", "http")
        head = f"POST /api/v1/files HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {here.token}\r\n"
        head += "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 100000\r\n\r\n"
        form = '--b\r\nContent-Disposition: form-data; name="File"; filename="x"\r\n\r\n'

        async def broken() -> None:
            _, writer = await asyncio.open_connection(*where)
            writer.write((head + form).encode() + bytes(3000))
            await writer.drain()
            writer.transport.abort()

        await asyncio.gather(*[broken() for _ in range(40)])
        await here.lives()
        assert len(list((here.app.settings.data_dir / "uploads").glob("*.json"))) <= 10


@pytest.mark.parametrize(
    "document",
    [
        BOMB,
        b"<file>" * 100,
        b"<file/>",
        b"\xff\xfe",
        fthttp.build(fthttp.Transfer(fthttp.FileInfo("https://x/", 1, "a/b"))).replace(
            b"https://x/", b"file:///etc/passwd"
        ),
    ],
)
async def test_documents_that_are_none(tmp_path: Path, document: bytes) -> None:
    async with house(tmp_path) as here:
        async with here.device() as alice:
            sent = await alice.content(BOB, fthttp.CONTENT_TYPE, document)
            assert sent.status == 400
        await here.lives()


async def test_the_server_fetches_nothing_that_a_user_names(tmp_path: Path) -> None:
    """A document that points at the server's own neighbours stays a document; nobody is connected to."""
    asked: list[bytes] = []

    async def heard(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.read(100))
        writer.close()

    neighbour = await asyncio.start_server(heard, "127.0.0.1", 0)
    port = neighbour.sockets[0].getsockname()[1]
    async with house(tmp_path) as here:
        async with here.device() as alice, here.device(BOB) as bob:
            bob.files.auto_fetch = False
            url = f"http://127.0.0.1:{port}/metadata"
            document = fthttp.build(fthttp.Transfer(fthttp.FileInfo(url, 10, "image/png")))
            assert (await alice.content(BOB, fthttp.CONTENT_TYPE, document)).status == 202
            await bob.journal.wait("message")
            assert bob.files.offered[0].file.url == url
        await here.lives()
    neighbour.close()
    assert asked == []


async def test_a_poisoned_picture_costs_its_thumbnail_only(tmp_path: Path) -> None:
    """What calls itself a picture and is none, or a huge one: the file arrives, without a small picture."""
    bomb = b"\x89PNG\r\n\x1a\n" + bytes.fromhex("0000000d49484452000186a0000186a00802000000") + bytes(2000)
    async with house(tmp_path) as here:
        host, port = here.where("sip", "tcp")
        from opencpm.lab.device import LabDevice

        options = {"services": ("msg",), "iari": ("rcs.fthttp",)}
        async with here.device() as alice, LabDevice(BOB, PASSWORD, (host, port), **options) as bob:  # type: ignore[arg-type]
            assert await bob.register() == 200
            alice.files.upload_url = f"{web(here)}/ft"
            for body in (bomb, b"GIF89a" + b"\xff" * 3000):
                assert (await alice.files.send(BOB, File("image/png", body, "x.png"))).status == 202
                size = str(len(body))
                await bob.journal.wait("file", lambda entry, size=size: entry.facts["size"] == size)  # type: ignore[misc]
            assert [got.thumbnail for got in bob.files.got] == [b"", b""]
        await here.lives()


async def test_an_upload_url_of_somebody_else_is_refused(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        async with here.device() as alice, here.device(BOB) as bob:
            alice.files.upload_url = bob.files.upload_url = f"{web(here)}/ft"
            theirs = await bob.files.upload(File("image/png", b"\x89PNG" + bytes(2000), "secret.png"))
            sent = await alice.files.send_document(BOB, fthttp.build(theirs))
            assert sent.status >= 400
            assert (await alice.files.fetch(theirs.file.url)).status_code == 404
        await here.lives()
