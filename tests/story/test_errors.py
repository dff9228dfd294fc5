"""Whoever cannot be served hears why, over SIP and over the API, and finds it in the trail (What it must show)."""

from __future__ import annotations

import json
import sys
from asyncio import create_subprocess_exec, subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from opencpm.lab.device import LabDevice
from opencpm.lab.http import Api, ApiError
from opencpm.protocols import cpim
from opencpm.protocols.sip.message import parse
from tests.story.village import ALICE, BOB, DOMAIN, Village, raw, village

NOW = "2026-03-01T12:00:00Z"
LONGEST = 2000


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Village]:
    async with village(tmp_path, policy={"limits": {"message_bytes": LONGEST}}) as found:
        yield found


@pytest.fixture
async def alice(place: Village) -> AsyncIterator[LabDevice]:
    async with place.device() as device:
        yield device


def door(place: Village, user: str = "alice") -> str:
    """What the trail of a user has of refusals: `opencpm trace sip:alice@cpm.test`."""
    return "\n".join(one.what for one in place.trail(f"sip:{user}@{DOMAIN}"))


async def api_refuses(place: Village, **message: Any) -> tuple[int, str, str]:
    with pytest.raises(ApiError) as refused:
        await place.api.post("/messages", message)
    problem = refused.value.problem
    return refused.value.status, problem["reason"], problem["detail"]


async def test_a_wrong_password(place: Village) -> None:
    async with place.absent(password="not-hers") as device:
        assert await device.register() in (401, 403)
        assert (await device.message(BOB, "let me")).status in (401, 403)
    await place.until(lambda: "password" in door(place))
    assert place.app.store.counts()["messages"] == 0
    with pytest.raises(ApiError) as refused:
        await Api(*place.app.endpoints["web"]["http"], place.token[:-3] + "xyz").get("/me")
    assert refused.value.status == 401
    assert refused.value.problem["detail"]


async def test_an_unknown_user(place: Village) -> None:
    device = LabDevice(f"sip:mallory@{DOMAIN}", "guess", place.app.endpoints["sip"]["tcp"])
    async with device:
        assert await device.register() in (401, 403, 404)
        assert (await device.message(BOB, "let me")).status in (401, 403, 404)
    await place.until(lambda: door(place, "mallory"))


@pytest.mark.parametrize(
    ("target", "status", "words"),
    [
        (f"sip:nobody@{DOMAIN}", 404, "Nobody has the address"),
        ("tel:+999", 404, "is not a telephone number"),
        ("sip:somebody@elsewhere.test", 404, "No network here leads to"),
        ("sip:dave%40msn.test@cpm.test", 404, ""),
    ],
)
async def test_an_unknown_address_and_no_route(
    place: Village, alice: LabDevice, target: str, status: int, words: str
) -> None:
    if "msn" in target:
        place.policy(allowed=frozenset({"sms"}))
        status, words = 403, "The operator does not allow MSN"
    sent = await alice.message(target, "are you there?")
    assert sent.status == status
    answer = [parse(e.raw) for e in alice.journal.find("sip.in") if e.what.startswith(f"SIP/2.0 {status}")][-1]
    assert words in answer.get("warning")
    assert words in (await place.line(sent.message_id, "refused")).what
    await place.until(lambda: words in door(place))
    assert (await api_refuses(place, to=[target], text="are you there?"))[0] in (status, 422)


async def test_too_large(place: Village, alice: LabDevice) -> None:
    sent = await alice.message(BOB, "x" * (LONGEST + 1))
    assert sent.status == 413
    assert str(LONGEST) in (await place.line(sent.message_id, "refused", "too-large")).what
    assert (await api_refuses(place, to=[BOB], text="x" * (LONGEST + 1)))[:2] == (413, "too-large")
    await place.until(lambda: door(place).count("too-large") >= 2)


async def test_too_large_for_sip_itself(place: Village, alice: LabDevice) -> None:
    """Over what a SIP message may have: refused without being read, and the connection lives."""
    sent = await alice.message(BOB, "x" * 70_000)
    assert sent.status == 413
    await place.until(lambda: "413" in door(place) or "too-large" in door(place))
    assert (await alice.message(BOB, "small")).status == 202


@pytest.mark.parametrize("media", ["image/png", "application/x-unheard-of"])
async def test_unsupported_media(place: Village, alice: LabDevice, media: str) -> None:
    place.policy(link_lifetime=0)
    body = cpim.compose(b"\x89PNG", media, message_id="media-1", datetime=NOW)
    response = await raw(alice, "tel:+12025550109", "message/cpim", body)
    assert response.status == 415
    assert "text/plain" in response.get("accept")
    assert media in (await place.line("media-1", "refused", "unsupported-media")).what
    await place.until(lambda: "unsupported-media" in door(place))
    part = {"content_type": media, "body": "iVBORw0K"}
    assert (await api_refuses(place, to=["tel:+12025550109"], parts=[part]))[:2] == (415, "unsupported-media")


async def test_bare_media_that_no_message_may_have(place: Village, alice: LabDevice) -> None:
    assert (await raw(alice, BOB, "application/x-unheard-of", b"\0\1")).status == 415
    await place.until(lambda: "unsupported-media" in door(place))


async def test_a_barred_user(place: Village, alice: LabDevice) -> None:
    place.app.directory.set_barred("alice", True)
    assert (await alice.message(BOB, "let me")).status == 403
    assert await alice.register() == 403
    await place.until(lambda: door(place))


async def test_a_session_that_cannot_be_is_in_the_trail_too(place: Village, alice: LabDevice) -> None:
    body = b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"
    fields = [
        *alice.out_of_dialog("INVITE", BOB, "session"),
        ("Contact", f"<{alice.agent.contact}>"),
        ("Content-Type", "application/sdp"),
    ]
    _, response = await alice.agent.request("INVITE", BOB, fields, body)
    assert response.status == 488
    assert response.get("warning")
    await place.until(lambda: door(place))


@pytest.mark.parametrize("who", [ALICE, "alice"])
async def test_the_command_shows_it(place: Village, alice: LabDevice, tmp_path: Path, who: str) -> None:
    """`opencpm trace`, another process, with the settings file that this server could have been started with."""
    sent = await alice.message(f"sip:nobody@{DOMAIN}", "are you there?")
    assert sent.status == 404
    await place.until(lambda: door(place))
    config = tmp_path / "opencpm.toml"
    config.write_text(f'domain = "{DOMAIN}"\nsecret_key = "{"k" * 40}"\ndata_dir = "data"\n', "utf-8")
    process = await create_subprocess_exec(
        sys.executable, "-m", "opencpm.cli", "trace", who, "--json", "--config", str(config), stdout=subprocess.PIPE
    )
    out, _ = await process.communicate()
    assert process.returncode == 0
    [line] = [one for one in json.loads(out)["trail"] if "nobody" in one["what"]]
    assert line["step"] == "refused"
