"""Steps 1 to 10: a text to an ordinary phone, and the answer."""

from __future__ import annotations

from opencpm.lab.story.concert.stage import PATIENCE, Evidence, Stage, sip, smpp
from opencpm.lab.story.trails import candidate, fact
from opencpm.lab.world import ALICE_NUMBER, BOB_NUMBER

TEXT = "Hi Bob, are you coming to the concert in Łódź on Friday? I have a spare ticket 🎫"
REPLY = "Maybe. Let us talk on MSN!"
PEER = "bob"


async def composes(stage: Stage) -> Evidence:
    stage.sent = await stage.device.message(f"tel:{BOB_NUMBER}", TEXT)
    request = stage.wire("sip.out", lambda e: e.what.startswith("MESSAGE"))
    text = TEXT.encode() in request.raw
    return {"ok": text and stage.message_id.encode() in request.raw, **sip(request), "text on the wire": text}


async def device_sends(stage: Stage) -> Evidence:
    line = await stage.trails.message(stage.message_id, "received")
    answer = stage.wire("sip.in", lambda e: b"MESSAGE" in e.raw and e.what.startswith("SIP/2.0 "))
    return {"ok": answer.what == "SIP/2.0 202 Accepted", **sip(answer), "trail": line["what"]}


async def server_checks_message(stage: Stage) -> Evidence:
    stage.selected = await stage.trails.message(stage.message_id, "deferred" if stage.sms_is_down else "selected")
    check = fact(stage.selected, "content")
    return {"ok": check["kept"] and check["evidence"].startswith("text/plain"), "trail": check}


async def server_checks_address(stage: Stage) -> Evidence:
    check = fact(stage.selected, "address")
    return {"ok": check["kept"] and "legacy network user" in check["evidence"], "trail": check}


async def goes_as_sms(stage: Stage) -> Evidence:
    if stage.sms_is_down:
        return await _after_the_break(stage)
    chosen = stage.selected["data"]["chosen"]
    submit = await stage.pdu("submit_sm", lambda pdu: pdu["destination_addr"] == BOB_NUMBER[1:])
    return {
        "ok": chosen["network"] == "sms" and chosen["target"] == f"tel:{BOB_NUMBER}",
        "trail": {"why": stage.selected["what"], "sms": candidate(stage.selected, "sms")["notes"]},
        **smpp(submit),
        "PDUs": len(stage.pdus("submit_sm")),
    }


async def _after_the_break(stage: Stage) -> Evidence:
    """The SMS centre is down: what the settings ask for, and what follows when it is back."""
    waits_for = stage.selected["data"]["waits_for"]
    early = len(stage.pdus("submit_sm"))
    deferred = {
        "what": stage.selected["what"],
        "waits for": waits_for,
        "sms": candidate(stage.selected, "sms")["notes"],
        "msn": candidate(stage.selected, "msn")["notes"],
    }
    await stage.world.smsc.up()
    stage.sms_is_down = False
    later = await stage.trails.message(stage.message_id, "selected")
    submit = await stage.pdu("submit_sm", lambda pdu: pdu["destination_addr"] == BOB_NUMBER[1:])
    ok = waits_for == "network:sms" and early == 0 and later["data"]["chosen"]["network"] == "sms"
    return {
        "ok": ok,
        "while it was down": {"trail": deferred, "PDUs at the SMSC": early},
        "when it was back": {"trail": later["what"], **smpp(submit)},
    }


async def reaches_phone(stage: Stage) -> Evidence:
    text = await stage.world.phone.wait_text(stage.texts_before, PATIENCE)
    line = await stage.trails.message(stage.message_id, "delivered")
    mine = stage.message_id
    told = await stage.device.journal.wait("imdn", lambda e: e.what == "delivered" and e.facts["message_id"] == mine)
    return {
        "ok": text.text == TEXT and text.sender == ALICE_NUMBER,
        "phone": {"text": text.text, "from": text.sender, "segments": text.segments},
        "trail": line["what"],
        "device log": f"IMDN {told.what} for {told.facts['message_id']}",
    }


async def bob_replies(stage: Stage) -> Evidence:
    await stage.world.bob_signs_in()
    sent = stage.world.phone.reply(REPLY)
    pdu = await stage.pdu("deliver_sm", lambda p: p["source_addr"] == BOB_NUMBER[1:] and not int(p["esm_class"]) & 0x3C)
    answer = await stage.pdu("deliver_sm_resp", lambda p: p["sequence"] == pdu.decoded()["sequence"])
    status = answer.decoded()["status"]
    return {"ok": status == "ESME_ROK" and sent.to == ALICE_NUMBER, **smpp(pdu), "its answer": answer.decoded()}


async def reply_arrives(stage: Stage) -> Evidence:
    message = await stage.trails.received(PEER, REPLY)
    stage.reply = message["id"]
    line = await stage.trails.message(stage.reply, "received")
    return {"ok": message["from"] == f"tel:{BOB_NUMBER}" and message["origin"] == "sms", "trail": line["what"]}


async def server_checks_status(stage: Stage) -> Evidence:
    line = await stage.trails.message(stage.reply, "selected")
    check = fact(line, "status")
    return {"ok": check["kept"] and "available" in check["evidence"], "trail": check}


async def reply_shows(stage: Stage) -> Evidence:
    shown = await stage.device.journal.wait("message", lambda e: e.what == REPLY and e.at >= stage.since)
    line = await stage.trails.message(stage.reply, "delivered")
    return {"ok": shown.facts["sender"] == f"tel:{BOB_NUMBER}", "device log": shown.what, "trail": line["what"]}
