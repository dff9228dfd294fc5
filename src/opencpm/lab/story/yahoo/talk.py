"""The sessions of the story, and the conference."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from opencpm.lab.http import segment
from opencpm.lab.story.driver import Evidence
from opencpm.lab.story.trails import patiently
from opencpm.lab.story.yahoo.stage import ALICE_ID, BOB, BOB_ID, CAROL_ID, TO_BOB, Stage, log
from opencpm.protocols.ymsg.services import Service

HELLO, HELLO_BACK = "Hello Bob ☃", "Hello Alice, how are you?"
LOST = "It broke. Still there?"
AFTER, OUTSIDE = "One more thing.", "You have closed the window?"
PLANS, ANSWER, THEIRS = "Dinner on Friday?", "Yes, at eight.", "fine with me"


async def alice_asks(stage: Stage) -> Evidence:
    before = len(stage.town.yahoo.log.of("MESSAGE", user=ALICE_ID))
    stage.chat = await stage.device.invite(TO_BOB)
    stage.session = await stage.trails.newest_session(await stage.bob_id())
    line = await stage.trails.session(stage.session, "established")
    said = len(stage.town.yahoo.log.of("MESSAGE", user=ALICE_ID)) - before
    return {"ok": "yahoo" in line["what"].lower() and said == 0, "trail": line["what"], "packets to Bob": said}


async def alice_writes(stage: Stage) -> Evidence:
    assert stage.chat is not None
    stage.chat.compose()
    await stage.bob.happened.wait(lambda it: it.what == "typing" and it.peer == ALICE_ID)
    sent, status = await stage.chat.send(HELLO)
    await stage.bob.text(HELLO)
    lines = [
        await stage.packet("NOTIFY", "C", ALICE_ID),
        await stage.packet("MESSAGE", "C", ALICE_ID, lambda line: HELLO in line.text),
        await stage.packet("KEEPALIVE", "S", ALICE_ID),
    ]
    accepted = await stage.trails.message(sent, "accepted")
    talk = await stage.town.api().get(f"/conversations/{segment(await stage.bob_id())}/messages")
    state = next(m["deliveries"][0]["state"] for m in talk["messages"] if m["text"] == HELLO)
    ok = status == 200 and state == "accepted"
    return {"ok": ok, **log(*lines), "trail": accepted["what"], "state": state}


async def bob_writes(stage: Stage) -> Evidence:
    stage.bob.typing(ALICE_ID)
    await stage.device.journal.wait("composing", lambda e: e.what == "active" and e.at >= stage.since)
    stage.bob.say(ALICE_ID, HELLO_BACK)
    heard = await stage.hears(HELLO_BACK)
    said = await stage.packet("MESSAGE", "C", BOB_ID, lambda line: HELLO_BACK in line.text)
    return {"ok": heard.facts.get("session") == "yes", **log(said), "device log": heard.what}


async def connection_dies(stage: Stage) -> Evidence:
    assert stage.chat is not None
    faults = stage.town.yahoo.faults
    faults.drop.add(Service.MESSAGE)
    sending = asyncio.create_task(stage.chat.send(LOST))
    await stage.packet("MESSAGE", "C", ALICE_ID, lambda line: LOST in line.text)
    faults.drop.clear()
    sent, _ = await sending
    await stage.account("connected")
    closed = await stage.trails.session(stage.session, "closing")
    await stage.bob.text(LOST)
    again = await stage.packet("MESSAGE", "C", ALICE_ID, lambda line: LOST in line.text)
    accepted = await stage.trails.message(sent, "accepted")
    got = stage.bob.texts().count(LOST)
    return {"ok": got == 1, **log(again), "trail": [closed["what"], accepted["what"]], "at Bob's": got}


async def alice_closes(stage: Stage) -> Evidence:
    await stage.seen(BOB, "available")
    first = stage.session
    stage.chat = await stage.device.invite(TO_BOB)
    stage.session = await stage.trails.newest_session(await stage.bob_id())
    await stage.chat.send(AFTER)
    await stage.bob.text(AFTER)
    status = await stage.chat.close()
    line = await stage.trails.session(stage.session, "closed")
    stage.bob.say(ALICE_ID, OUTSIDE)
    heard = await stage.hears(OUTSIDE)
    ok = status == 200 and stage.session != first and heard.facts.get("session") != "yes"
    return {"ok": ok, "trail": line["what"], "device log": heard.what}


async def bob_offers(stage: Stage) -> Evidence:
    stage.bob.offer_file(ALICE_ID, "photo.jpg")
    told = await stage.bob.text("I cannot receive files here; please send text.")
    offered = await stage.packet("P2PFILEXFER", "S", ALICE_ID)
    refused = await stage.packet("P2PFILEXFER", "C", ALICE_ID)
    return {"ok": "13=2" in refused.text, **log(offered, refused), "Bob's text": told}


async def bob_confers(stage: Stage) -> Evidence:
    first, stage.chat = stage.session, None
    await stage.town.carol.sign_in()
    stage.room = stage.bob.confer(CAROL_ID, ALICE_ID, text=PLANS)
    invited = await stage.packet("CONFADDINVITE", "S", ALICE_ID)
    joined = await stage.packet("CONFLOGON", "C", ALICE_ID)

    async def fresh() -> str | None:
        newest = await stage.trails.newest_session(await stage.bob_id())
        return newest if newest != first else None

    stage.session = await patiently("session of the conference", fresh)
    line = await stage.trails.session(stage.session, "invited")
    stage.chat = next(c for c in stage.device.chats.values() if c.dialog is not None)
    return {"ok": joined.at >= invited.at, **log(invited, joined), "trail": line["what"]}


async def three_talk(stage: Stage) -> Evidence:
    assert stage.chat is not None
    carol = stage.town.carol
    await patiently("everybody in the conference", _all_in(stage))
    stage.bob.say_in(stage.room, PLANS)
    first = await stage.hears(PLANS)
    _, status = await stage.chat.send(ANSWER)
    await asyncio.gather(stage.bob.text(ANSWER), carol.text(ANSWER))
    carol.say_in(stage.room, THEIRS)
    second = await stage.hears(f"{CAROL_ID}: {THEIRS}")
    said = await stage.packet("CONFMSG", "C", ALICE_ID)
    heard = [first.what, second.what]
    return {"ok": status == 200 and "53=bob 53=carol" in said.text, **log(said), "device log": heard}


def _all_in(stage: Stage) -> Callable[[], Awaitable[bool | None]]:
    async def look() -> bool | None:
        everybody = {ALICE_ID, BOB_ID, CAROL_ID}
        rooms = [buddy.rooms.get(stage.room) for buddy in (stage.bob, stage.town.carol)]
        return True if rooms == [everybody, everybody] else None

    return look


async def others_leave(stage: Stage) -> Evidence:
    closing = asyncio.create_task(
        stage.device.journal.wait("sip.in", lambda e: e.what.startswith("BYE") and e.at >= stage.since)
    )
    stage.bob.leave(stage.room)
    stage.town.carol.leave(stage.room)
    bye = await closing
    line = await stage.trails.session(stage.session, "closed")
    left = await stage.packet("CONFLOGOFF", "S", ALICE_ID)
    return {"ok": "BYE 200" in line["what"], **log(left), "device log": bye.what, "trail": line["what"]}
