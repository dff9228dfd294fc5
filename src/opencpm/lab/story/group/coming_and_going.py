"""Who comes into the group, who drops out, who leaves."""

from __future__ import annotations

from opencpm.lab.device import convene, group_of
from opencpm.lab.story.driver import Evidence
from opencpm.lab.story.group.stage import ALICE, BOB, DESK, THE_PHONE, Stage, answer, msn, sms
from opencpm.lab.story.trails import patiently
from opencpm.lab.world import ALICE_MSN, BOB_MSN

SUBJECT = "Concert on Friday"
AFTER = "Only us now"


async def asks_the_factory(stage: Stage) -> Evidence:
    stage.group = await convene(stage.alice, [BOB, stage.carol, THE_PHONE], SUBJECT)
    asked = next(e for e in stage.alice.journal.find("sip.out") if e.what.startswith("INVITE sip:conference-factory"))
    given = next(e for e in stage.alice.journal.find("sip.in") if b"isfocus" in e.raw)
    listed = b"recipient-list-invite" in asked.raw and b"resource-lists" in asked.raw
    return {
        "ok": listed and stage.at.focus.startswith("sip:grp-"),
        "device log": [asked.what, given.what],
        "focus": stage.at.focus,
    }


async def group_is_stored(stage: Stage) -> Evidence:
    shown = await stage.shown()
    line = await stage.trail("established", "called a group together")
    invited = [entry["what"] for entry in shown["trail"] if entry["step"] == "invited"]
    return {"ok": shown["subject"] == SUBJECT and len(invited) == 3, **answer(line), "invited": invited}


async def bob_is_called(stage: Stage) -> Evidence:
    line = await stage.command("CAL", "C", lambda one: BOB_MSN in one.text)
    done = await stage.trail("established", f"msn:{BOB_MSN}")
    return {"ok": ALICE_MSN in str(line.account), **msn(line), **answer(done)}


async def carol_is_reached(stage: Stage) -> Evidence:
    done = await stage.trail("established", f"xmpp:{stage.world.carol.address}")
    member = await stage.member(f"xmpp:{stage.world.carol.address}")
    return {"ok": member["network"] == "xmpp" and member["state"] == "connected", **answer(done), "member": member}


async def phone_is_told(stage: Stage) -> Evidence:
    text = await stage.world.handset.wait_text(0)
    pdu = await stage.pdu("has put you into the group")
    return {"ok": f'"{SUBJECT}"' in text.text, **sms(pdu), "phone reads": text.text}


async def alice_follows(stage: Stage) -> Evidence:
    status = await stage.at.follow()
    evidence: Evidence = {}
    for who in (ALICE, BOB, stage.carol, THE_PHONE):
        evidence = await stage.status(who, "connected")
    assert stage.at.info is not None
    return {"ok": status == 200 and stage.at.info.subject == SUBJECT, "SUBSCRIBE": status, **evidence}


async def bob_goes(stage: Stage) -> Evidence:
    await stage.world.bob.sign_out()
    seen = await stage.status(BOB, "disconnected")

    async def offline() -> bool | None:
        presence = (await stage.world.api().get("/presence"))["contacts"]["bob"]
        return True if presence[0]["availability"] == "offline" else None

    return {"ok": await patiently("word that Bob is offline", offline), **seen}


async def desk_is_added(stage: Stage) -> Evidence:
    status = await stage.at.add(DESK, inside=True)
    await stage.desk.journal.wait("established")
    stage.theirs = group_of(stage.desk, next(chat for chat in stage.desk.chats.values() if chat.is_group))
    seen = await stage.status(DESK, "connected")
    invite = next(e for e in stage.desk.journal.find("sip.in") if e.what.startswith("INVITE"))
    right = b"isfocus" in invite.raw and b"Referred-By: <sip:alice" in invite.raw
    return {"ok": status == 202 and right and stage.theirs.focus == stage.at.focus, "REFER": status, **seen}


async def phone_is_taken_out(stage: Stage) -> Evidence:
    status = await stage.at.remove(THE_PHONE)
    seen = await stage.status(THE_PHONE, "disconnected booted")
    before = len(stage.world.handset.texts)
    _, said = await stage.at.chat.send(AFTER)
    await stage.heard(stage.desk, AFTER)
    await stage.stanza(AFTER)
    after = len(stage.world.handset.texts)
    return {
        "ok": status == 202 and said == 200 and before == after,
        "REFER": status,
        **seen,
        "texts on the phone": after,
    }


async def carol_leaves(stage: Stage) -> Evidence:
    carol = stage.world.carol
    carol.write(carol.texts[-1].sender, "/leave", thread=carol.texts[-1].thread)
    seen = await stage.status(stage.carol, "disconnected departed")
    return {"ok": True, **answer(await stage.trail("closed", "leave")), **seen}


async def alice_leaves(stage: Stage) -> Evidence:
    assert stage.theirs is not None
    followed = await stage.theirs.follow()
    status = await stage.at.leave()
    await stage.status(ALICE, "disconnected departed", stage.theirs)
    seen = await stage.status(BOB, "disconnected booted", stage.theirs)
    leads = (await stage.member(DESK, "desk"))["role"]
    why = await stage.trail("closed", "nobody in the group can write to them any more", "desk")
    return {
        "ok": (followed, status, leads) == (200, 200, "chair"),
        "BYE": status,
        **seen,
        "leads": leads,
        **answer(why),
    }


async def group_ends(stage: Stage) -> Evidence:
    assert stage.theirs is not None
    group = await stage.shown("desk")
    status = await stage.theirs.leave()

    async def over() -> bool | None:
        return True if await stage.world.api("desk").get("/groups") == [] else None

    await patiently("end of the group", over)
    ended = await stage.desk.journal.wait("conference", lambda e: e.what.startswith("terminated"))
    return {"ok": status == 200, "BYE": status, "last NOTIFY": ended.what, "group": group["address"]}
