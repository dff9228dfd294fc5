"""Who is there, who is not, and what waits for them."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from datetime import datetime

from opencpm.lab.http import segment
from opencpm.lab.msn.log import Line
from opencpm.lab.story.driver import Evidence
from opencpm.lab.story.msn.stage import ALICE_MSN, BOB, BOB_MSN, CAROL_MSN, TO_BOB, Stage, log
from opencpm.lab.story.trails import patiently

AT_WORK = "at work, write me"
NOTE = "in a meeting"
LATER = "Call me when you are back."
FOR_ALICE = "I am back. Where are you?"
SINCE_THEN = 2.0  # seconds by which times may differ: offline messages have whole seconds


async def links(stage: Stage) -> Evidence:
    body = {"network": "msn", "address": ALICE_MSN, "password": stage.town.password, "wait": 20}
    linked = await stage.town.api().post("/accounts", body)
    version = await stage.command("VER", "S", "")
    proof = await stage.command("USR", "C", ALICE_MSN, lambda line: "SSO S" in line.text)
    token, book = [await stage.command("POST", "C", ALICE_MSN, _about(what)) for what in ("RST", "ABFindAll")]
    ok = linked["state"] == "connected" and stage.town.msn.is_online(ALICE_MSN) and version.text.endswith("MSNP18")
    return {"ok": ok, "account": linked["detail"], **log(version, token, proof, book)}


async def bob_appears(stage: Stage) -> Evidence:
    stage.bob.note = AT_WORK
    await stage.bob.sign_in()
    told = await stage.command("NLN", "S", ALICE_MSN, lambda line: BOB_MSN in line.text)
    shown = await stage.seen(BOB, "available", AT_WORK)
    return {"ok": shown["network"] == "msn", **log(told), "what Alice is shown": shown}


async def alice_appears(stage: Stage) -> Evidence:
    api, happened = stage.town.api(), stage.bob.happened
    await api.put("/me/presence", {"availability": "busy", "note": NOTE})
    await happened.wait(lambda it: (it.what, it.peer, it.text) == ("presence", ALICE_MSN, "BSY"))
    await happened.wait(lambda it: (it.what, it.peer, it.text) == ("note", ALICE_MSN, NOTE))
    said = await stage.command("CHG", "C", ALICE_MSN, lambda line: "BSY" in line.text)
    seen = {"state": stage.bob.presence[ALICE_MSN], "note": stage.bob.notes[ALICE_MSN]}
    await api.put("/me/presence", {"availability": "available", "note": ""})
    await happened.wait(lambda it: (it.what, it.text, it.at > said.at) == ("presence", "NLN", True))
    return {"ok": seen == {"state": "BSY", "note": NOTE}, **log(said), "what Bob sees": seen}


async def bob_goes(stage: Stage) -> Evidence:
    await stage.bob.sign_out()
    await stage.seen(BOB, "offline")
    sent = await stage.device.message(TO_BOB, LATER)
    accepted = await stage.trails.message(sent.message_id, "accepted", lambda line: "offline" in line["what"])
    left = await stage.command("UUM", "C", ALICE_MSN)
    ok = sent.status == 202 and stage.town.msn.keeps(BOB_MSN) == 1
    return {"ok": ok, **log(left), "trail": accepted["what"], "kept for Bob": stage.town.msn.keeps(BOB_MSN)}


async def bob_returns(stage: Stage) -> Evidence:
    await stage.bob.sign_in()
    told = await stage.bob.happened.wait(lambda it: it.what == "offline-message" and it.peer == ALICE_MSN)
    notice = await stage.command("MSG", "S", BOB_MSN, lambda line: b"initialmdatanotification" in (line.payload or b""))
    return {"ok": told.text.encode() in (notice.payload or b""), **log(notice), "message id": told.text}


async def alice_returns(stage: Stage) -> Evidence:
    api, path = stage.town.api(), f"/accounts/msn/{segment(ALICE_MSN)}"
    await api.patch(path, {"enabled": False})
    await stage.bob.happened.wait(lambda it: it.what == "presence" and it.text == "FLN")
    written = time.time()
    stage.bob.leave_message(ALICE_MSN, FOR_ALICE)
    await patiently("message kept for Alice", _kept(stage, 1))
    await api.patch(path, {"enabled": True})
    heard = await stage.hears(FOR_ALICE)
    came = await stage.trails.received(await stage.bob_id(), FOR_ALICE)
    await patiently("removal of the message by the server", _kept(stage, 0))
    removed = await stage.command("POST", "C", ALICE_MSN, _about("DeleteMessages"))
    sent_at = datetime.fromisoformat(came["sent_at"]).timestamp()
    ok = abs(sent_at - written) <= SINCE_THEN and removed.at >= heard.at - SINCE_THEN
    return {"ok": ok, "device log": heard.what, "written": came["sent_at"], **log(removed)}


async def stranger_asks(stage: Stage) -> Evidence:
    api, carol = stage.town.api(), stage.town.carol
    await stage.account("connected")
    await carol.sign_in()
    carol.add(ALICE_MSN)

    async def asked() -> str | None:
        requests = await api.get("/contact-requests")
        return next((str(r["id"]) for r in requests if r["address"] == f"msn:{CAROL_MSN}"), None)

    ident = await patiently("contact request", asked)
    await api.post(f"/contact-requests/{segment(ident)}", {"answer": "accept"})
    allowed = await stage.command("ADL", "C", ALICE_MSN, lambda line: b'n="carol"' in (line.payload or b""))
    await carol.happened.wait(lambda it: it.what == "presence" and it.peer == ALICE_MSN and it.text == "NLN")
    return {"ok": carol.presence[ALICE_MSN] == "NLN", **log(allowed), "what Carol sees": carol.presence}


def _about(operation: str) -> Callable[[Line], bool]:
    return lambda line: operation in line.text


def _kept(stage: Stage, count: int) -> Callable[[], Awaitable[bool | None]]:
    async def look() -> bool | None:
        return True if stage.town.msn.keeps(ALICE_MSN) == count else None

    return look
