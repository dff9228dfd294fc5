"""Files from buddies: taken and confirmed after the commit, or politely refused."""

from __future__ import annotations

from typing import Any

import pytest

from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import MessageKind
from opencpm.interworking.msn import adapt
from opencpm.lab.msn import LabMsn
from tests.interworking.msn.stage import ALICE, ALICE_ADDRESS, BOB, BOB_ADDRESS, Stage, until

CONTENT = bytes(number % 251 for number in range(40_000))


async def opened(stage: Stage) -> Any:
    """Bob's window with Alice."""
    chat = await stage.bob.start_chat(ALICE)
    return chat, ALICE


@pytest.mark.parametrize("protocol", [8, 12, 15])
async def test_a_picture(lab: LabMsn, protocol: int) -> None:
    lab.buddies[BOB].dialects = (f"MSNP{protocol}",)
    await lab.buddies[BOB].sign_in()
    async with Stage(lab, protocol=protocol) as stage:
        await stage.sign_in()
        chat, me = await opened(stage)
        chat.send_file(me, "Rome & back.jpg", CONTENT)
        said = await stage.inbox.wait("received")
        assert (said.sender, said.recipients, said.kind) == (BOB_ADDRESS, (ALICE_ADDRESS,), MessageKind.STANDALONE)
        (part,) = said.parts
        assert (part.media_type, part.name, part.disposition) == ("image/jpeg", "Rome & back.jpg", "attachment")
        assert part.body == CONTENT
        await stage.bob.happened.wait(lambda it: it.what == "file-taken")


async def test_by_places(stage: Stage) -> None:
    chat, me = await opened(stage)
    account = stage.lab.account(ALICE)
    assert account.connection is not None
    chat.send_file(f"{me};{account.connection.place}", "note.txt", b"hi")
    (part,) = (await stage.inbox.wait("received")).parts
    assert (part.media_type, part.body) == ("text/plain", b"hi")
    await stage.bob.happened.wait(lambda it: it.what == "file-taken")
    chat.send_file(f"{me};{{00000000-0000-0000-0000-000000000000}}", "other.txt", b"not here")
    chat.send("for all places")
    await until(lambda: stage.inbox.of("invited"))
    assert len(stage.inbox.of("received")) == 1


async def test_not_confirmed_before_the_commit(stage: Stage) -> None:
    waiting: list[Any] = []
    stage.inbox.received = lambda messages, done: waiting.append(done)  # type: ignore[method-assign]
    chat, me = await opened(stage)
    chat.send_file(me, "a.png", CONTENT)
    await until(lambda: waiting)
    happened = [it.what for it in stage.bob.happened.all]
    assert "file-taken" not in happened
    waiting[0]([None])
    await stage.bob.happened.wait(lambda it: it.what == "file-taken")


async def test_refused_by_our_side(stage: Stage) -> None:
    stage.inbox.verdicts = [SendError(Reason.REJECTED)]
    chat, me = await opened(stage)
    chat.send_file(me, "a.png", b"x")
    await stage.bob.happened.wait(lambda it: it.what == "file-broken")
    await stage.bob.text("I cannot receive that file here; please send text.")


@pytest.mark.parametrize(("limit", "size"), [(0, 10), (100, 101)])
async def test_too_large_or_not_wanted(lab: LabMsn, limit: int, size: int) -> None:
    await lab.buddies[BOB].sign_in()
    async with Stage(lab, max_file_bytes=limit) as stage:
        await stage.sign_in()
        chat, me = await opened(stage)
        for _ in range(2):
            chat.send_file(me, "a.png", bytes(size))
        await stage.bob.happened.wait(lambda it: it.what == "file-refused")
        await stage.bob.text("I cannot receive that file here; please send text.")
        chat.send("well then")
        await until(lambda: stage.inbox.of("invited"))
        assert sum("that file" in said.text for said in chat.lines) == 1  # told once
        assert stage.inbox.of("received") == []


async def test_the_switchboard_dies_amid_a_file(stage: Stage) -> None:
    chat, me = await opened(stage)
    stage.lab.faults.drop = {"MSG"}
    chat.send_file(me, "a.png", CONTENT)
    await until(lambda: stage.connector.describe()["accounts"][0]["switchboards"] == 0)
    stage.lab.faults.clear()
    assert stage.inbox.of("received") == []
    (delivery,) = stage.send("still works")
    await stage.bob.text("still works")
    await stage.outcome(delivery)


@pytest.mark.parametrize(
    ("name", "kind"),
    [("a.png", "image/png"), ("a", "application/octet-stream"), ("a.tar.gz", "application/octet-stream")],
)
def test_what_a_name_tells(name: str, kind: str) -> None:
    assert adapt.file_part(name, b"").media_type == kind
