"""Who is there, who is not, and what waits for them."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from datetime import datetime

from opencpm.lab.http import segment
from opencpm.lab.story.driver import Evidence
from opencpm.lab.story.trails import patiently
from opencpm.lab.story.yahoo.stage import ALICE_ID, ALICE_YAHOO, BOB, BOB_ID, CAROL, CAROL_ID, TO_BOB, Stage, log
from opencpm.protocols.ymsg.services import CUSTOM

AT_WORK = "at work, write me"
NOTE = "in a meeting"
LATER = "Call me when you are back."
FOR_ALICE = "I am back. Where are you?"
SINCE_THEN = 2.0  # seconds by which times may differ: stored messages have whole seconds


async def links(stage: Stage) -> Evidence:
    body = {"network": "yahoo", "address": ALICE_YAHOO, "password": stage.town.password, "wait": 20}
    linked = await stage.town.api().post("/accounts", body)
    challenge, proof = await stage.packet("AUTH", "S", ALICE_ID), await stage.packet("AUTHRESP", "C", ALICE_ID)
    listed = await stage.packet("LIST", "S", ALICE_ID)
    ok = linked["state"] == "connected" and stage.town.yahoo.is_online(ALICE_ID)
    return {"ok": ok, "account": linked["detail"], **log(challenge, proof, listed)}


async def bob_appears(stage: Stage) -> Evidence:
    await stage.bob.sign_in()
    stage.bob.show(CUSTOM, AT_WORK, 0)
    told = await stage.packet("ISAWAY", "S", ALICE_ID, lambda line: AT_WORK in line.text)
    shown = await stage.seen(BOB, "available", AT_WORK)
    return {"ok": shown["network"] == "yahoo", **log(told), "what Alice is shown": shown}


async def alice_appears(stage: Stage) -> Evidence:
    api, happened = stage.town.api(), stage.bob.happened
    await api.put("/me/presence", {"availability": "busy", "note": NOTE})
    await happened.wait(lambda it: (it.what, it.peer, it.text) == ("presence", ALICE_ID, f"99 {NOTE}"))
    said = await stage.packet("ISAWAY", "C", ALICE_ID, lambda line: NOTE in line.text)
    flag = stage.bob.presence[ALICE_ID].away
    await api.put("/me/presence", {"availability": "available", "note": ""})
    await happened.wait(lambda it: (it.what, it.text, it.at > said.at) == ("presence", "0", True))
    back = await stage.packet("ISBACK", "C", ALICE_ID)
    return {"ok": flag == 1, **log(said, back), "what Bob sees": f"{NOTE} (busy)"}


async def bob_goes(stage: Stage) -> Evidence:
    await stage.bob.sign_out()
    await stage.seen(BOB, "offline")
    sent = await stage.device.message(TO_BOB, LATER)
    accepted = await stage.trails.message(sent.message_id, "accepted", lambda line: "keepalive" in line["what"])
    left = await stage.packet("MESSAGE", "C", ALICE_ID, lambda line: LATER in line.text)
    kept = stage.town.yahoo.keeps(BOB_ID)
    return {"ok": sent.status == 202 and kept == 1, **log(left), "trail": accepted["what"], "kept for Bob": kept}


async def bob_returns(stage: Stage) -> Evidence:
    await stage.bob.sign_in()
    got = await stage.bob.happened.wait(lambda it: it.what == "stored" and it.peer == ALICE_ID)
    said = await stage.packet("MESSAGE", "S", BOB_ID, lambda line: line.text.startswith("MESSAGE (5)"))
    await stage.seen(BOB, "available")
    return {"ok": got.text == LATER, **log(said), "Bob's text": got.text}


async def alice_returns(stage: Stage) -> Evidence:
    api = stage.town.api()
    await api.patch(stage.account_path, {"enabled": False})
    await patiently("end of Alice's connection", _is(lambda: not stage.town.yahoo.is_online(ALICE_ID)))
    written = time.time()
    stage.bob.say(ALICE_ID, FOR_ALICE)
    await patiently("message kept for Alice", _is(lambda: stage.town.yahoo.keeps(ALICE_ID) == 1))
    await api.patch(stage.account_path, {"enabled": True})
    heard = await stage.hears(FOR_ALICE)
    came = await stage.trails.received(await stage.bob_id(), FOR_ALICE)
    said = await stage.packet("MESSAGE", "S", ALICE_ID, lambda line: line.text.startswith("MESSAGE (5)"))
    sent_at = datetime.fromisoformat(came["sent_at"]).timestamp()
    ok = abs(sent_at - written) <= SINCE_THEN
    return {"ok": ok, "device log": heard.what, "written": came["sent_at"], **log(said)}


async def elsewhere(stage: Stage) -> Evidence:
    api, other = stage.town.api(), stage.town.yahoo.buddy(ALICE_ID)
    await stage.account("connected")
    await other.sign_in()
    thrown_out = await stage.packet("LOGOFF", "S", ALICE_ID, lambda line: line.text == "LOGOFF (-1)")
    before = await stage.account("elsewhere")
    stayed = other.online
    after = await api.post(f"{stage.account_path}/verify", {"wait": 20})
    await other.happened.wait(lambda it: it.what == "failed" and "another place" in it.text)
    ok = stayed and after["state"] == "connected"
    return {"ok": ok, **log(thrown_out), "account then": before["detail"], "account now": after["detail"]}


async def stranger_asks(stage: Stage) -> Evidence:
    api, carol = stage.town.api(), stage.town.carol
    await stage.account("connected")
    carol.add(ALICE_ID, "it is me")

    async def asked() -> str | None:
        requests = await api.get("/contact-requests")
        return next((str(r["id"]) for r in requests if r["address"] == CAROL), None)

    ident = await patiently("contact request", asked)
    await api.post(f"/contact-requests/{segment(ident)}", {"answer": "decline"})
    refused = await carol.happened.wait(lambda it: it.what == "refused" and it.peer == ALICE_ID)
    said = await stage.packet("CONTACTDENY", "C", ALICE_ID)
    told = await stage.packet("CONTACTNEW", "S", CAROL_ID)
    listed = ALICE_ID in stage.town.yahoo.account(CAROL_ID).listed
    return {"ok": refused.peer == ALICE_ID and not listed, **log(said, told)}


def _is(true: Callable[[], bool]) -> Callable[[], Awaitable[bool | None]]:
    async def look() -> bool | None:
        return True if true() else None

    return look
