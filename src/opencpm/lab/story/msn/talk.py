"""The sessions of the story, from either side."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from opencpm.lab.msn.log import Line
from opencpm.lab.story.driver import Evidence
from opencpm.lab.story.msn.stage import ALICE_MSN, BOB_MSN, TO_BOB, Stage, log

HELLO, HELLO_BACK = "Hello Bob ☃", "Hello Alice, how are you?"
AFTER = ("It broke. Still there?", "I am.")
COMING = "Shall we meet?"
ANSWERS = ("Yes, at seven.", "See you!")


async def alice_asks(stage: Stage) -> Evidence:
    stage.chat = await stage.device.invite(TO_BOB)
    stage.session = await stage.trails.newest_session(await stage.bob_id())
    lines = [
        await stage.command("XFR", "C", ALICE_MSN, of="NS"),
        await stage.command("CAL", "C", ALICE_MSN),
        await stage.command("JOI", "S", ALICE_MSN),
    ]
    line = await stage.trails.session(stage.session, "established")
    return {"ok": BOB_MSN in lines[-1].text, **log(*lines), "trail": line["what"]}


async def alice_writes(stage: Stage) -> Evidence:
    assert stage.chat is not None
    stage.chat.compose()
    await stage.bob.happened.wait(lambda it: it.what == "typing" and it.peer == ALICE_MSN)
    _, status = await stage.chat.send(HELLO)
    await stage.bob.text(HELLO)
    typing = await stage.command("MSG", "C", ALICE_MSN, _with("TypingUser"))
    said = await stage.command("MSG", "C", ALICE_MSN, _with(HELLO))
    acked = await stage.command("ACK", "S", ALICE_MSN)
    return {"ok": status == 200, **log(typing, said, acked), "Bob's window": _window(stage), "MSRP status": status}


async def bob_writes(stage: Stage) -> Evidence:
    stage.bob.chat.typing()
    await stage.device.journal.wait("composing", lambda e: e.what == "active" and e.at >= stage.since)
    stage.bob.chat.send(HELLO_BACK)
    heard = await stage.hears(HELLO_BACK)
    said = await stage.command("MSG", "C", BOB_MSN, _with(HELLO_BACK))
    return {"ok": heard.facts.get("session") == "yes", **log(said), "device log": heard.what}


async def switchboard_dies(stage: Stage) -> Evidence:
    assert stage.chat is not None
    windows = len(stage.bob.chats)
    stage.town.msn.disconnect(kind="SB")
    await stage.bob.happened.wait(lambda it: it.what == "closed")
    for text in AFTER:
        await stage.chat.send(text)
    await stage.bob.text(AFTER[-1])
    again = await stage.command("CAL", "C", ALICE_MSN)
    got = [it.text for it in stage.bob.happened.all if it.what == "text"]
    ended = stage.device.journal.find("ended", lambda e: e.at >= stage.since)
    return {"ok": got[-2:] == list(AFTER) and windows == 1 and not ended, **log(again), "Bob's texts": got}


async def alice_closes(stage: Stage) -> Evidence:
    assert stage.chat is not None
    status = await stage.chat.close()
    await stage.bob.happened.wait(lambda it: it.what == "left" and it.peer == ALICE_MSN)
    line = await stage.trails.session(stage.session, "closed")
    out, bye = await stage.command("OUT", "C", ALICE_MSN), await stage.command("BYE", "S", BOB_MSN)
    for chat in tuple(stage.bob.chats):
        chat.leave()
        await chat.closed.wait()
    return {"ok": status == 200 and "msn" in line["what"], **log(out, bye), "trail": line["what"]}


async def bob_asks(stage: Stage) -> Evidence:
    first, stage.chat = stage.session, None
    chat = await stage.bob.start_chat(ALICE_MSN)
    chat.send(COMING)
    heard = await stage.hears(COMING)
    stage.session = await stage.trails.newest_session(await stage.bob_id())
    invited = await stage.trails.session(stage.session, "invited")
    rang = await stage.command("RNG", "S", ALICE_MSN)
    stage.chat = next(c for c in stage.device.chats.values() if c.dialog is not None)
    ok = stage.session != first and heard.facts.get("session") == "yes"
    return {"ok": ok, **log(rang), "trail": invited["what"], "device log": heard.what}


async def they_talk(stage: Stage) -> Evidence:
    assert stage.chat is not None
    _, status = await stage.chat.send(ANSWERS[0])
    await stage.bob.text(ANSWERS[0])
    stage.bob.chat.send(ANSWERS[1])
    heard = await stage.hears(ANSWERS[1])
    came = await stage.trails.received(await stage.bob_id(), ANSWERS[1])
    ok = status == 200 and came["session"] == stage.session and came["origin"] == "msn"
    return {"ok": ok, "Bob's window": _window(stage), "device log": heard.what, "session": came["session"]}


async def bob_closes(stage: Stage) -> Evidence:
    closing = asyncio.create_task(
        stage.device.journal.wait("sip.in", lambda e: e.what.startswith("BYE") and e.at >= stage.since)
    )
    stage.bob.chat.leave()
    bye = await closing
    lines = [(await stage.trails.session(stage.session, step))["what"] for step in ("closing", "closed")]
    left = await stage.command("BYE", "S", ALICE_MSN)
    ok = BOB_MSN in lines[0] and "BYE 200" in lines[1]
    return {"ok": ok, **log(left), "device log": bye.what, "trail": lines}


def _with(text: str) -> Callable[[Line], bool]:
    def carries(line: Line) -> bool:
        return text.encode() in (line.payload or b"")

    return carries


def _window(stage: Stage) -> list[str]:
    return [f"{line.sender}: {line.text}" for line in stage.bob.chat.lines]
