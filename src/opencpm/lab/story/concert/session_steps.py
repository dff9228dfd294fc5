"""Steps 11 to 23: a session of a CPM device with a person on MSN."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from opencpm.lab.device import Entry
from opencpm.lab.story.concert.message_steps import PEER
from opencpm.lab.story.concert.stage import Evidence, Stage, msn, sip
from opencpm.lab.story.trails import Line, candidate
from opencpm.lab.world import ALICE, ALICE_MSN, BOB_MSN, BOB_NUMBER

QUESTION = "Shall we meet at seven?"
QUESTION_BACK = "Where?"
ANSWER = "At the fountain."
PROMISE = "I will come!"


async def asks_for_session(stage: Stage) -> Evidence:
    stage.inviting = asyncio.create_task(stage.device.invite(f"tel:{BOB_NUMBER}"))
    await _out(stage, "INVITE")
    request = stage.wire("sip.out", lambda e: e.what.startswith("INVITE"))
    return {"ok": b"m=message" in request.raw, **sip(request)}


async def request_arrives(stage: Stage) -> Evidence:
    stage.session = await stage.trails.newest_session(PEER)
    line = await stage.trails.session(stage.session, "invited")
    return {"ok": ALICE in line["what"], "trail": line["what"], "session": stage.session}


async def target_is_msn_user(stage: Stage) -> Evidence:
    line = await stage.trails.session(stage.session, "selected")
    chosen, sms = line["data"]["chosen"], candidate(line, "sms")
    ok = chosen["network"] == "msn" and chosen["target"] == f"msn:{BOB_MSN}" and not sms["kept"]
    notes = {"sms": sms["notes"], "msn": candidate(line, "msn")["notes"]}
    return {"ok": ok, "trail": {"why": line["what"], "chosen": chosen, "rules": notes}}


async def request_goes_to_msn(stage: Stage) -> Evidence:
    call = await stage.command("CAL", "C", ALICE_MSN)
    return {"ok": BOB_MSN in call.text, **msn(call)}


async def msn_answers(stage: Stage) -> Evidence:
    joined = await stage.command("JOI", "S", ALICE_MSN)
    bob = await stage.command("ANS", "C", "", lambda line: BOB_MSN in line.text)
    return {"ok": BOB_MSN in joined.text, **msn(joined), "Bob's side": f"{bob.verb} on {bob.connection}"}


async def answer_reaches_alice(stage: Stage) -> Evidence:
    assert stage.inviting is not None
    stage.chat = await stage.inviting
    line = await stage.trails.session(stage.session, "established")
    answer = stage.wire("sip.in", _answers("INVITE"))
    return {"ok": answer.what == "SIP/2.0 200 OK", **sip(answer), "trail": line["what"]}


async def they_talk(stage: Stage) -> Evidence:
    assert stage.chat is not None
    stage.chat.compose()
    typing = await stage.command("MSG", "C", ALICE_MSN, lambda line: b"TypingUser" in (line.payload or b""))
    _, status = await stage.chat.send(QUESTION)
    said = await stage.command("MSG", "C", ALICE_MSN, lambda line: QUESTION.encode() in (line.payload or b""))
    await stage.world.bob.text(QUESTION)
    stage.world.bob.chat.typing()
    await stage.device.journal.wait("composing", lambda e: e.what == "active" and e.at >= stage.since)
    stage.world.bob.chat.send(QUESTION_BACK)
    heard = await _hears(stage, QUESTION_BACK)
    await stage.chat.send(ANSWER)
    await stage.world.bob.text(ANSWER)
    return {
        "ok": status == 200 and heard.facts.get("session") == "yes",
        "MSN log": [typing.text, said.text],
        "Bob's window": [f"{line.sender}: {line.text}" for line in stage.world.bob.chat.lines],
        "device log": heard.what,
        "MSRP status": status,
    }


async def bob_promises(stage: Stage) -> Evidence:
    stage.world.bob.chat.send(PROMISE)
    said = await stage.command("MSG", "C", BOB_MSN, lambda line: PROMISE.encode() in (line.payload or b""))
    heard = await _hears(stage, PROMISE)
    message = await stage.trails.received(PEER, PROMISE)
    return {
        "ok": message["session"] == stage.session and message["origin"] == "msn",
        **msn(said),
        "device log": heard.what,
        "server": {"id": message["id"], "session": message["session"]},
    }


async def alice_closes(stage: Stage) -> Evidence:
    assert stage.chat is not None
    stage.closing = asyncio.create_task(stage.chat.close())
    await _out(stage, "BYE")
    request = stage.wire("sip.out", lambda e: e.what.startswith("BYE"))
    return {"ok": stage.chat.dialog is not None and stage.chat.dialog.call_id.encode() in request.raw, **sip(request)}


async def closing_reaches_server(stage: Stage) -> Evidence:
    line = await stage.trails.session(stage.session, "closing")
    return {"ok": ALICE in line["what"], "trail": line["what"]}


async def closing_reaches_msn(stage: Stage) -> Evidence:
    out = await stage.command("OUT", "C", ALICE_MSN)
    return {"ok": out.text.startswith("OUT"), **msn(out)}


async def msn_closes(stage: Stage) -> Evidence:
    bye = await stage.command("BYE", "S", BOB_MSN)
    line = await stage.trails.session(stage.session, "closed")
    return {"ok": ALICE_MSN in bye.text and "msn" in line["what"], **msn(bye), "trail": line["what"]}


async def answer_of_closing(stage: Stage) -> Evidence:
    assert stage.closing is not None
    status = await stage.closing
    answer = stage.wire("sip.in", _answers("BYE"))
    feedback: Line = await stage.trails.session(stage.session, "feedback")
    told = await stage.device.journal.wait("message", lambda e: e.at >= stage.since and "has ended" in e.what)
    ok = status == 200 and answer.what == "SIP/2.0 200 OK" and feedback["what"].startswith("feedback to Alice")
    return {"ok": ok, **sip(answer), "trail": feedback["what"], "on her device": told.what}


async def _hears(stage: Stage, text: str) -> Entry:
    return await stage.device.journal.wait("message", lambda e: e.what == text and e.at >= stage.since)


async def _out(stage: Stage, method: str) -> None:
    await stage.device.journal.wait("sip.out", lambda e: e.what.startswith(method) and e.at >= stage.since)


def _answers(method: str) -> Callable[[Entry], bool]:
    """Final responses to a method, in the device's log."""
    mark = f" {method}\r\n".encode()
    return lambda e: e.what.startswith("SIP/2.0 ") and not e.what.startswith("SIP/2.0 1") and mark in e.raw
