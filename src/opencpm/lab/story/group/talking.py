"""What is said in the group, and how each member reads it."""

from __future__ import annotations

from opencpm.lab.story.driver import Evidence
from opencpm.lab.story.group.stage import BOB, DESK, THE_PHONE, Stage, heard, msn, sms, words_of, xmpp
from opencpm.lab.story.group.world import PHONE
from opencpm.lab.world import ALICE_MSN, ALICE_NUMBER, BOB_MSN

ALICE_SAYS = "Who is coming to the concert on Friday?"
BOB_SAYS = "I am, with a friend"
CAROL_SAYS = "Me too"
PHONE_SAYS = "Late, but yes"
LATER = "We meet at the door"
DESK_SAYS = "The tickets are here"


async def alice_says(stage: Stage) -> Evidence:
    message_id, status = await stage.at.chat.send(ALICE_SAYS)
    line = await stage.said(ALICE_SAYS)
    stanza, pdu = await stage.stanza(ALICE_SAYS), await stage.pdu(ALICE_SAYS)
    unnamed = all("Alice:" not in text for text in (words_of(line), stanza.text, str(pdu.decoded())))
    done = await stage.alice.journal.wait("imdn", lambda e: e.facts["message_id"] == message_id)
    right = pdu.decoded()["source_addr"] == ALICE_NUMBER[1:]
    return {
        "ok": status == 200 and unnamed and right,
        "MSRP": status,
        **msn(line),
        **xmpp(stanza),
        **sms(pdu),
        "IMDN": done.what,
    }


async def bob_types(stage: Stage) -> Evidence:
    stage.world.bob.chat.typing()
    entry = await stage.alice.journal.wait("composing", lambda e: e.what == "active")
    return {"ok": stage.at.chat.typing, "device": entry.what}


async def bob_says(stage: Stage) -> Evidence:
    stage.world.bob.chat.send(BOB_SAYS)
    came, named = await stage.heard(stage.alice, BOB_SAYS), f"Bob: {BOB_SAYS}"
    stanza, pdu = await stage.stanza(named), await stage.pdu(named)
    back = [line for line in stage.world.msn.log.of("MSG", direction="S", connection="SB") if named in words_of(line)]
    return {"ok": came.facts["sender"] == BOB and not back, **heard(came), **xmpp(stanza), **sms(pdu)}


async def carol_says(stage: Stage) -> Evidence:
    carol = stage.world.carol
    carol.write(carol.texts[-1].sender, CAROL_SAYS, thread=carol.texts[-1].thread)
    came, named = await stage.heard(stage.alice, CAROL_SAYS), f"Carol: {CAROL_SAYS}"
    line, pdu = await stage.said(named), await stage.pdu(named)
    return {"ok": came.facts["sender"] == stage.carol, **heard(came), **msn(line), **sms(pdu)}


async def phone_says(stage: Stage) -> Evidence:
    stage.world.handset.reply(PHONE_SAYS)
    came, named = await stage.heard(stage.alice, PHONE_SAYS), f"{PHONE}: {PHONE_SAYS}"
    line, stanza = await stage.said(named), await stage.stanza(named)
    return {"ok": came.facts["sender"] == THE_PHONE, **heard(came), **msn(line), **xmpp(stanza)}


async def bob_gets_it_later(stage: Stage) -> Evidence:
    """MSN keeps messages for people who are away, and tells them when they sign in."""
    msn_service, bob = stage.world.msn, stage.world.bob
    _, status = await stage.at.chat.send(LATER)
    await stage.stanza(LATER)  # the others have it at once
    left = await stage.command("UUM", "C", lambda line: line.account == ALICE_MSN, "NS")
    kept = msn_service.keeps(BOB_MSN)
    await stage.world.bob_signs_in()
    told = await bob.happened.wait(lambda it: it.what == "offline-message" and it.peer == ALICE_MSN)
    seen = await stage.status(BOB, "connected")
    return {"ok": status == 200 and kept == 1, "MSN log": left.text, "kept for Bob": kept, "told": told.what, **seen}


async def desk_says(stage: Stage) -> Evidence:
    assert stage.theirs is not None
    _, status = await stage.theirs.chat.send(DESK_SAYS)
    came, named = await stage.heard(stage.alice, DESK_SAYS), f"Desk: {DESK_SAYS}"
    line = await stage.said(named)
    stanza, pdu = await stage.stanza(named), await stage.pdu(named)
    return {
        "ok": status == 200 and came.facts["sender"] == DESK,
        **heard(came),
        **msn(line),
        **xmpp(stanza),
        **sms(pdu),
        "speaks for the group on MSN": line.account,
    }
