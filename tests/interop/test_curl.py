"""curl as the device's HTTP side: its digest, its multipart, its ranges, against the content server and a link."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from opencpm.lab.device import File
from opencpm.protocols import fthttp
from tests.story.village import CAROL, USERS, Village, village

pytestmark = pytest.mark.usefixtures("curl_is_there")
CONTENT = bytes(range(256)) * 300
PASSWORD = USERS["alice"][2]


async def curl(*arguments: str) -> bytes:
    """What it prints; -f: it fails for an error of the server."""
    command = ("curl", "-sS", "-f", "--noproxy", "*", *arguments)
    running = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    said, wrong = await running.communicate()
    assert running.returncode == 0, wrong.decode()
    return said


def server(place: Village) -> str:
    host, port = place.app.endpoints["web"]["http"]
    return f"http://{host}:{port}"


async def test_upload_break_resume_and_download(tmp_path: Path) -> None:
    (tmp_path / "garden.jpg").write_bytes(CONTENT)
    (tmp_path / "half").write_bytes(CONTENT[40_000:])
    async with village(tmp_path) as place:
        url, proof = f"{server(place)}/ft", ("--digest", "-u", f"alice:{PASSWORD}")
        form = ("-F", "tid=curl-1", "-F", f"File=@{tmp_path}/garden.jpg;type=image/jpeg")
        told = fthttp.parse(await curl(*proof, *form, url))
        assert (told.file.name, told.file.size, told.file.content_type) == ("garden.jpg", len(CONTENT), "image/jpeg")
        assert await curl(*proof, told.file.url) == CONTENT
        assert await curl(*proof, "-r", "1000-1999", told.file.url) == CONTENT[1000:2000]
        uploads = place.app.uploads
        half = await uploads.begin("alice", "curl-2", name="half.jpg", content_type="image/jpeg")
        await uploads.append(half.id, 0, CONTENT[:40_000])
        resume = fthttp.parse_resume(await curl(*proof, f"{url}?tid=curl-2&get_upload_info"))
        assert resume.end == 39_999
        span = f"Content-Range: bytes 40000-{len(CONTENT) - 1}/{len(CONTENT)}"
        await curl(*proof, "-X", "PUT", "-H", span, "--data-binary", f"@{tmp_path}/half", resume.url)
        whole = fthttp.parse(await curl(*proof, f"{url}?tid=curl-2&get_download_info"))
        assert await curl(*proof, whole.file.url) == CONTENT


async def test_the_receiver_fetches_what_a_device_sent(tmp_path: Path) -> None:
    async with (
        village(tmp_path) as place,
        place.device(upload_url=f"{server(place)}/ft") as alice,
        place.device("carol", services=("msg",), iari=("rcs.fthttp",)) as carol,
    ):
        carol.files.auto_fetch = False
        assert (await alice.files.send(CAROL, File("image/jpeg", CONTENT, "garden.jpg"))).status == 202
        await carol.journal.wait("message")
        proof = ("--digest", "-u", f"carol:{USERS['carol'][2]}")
        assert await curl(*proof, carol.files.offered[0].file.url) == CONTENT
