from __future__ import annotations

import asyncio
import time

import pytest

from opencpm.access.sip.session_large import service_asked_for
from opencpm.domain.delivery import OutcomeKind
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import MessageKind
from opencpm.protocols import cpim, sdp
from opencpm.protocols.sip.message import Message
from tests.access.sip.rig import ALICE, BOB, delivery
from tests.access.sip.session_rig import BOB_URI, Media, cpim_text, running_sessions

LARGE = "urn:urn-7:3gpp-service.ims.icsi.oma.cpm.largemsg"
LISTED = '+g.3gpp.icsi-ref="{0}msg,{0}largemsg"'.format("urn%3Aurn-7%3A3gpp-service.ims.icsi.oma.cpm.")


def request(**fields: str) -> Message:
    return Message("INVITE", "", 0, "", {name.replace("_", "-"): [value] for name, value in fields.items()})


@pytest.mark.parametrize(
    ("fields", "service"),
    [
        ({"p_preferred_service": LARGE}, "largemsg"),
        ({"p_asserted_service": LARGE.replace("largemsg", "session")}, "session"),
        ({"accept_contact": f'*;+g.3gpp.icsi-ref="{LARGE.replace(":", "%3A")}";require;explicit'}, "largemsg"),
        ({"accept_contact": "nonsense"}, ""),
        ({}, ""),
    ],
)
def test_service_asked_for(fields, service):
    assert service_asked_for(request(**fields)) == service


async def test_a_large_message_from_a_device_is_a_standalone_message():
    async with running_sessions() as rig:
        alice = await rig.device("alice")
        ok = await alice.established(BOB_URI, ("P-Preferred-Service", LARGE), ("Conversation-ID", "K1"))
        assert rig.inbox.invitations.empty()
        media = await Media.to(alice, ok.body)
        text = "a long text " * 5000
        media.text(cpim_text(text, "L1"))
        message = await rig.inbox.messages.get()
        assert (message.kind, message.session_id, message.conversation_id) == (MessageKind.STANDALONE, "", "K1")
        assert (message.text, message.sender, message.recipients) == (text, ALICE, (BOB,))
        assert (await media.frame()).status == 200
        alice.send("BYE")
        assert (await alice.answered("BYE")).status == 200


async def test_a_large_message_that_is_refused():
    async with running_sessions() as rig:
        rig.inbox.verdict = lambda message: SendError(Reason.TOO_LARGE)
        alice = await rig.device("alice")
        ok = await alice.established(BOB_URI, ("P-Preferred-Service", LARGE))
        media = await Media.to(alice, ok.body)
        media.text(cpim_text("x", "L1"))
        assert (await media.frame()).status == 413


async def test_too_large_a_delivery_for_a_datagram_goes_over_msrp():
    async with running_sessions() as rig:
        bob = await rig.device("bob", "udp", LISTED)
        rig.sip.send([delivery("word " * 500)])
        invite = await bob.invited()
        assert invite.get("p-asserted-service") == LARGE
        _, terms = sdp.msrp_media(sdp.parse(invite.body))
        assert terms.direction == "sendonly"
        await bob.accept(invite)
        media = await Media.to(bob, invite.body)
        body = cpim.parse((await media.received()).body)
        assert (body.text, body.message_id) == ("word " * 500, "m1")
        outcome = await rig.inbox.outcomes.get()
        assert (outcome.kind, outcome.source) == (OutcomeKind.DELIVERED, "MSRP 200 from device")
        while rig.sessions.standing:
            await asyncio.sleep(0)


async def test_a_device_that_refuses_the_large_message():
    async with running_sessions() as rig:
        bob = await rig.device("bob", "udp", LISTED)
        rig.sip.send([delivery("word " * 500)])
        bob.respond(await bob.invited(), 480)
        outcome = await rig.inbox.outcomes.get()
        assert (outcome.kind, outcome.error.reason) == (OutcomeKind.FAILED, Reason.UNREACHABLE)
        assert outcome.error.retryable


async def test_a_device_that_never_takes_the_large_message():
    async with running_sessions() as rig:
        bob = await rig.device("bob", "udp", LISTED)
        rig.sip.send([delivery("word " * 500, deadline=time.time() + 0.3)])
        await bob.accept(await bob.invited())
        outcome = await rig.inbox.outcomes.get()
        assert (outcome.kind, outcome.error.retryable) == (OutcomeKind.FAILED, True)


@pytest.mark.parametrize(("transport", "text", "tag"), [("udp", "short", LISTED), ("tcp", "word " * 500, LISTED)])
async def test_the_rest_stays_in_pager_mode(transport, text, tag):
    async with running_sessions() as rig:
        bob = await rig.device("bob", transport, tag)
        bob.reply = None
        rig.sip.send([delivery(text)])
        assert (await bob.next("MESSAGE")).method == "MESSAGE"
