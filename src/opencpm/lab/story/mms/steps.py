"""The steps: there, back, and what happens where multimedia messages are refused."""

from __future__ import annotations

from urllib.parse import urlsplit

from opencpm.lab.device import File
from opencpm.lab.mmsc import http
from opencpm.lab.story.driver import Evidence
from opencpm.lab.story.mms.stage import Stage, mm7, photograph
from opencpm.lab.story.mms.world import ALICE_NUMBER, BOB_NUMBER, CLASS
from opencpm.lab.story.trails import PATIENCE, candidate, fact
from opencpm.protocols.mm7.operations import DeliveryReportReq, Response, SubmitReq

TEXT = "The beach at Łeba, this morning 🏖️"
ANSWER = "And this is where I am!"
SECOND = "One more, before the battery is empty"
PEER = "bob"
LIMIT = 100 << 10
"""Octets of a message to a phone of the class image-rich."""


async def sends(stage: Stage) -> Evidence:
    picture = photograph(4000, 3000, 0)
    stage.sent = await stage.device.files.send(
        f"tel:{BOB_NUMBER}", TEXT, File("image/jpeg", picture, "beach.jpg"), form="large"
    )
    line = await stage.trails.message(stage.message_id, "received")
    return {
        "ok": stage.sent.status == 202,
        "device log": f"{stage.sent.status} for {stage.message_id}",
        "picture": f"4000x3000, {len(picture)} octets",
        "trail": line["what"],
    }


async def goes_by_mms(stage: Stage) -> Evidence:
    line = await stage.trails.message(stage.message_id, "selected")
    chosen, mms = line["data"]["chosen"], candidate(line, "mms")
    content = fact(line, "content")
    ok = chosen["network"] == "mms" and any("4000×3000" in note["evidence"] for note in mms["notes"])
    return {"ok": ok, "trail": {"why": line["what"], "content": content, "mms": mms["notes"]}}


async def is_adapted(stage: Stage) -> Evidence:
    line = await stage.operation("SubmitReq")
    answer = await stage.operation("SubmitRsp")
    trail = await stage.trails.message(stage.message_id, "accepted")
    said = answer.message.operation if answer.message else None
    taken = isinstance(said, Response) and said.status.code == 1000
    asked = isinstance(line.message.operation if line.message else None, SubmitReq)
    ok = (
        taken
        and asked
        and "image/jpeg" in str(line.decoded()["parts"])
        and any("4000×3000" in loss for loss in trail["data"]["losses"])
    )
    told = {"what": trail["what"], "losses": trail["data"]["losses"]}
    return {"ok": ok, **mm7(line), "its answer": answer.decoded(), "trail": told}


async def reaches_phone(stage: Stage) -> Evidence:
    mm = stage.shown = await stage.world.phone.wait_mm(0, PATIENCE)
    width, height = mm.pictures[0].pixels
    ok = mm.text == TEXT and mm.sender == ALICE_NUMBER and not mm.trouble and mm.size <= LIMIT
    return {
        "ok": ok and (width, height) == (640, 480),
        "phone": {
            "class": CLASS,
            "from": mm.sender,
            "text": mm.text,
            "picture": f"{width}x{height}",
            "octets": mm.size,
        },
    }


async def alice_is_told(stage: Stage) -> Evidence:
    def final(line: object) -> bool:
        return "Retrieved" in str(line)

    report = await stage.operation("DeliveryReportReq", lambda line: final(line.decoded()))
    said = report.message.operation if report.message else None
    early = [
        one.decoded()["mm_status"]
        for one in stage.world.mmsc.log.of("DeliveryReportReq")
        if one.decoded()["mm_status"] != "Retrieved"
    ]
    trail = await stage.trails.message(stage.message_id, "delivered")
    told = await stage.imdn("delivered", stage.message_id)
    return {
        "ok": isinstance(said, DeliveryReportReq) and "Retrieved" in trail["what"],
        **mm7(report),
        "passing reports before": early,
        "trail": trail["what"],
        "device log": f"IMDN {told.what} for {told.facts['message_id']}",
    }


async def bob_looks(stage: Stage) -> Evidence:
    assert stage.shown is not None
    await stage.world.phone.read(stage.shown)
    report = await stage.operation("ReadReplyReq")
    trail = await stage.trails.message(stage.message_id, "displayed")
    told = await stage.imdn("displayed", stage.message_id)
    return {
        "ok": "Read" in trail["what"],
        **mm7(report),
        "trail": trail["what"],
        "device log": f"IMDN {told.what} for {told.facts['message_id']}",
    }


async def bob_answers(stage: Stage) -> Evidence:
    picture = photograph(640, 480, 90)
    sent = await stage.world.phone.send(ANSWER, [("me.jpg", "image/jpeg", picture)], to=ALICE_NUMBER)
    line = await stage.operation("DeliverReq")
    answer = await stage.operation("DeliverRsp")
    return {"ok": sent.status == "accepted", **mm7(line), "its answer": answer.decoded()}


async def answer_shows(stage: Stage) -> Evidence:
    assert stage.sent is not None
    shown = await stage.device.journal.wait("message", lambda e: e.what == ANSWER and e.at >= stage.since)
    message = await stage.trails.received(PEER, ANSWER)
    line = await stage.trails.message(message["id"], "delivered")
    same = shown.facts["conversation"] == stage.sent.conversation_id
    picture = f"image/jpeg, {len(photograph(640, 480, 90))} octets"
    return {
        "ok": same and message["origin"] == "mms" and shown.facts["media"] == picture,
        "device log": {"text": shown.what, **shown.facts},
        "conversation": {"of her message": stage.sent.conversation_id, "of his answer": shown.facts["conversation"]},
        "trail": line["what"],
    }


async def mms_is_refused(stage: Stage) -> Evidence:
    stage.world.mmsc.faults.refuse[BOB_NUMBER] = 4007
    picture = photograph(3000, 4000, 180)
    stage.second = await stage.device.files.send(
        f"tel:{BOB_NUMBER}", SECOND, File("image/jpeg", picture, "evening.jpg"), form="large"
    )

    def refused(line: dict[str, object]) -> bool:
        return "4007" in str(line["what"])

    line = await stage.trails.message(stage.second.message_id, "retried", refused)
    answer = await stage.operation("SubmitRsp")
    return {"ok": "barred" in line["what"], **mm7(answer), "trail": line["what"]}


async def goes_as_link(stage: Stage) -> Evidence:
    assert stage.second is not None
    text = await stage.world.texts.wait_text(0, PATIENCE)
    line = await stage.trails.message(
        stage.second.message_id, "selected", lambda one: one["data"]["chosen"]["network"] == "sms"
    )
    said, _, stage.link = text.text.partition("\n")
    return {
        "ok": said == SECOND and stage.link.startswith("http") and text.sender == ALICE_NUMBER,
        "phone": {"text": text.text, "from": text.sender, "segments": text.segments},
        "trail": {"why": line["what"], "sms": candidate(line, "sms")["notes"]},
    }


async def link_opens(stage: Stage) -> Evidence:
    page = await http.get(stage.link)
    found = [one for number in range(3) if (one := await http.get(f"{stage.link}/{number}")).status == 200]
    pictures = [one.body for one in found if one.content_type.startswith("image/")]
    whole = pictures == [photograph(3000, 4000, 180)]
    return {
        "ok": page.status == 200 and SECOND.encode() in page.body and whole,
        "page": f"HTTP {page.status}, {page.content_type}, {len(page.body)} octets",
        "picture": f"{len(pictures[0])} octets, the original" if whole else "not the original",
        "host": urlsplit(stage.link).netloc,
    }


async def alice_knows(stage: Stage) -> Evidence:
    assert stage.second is not None
    told = await stage.imdn("delivered", stage.second.message_id)
    line = await stage.trails.message(stage.second.message_id, "delivered")
    return {
        "ok": True,
        "trail": line["what"],
        "device log": f"IMDN {told.what} for {told.facts['message_id']}",
    }
