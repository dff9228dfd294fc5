"""The steps; each looks at the trail of Alice's server and at what the XMPP side has seen."""

from __future__ import annotations

from opencpm.lab.device import Refused
from opencpm.lab.story.driver import Evidence
from opencpm.lab.story.trails import candidate, patiently
from opencpm.lab.story.xmpp.stage import Stage, xmpp
from opencpm.lab.story.xmpp.world import ALICE_JID, BOB_JID
from opencpm.lab.xmpp.prosody import DOMAIN

TEXT = "Hi Bob, are you coming to Łódź on Friday? 🎫"
REPLY = "Yes! When?"
QUESTION, ANSWER = "Shall we meet at seven?", "At the fountain."
HELLO, HELLO_BACK = "Alice, one more thing", "Go on"
LATER = "See you tomorrow"
BOB = f"sip:bob%40{DOMAIN}@cpm.test"
PEER = "bob"


async def component_is_up(stage: Stage) -> Evidence:
    async def up() -> dict[str, str] | None:
        connectors = (await stage.world.api().get("/status"))["connectors"]
        return next((one for one in connectors if one["name"] == "xmpp" and one["state"] == "up"), None)

    status = await patiently("link to the XMPP server", up)
    return {
        "ok": stage.world.lab.component in status["detail"],
        "server": "Prosody" if stage.world.real else "the lab's",
        "status": status["detail"],
    }


async def bob_asks(stage: Stage) -> Evidence:
    await stage.world.bob_in()
    stage.bob.watch(ALICE_JID)

    async def asked() -> dict[str, str] | None:
        requests = await stage.world.api().get("/contact-requests")
        return next((one for one in requests if one["address"] == f"xmpp:{BOB_JID}"), None)

    request = await patiently("contact request from Bob", asked)
    return {"ok": request["network"] == "xmpp" and ALICE_JID not in stage.bob.sees, "request": request}


async def alice_accepts(stage: Stage) -> Evidence:
    request = (await stage.world.api().get("/contact-requests"))[0]
    answer = {"answer": "accept", "name": "Bob"}
    await stage.world.api().post(f"/contact-requests/{request['id']}", answer)
    told = await stage.stanza("presence", f'from="{ALICE_JID}', 'type="subscribed"')
    await stage.bob.until(lambda: ALICE_JID in stage.bob.sees)
    seen = await stage.bob_as_seen("available")
    return {"ok": stage.bob.sees[ALICE_JID].type == "", **xmpp(told), "Alice sees": seen}


async def alice_is_busy(stage: Stage) -> Evidence:
    await stage.world.api().put("/me/presence", {"availability": "busy", "note": "at work"})
    shown = await stage.stanza("presence", "<show>dnd</show>", "at work")
    await stage.bob.until(lambda: stage.bob.sees[ALICE_JID].show == "dnd")
    await stage.world.api().put("/me/presence", {"availability": "available", "note": ""})
    await stage.bob.until(lambda: stage.bob.sees[ALICE_JID].show == "")
    return {"ok": True, **xmpp(shown)}


async def bob_is_away(stage: Stage) -> Evidence:
    stage.bob.set_status("away", "in Rome until Friday")
    seen = await stage.bob_as_seen("away")
    stage.bob.set_status()
    await stage.bob_as_seen("available")
    return {"ok": seen["note"] == "in Rome until Friday" and seen["network"] == "xmpp", "Alice sees": seen}


async def alice_writes(stage: Stage) -> Evidence:
    stage.bob.reads = True
    stage.sent = await stage.device.message(BOB, TEXT)
    selected = await stage.trails.message(stage.message_id, "selected")
    accepted = await stage.trails.message(stage.message_id, "accepted")
    text = await stage.bob.text(TEXT)
    came = await stage.stanza("message", TEXT)
    chosen = selected["data"]["chosen"]
    return {
        "ok": chosen["target"] == f"xmpp:{BOB_JID}" and text.sender == ALICE_JID and stage.sent.status == 202,
        "trail": [selected["what"], candidate(selected, "xmpp")["notes"], accepted["what"]],
        **xmpp(came),
    }


async def alice_is_told(stage: Stage) -> Evidence:
    delivered = await stage.trails.message(stage.message_id, "delivered")
    displayed = await stage.trails.message(stage.message_id, "displayed")
    told = [await stage.heard_imdn(word) for word in ("delivered", "displayed")]
    ok = "XEP-0184" in delivered["what"] and "XEP-0333" in displayed["what"]
    return {"ok": ok, "trail": [delivered["what"], displayed["what"]], "device log": [f"IMDN {e.what}" for e in told]}


async def bob_answers(stage: Stage) -> Evidence:
    ident = stage.bob.write(ALICE_JID, REPLY)
    heard = await stage.heard("message", lambda e: e.what == REPLY)
    message = await stage.trails.received(PEER, REPLY)
    delivered = await stage.trails.message(message["id"], "delivered")
    receipt = await stage.stanza("message", f'id="{ident}"', "urn:xmpp:receipts", "<received")
    await stage.bob.until(lambda: ident in stage.bob.receipts)
    return {
        "ok": message["from"] == f"xmpp:{BOB_JID}" and receipt.at >= heard.at,
        "device log": heard.what,
        "trail": delivered["what"],
        **xmpp(receipt),
    }


async def alice_asks_for_session(stage: Stage) -> Evidence:
    stage.chat = await stage.device.invite(BOB)
    stage.session = await stage.trails.newest_session(PEER)
    selected = await stage.trails.session(stage.session, "selected")
    established = await stage.trails.session(stage.session, "established")
    active = await stage.stanza("message", "<active", "<thread>")
    return {
        "ok": selected["data"]["chosen"]["network"] == "xmpp" and active.sender.startswith(ALICE_JID),
        "trail": [selected["what"], established["what"]],
        **xmpp(active),
    }


async def they_talk(stage: Stage) -> Evidence:
    assert stage.chat is not None
    stage.chat.compose()
    typing = await stage.stanza("message", "<composing")
    _, status = await stage.chat.send(QUESTION)
    text = await stage.bob.text(QUESTION)
    stage.bob.show_state(ALICE_JID, "composing", text.thread)
    await stage.heard("composing", lambda e: e.what == "active")
    stage.bob.write(ALICE_JID, ANSWER, thread=text.thread)
    heard = await stage.heard("message", lambda e: e.what == ANSWER)
    message = await stage.trails.received(PEER, ANSWER)
    said = await stage.stanza("message", QUESTION)
    return {
        "ok": status == 200 and message["session"] == stage.session and heard.facts.get("session") == "yes",
        "MSRP status": status,
        "XMPP log": [typing.text, said.text],
        "device log": heard.what,
    }


async def alice_closes(stage: Stage) -> Evidence:
    assert stage.chat is not None
    status = await stage.chat.close()
    gone = await stage.stanza("message", "<gone")
    closed = await stage.trails.session(stage.session, "closed")
    told = await stage.heard("message", lambda e: "has ended" in e.what)
    ok = status == 200 and "<gone/>" in closed["what"] and "taken by the server" in told.what
    return {"ok": ok, "trail": closed["what"], "device log": told.what, **xmpp(gone)}


async def bob_begins(stage: Stage) -> Evidence:
    stage.bob.write(ALICE_JID, HELLO, thread="b0b")
    invited = await stage.heard("invited", lambda e: True)
    heard = await stage.heard("message", lambda e: e.what == HELLO)
    message = await stage.trails.received(PEER, HELLO)
    stage.session = message["session"]
    chat = next(chat for chat in stage.device.chats.values() if chat is not stage.chat)
    await chat.send(HELLO_BACK)
    text = await stage.bob.text(HELLO_BACK)
    established = await stage.trails.session(stage.session, "established")
    return {
        "ok": heard.facts.get("session") == "yes" and text.thread == "b0b",
        "device log": [f"invited by {invited.what}", heard.what],
        "trail": established["what"],
        **xmpp(await stage.stanza("message", HELLO_BACK)),
    }


async def bob_closes(stage: Stage) -> Evidence:
    stage.bob.show_state(ALICE_JID, "gone", "b0b")
    closing = await stage.trails.session(stage.session, "closing")
    closed = await stage.trails.session(stage.session, "closed")
    ended = await stage.heard("closed", lambda e: "BYE received" in e.what)
    return {"ok": BOB_JID in closing["what"], "trail": [closing["what"], closed["what"]], "device log": ended.what}


async def bob_signs_out(stage: Stage) -> Evidence:
    await stage.world.bob_out()
    seen = await stage.bob_as_seen("offline")
    try:
        await stage.device.invite(BOB)
        refused = ""
    except Refused as refusal:
        refused = f"{refusal.status} {refusal.reason}"
    return {"ok": refused.startswith("480"), "Alice sees": seen, "a session with him": refused}


async def offline_message(stage: Stage) -> Evidence:
    stage.sent = await stage.device.message(BOB, LATER)
    accepted = await stage.trails.message(stage.message_id, "accepted")
    trail = await stage.world.api().get(f"/messages/{stage.message_id}/trail")
    steps = [line["step"] for line in trail["trail"]]
    return {"ok": "delivered" not in steps and stage.sent.status == 202, "trail": accepted["what"], "steps": steps}


async def bob_is_back(stage: Stage) -> Evidence:
    await stage.world.bob_in()
    text = await stage.bob.text(LATER)
    delivered = await stage.trails.message(stage.message_id, "delivered")
    told = await stage.heard_imdn("delivered")
    return {"ok": text.delayed, "trail": delivered["what"], "device log": f"IMDN {told.what}"}


async def to_nobody(stage: Stage) -> Evidence:
    stage.sent = await stage.device.message(f"sip:nobody%40{DOMAIN}@cpm.test", "Is anybody there?")
    tried = await stage.trails.message(stage.message_id, "retried")
    failed = await stage.trails.message(stage.message_id, "failed")
    told = await stage.heard_imdn("failed")
    ok = "service-unavailable" in tried["what"] and "cannot be reached on XMPP" in failed["what"]
    return {"ok": ok, "trail": [tried["what"], failed["what"]], "device log": f"IMDN {told.what}"}
