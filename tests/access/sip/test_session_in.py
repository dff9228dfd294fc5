from __future__ import annotations

import asyncio

import pytest

from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import Disposition, MessageKind
from opencpm.domain.session import CloseReason
from opencpm.protocols import sdp
from tests.access.sip.rig import ALICE, BOB, authorization
from tests.access.sip.session_rig import BOB_URI, Media, cpim_text, offer_sdp, running_sessions


async def test_the_whole_session_of_a_device():
    async with running_sessions() as rig:
        alice = await rig.device("alice")
        ids = (("Conversation-ID", "K1"), ("Contribution-ID", "C1"), ("Subject", "Tonight"))
        alice.send_invite(BOB_URI, *ids, body=offer_sdp(alice.path))
        assert (await alice.answered("INVITE", 100)).status == 100
        ok = await alice.answered("INVITE")
        alice.confirm(ok)
        offer, _ = await rig.inbox.invitations.get()
        assert (offer.initiator, offer.target, offer.origin) == (ALICE, BOB, "sip")
        assert (offer.conversation_id, offer.contribution_id, offer.subject) == ("K1", "C1", "Tonight")
        assert offer.content_types[:2] == ("text/plain", "message/imdn+xml")
        assert (ok.get("conversation-id"), ok.get("contribution-id")) == ("K1", "C1")
        assert ok.get("p-asserted-identity") == "<sip:bob@cpm.test>"
        _, terms = sdp.msrp_media(sdp.parse(ok.body))
        assert (terms.setup, terms.wrapped_types, terms.direction) == ("passive", ("*",), "sendrecv")

        media = await Media.to(alice, ok.body)
        tid = media.text(cpim_text("Are you there?", "MsgChat0001"), "87652491")
        message = await rig.inbox.events.messages.get()
        assert (message.text, message.message_id, message.kind) == ("Are you there?", "MsgChat0001", MessageKind.CHAT)
        assert message.wants == Disposition.POSITIVE_DELIVERY | Disposition.DISPLAY
        assert (message.sender, message.recipients, message.session_id) == (ALICE, (BOB,), offer.id)
        answer = await media.frame()
        assert (answer.tid, answer.status) == (tid, 200)

        alice.send("BYE", ("Reason", 'SIP;cause=200;text="Call completed"'))
        assert (await alice.answered("BYE")).status == 200
        assert (await rig.inbox.events.ends.get())[0] is CloseReason.NORMAL
        assert rig.sessions.standing == 0
        with pytest.raises(EOFError):
            await media.frame()


async def test_ringing_is_told_once():
    async with running_sessions() as rig:
        alice = await rig.device("alice")
        answer = asyncio.Event()

        async def ring(offer, leg):
            leg.ringing()
            leg.ringing()
            await answer.wait()
            return rig.inbox.events

        rig.inbox.answer = ring
        alice.send_invite(BOB_URI, body=offer_sdp(alice.path))
        ringing = await alice.answered("INVITE", 101)
        assert ringing.status == 180
        assert ringing.get("to").count("tag=") == 1
        answer.set()
        assert (await alice.answered("INVITE", 101)).status == 200


@pytest.mark.parametrize(
    ("reason", "status"),
    [
        (Reason.UNKNOWN_ADDRESS, 404),
        (Reason.OFFLINE, 480),
        (Reason.BUSY, 486),
        (Reason.DECLINED, 603),
        (Reason.BARRED, 403),
        (Reason.NOT_ACCEPTABLE, 488),
        (Reason.NETWORK_DOWN, 503),
        (Reason.NO_ANSWER, 480),
    ],
)
async def test_a_refusal_in_sip_terms(reason, status):
    async with running_sessions() as rig:
        alice = await rig.device("alice")

        async def refuse(offer, leg):
            raise SendError(reason, detail='Bob is "away"')

        rig.inbox.answer = refuse
        alice.send_invite(BOB_URI, body=offer_sdp(alice.path))
        refused = await alice.answered("INVITE")
        assert refused.status == status
        assert "Bob is" in refused.get("warning")
        assert rig.sessions.standing == 0


async def test_cancel_withdraws():
    async with running_sessions() as rig:
        alice = await rig.device("alice")
        withdrawn = asyncio.Event()

        async def wait(offer, leg):
            leg.ringing()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                withdrawn.set()
                raise

        rig.inbox.answer = wait
        alice.send_invite(BOB_URI, body=offer_sdp(alice.path))
        await alice.answered("INVITE", 180)
        alice.send("CANCEL", number=1, branch=alice.invite_via)
        assert (await alice.answered("CANCEL")).status == 200
        assert (await alice.answered("INVITE")).status == 487
        await withdrawn.wait()


async def test_a_lost_connection_withdraws_too():
    async with running_sessions() as rig:
        alice = await rig.device("alice")
        withdrawn = asyncio.Event()

        async def wait(offer, leg):
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                withdrawn.set()
                raise

        rig.inbox.answer = wait
        alice.send_invite(BOB_URI, body=offer_sdp(alice.path))
        await rig.inbox.invitations.get()
        alice.close()
        await withdrawn.wait()


@pytest.mark.parametrize("method", ["BYE", "UPDATE"])
async def test_outside_a_dialog(method):
    async with running_sessions() as rig:
        alice = await rig.device("alice")
        assert (await alice.ask(method, BOB_URI)).status == 481


@pytest.mark.parametrize(
    ("replaced", "warning"),
    [
        ({"accept_types": "image/png"}, "305"),
        ({"accept_types": ""}, "305"),
        ({"path": ""}, "305"),
        ({"path": "http://nonsense"}, "305"),
    ],
)
async def test_terms_that_cannot_be_met(replaced, warning):
    async with running_sessions() as rig:
        alice = await rig.device("alice")
        alice.send_invite(BOB_URI, body=offer_sdp(alice.path, **replaced))
        refused = await alice.answered("INVITE")
        assert refused.status == 488
        assert refused.get("warning").startswith(warning)
        assert rig.inbox.invitations.empty()


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        ("text/plain", b"hello", 415),
        ("application/sdp", b"hello", 488),
        ("application/sdp", b"", 488),
        ("multipart/mixed", b"--b", 400),
        ("application/sdp", offer_sdp("msrps://127.0.0.1:9/x;tcp").replace(b" TCP/", b" TCP/TLS/"), 488),
    ],
)
async def test_bodies_that_are_no_offer(kind, body, status):
    async with running_sessions() as rig:
        alice = await rig.device("alice")
        alice.send_invite(BOB_URI, body=body, kind=kind)
        assert (await alice.answered("INVITE")).status == status


async def test_strangers_are_challenged_and_too_many_are_refused():
    async with running_sessions(sessions={"max_sessions": 1}) as rig:
        alice = await rig.device("alice")
        stranger = await rig.device("bob")
        await stranger.register(expires=0)
        stranger.send_invite(BOB_URI, body=offer_sdp(stranger.path))
        assert (await stranger.answered("INVITE")).status == 401
        await alice.established()
        alice.send_invite(BOB_URI, body=offer_sdp(alice.path))
        refused = await alice.answered("INVITE")
        assert (refused.status, refused.get("retry-after")) == (503, "10")


async def test_over_udp_each_invitation_is_challenged():
    async with running_sessions() as rig:
        alice = await rig.device("alice", "udp")
        alice.send_invite(BOB_URI, body=offer_sdp(alice.path))
        challenge = await alice.answered("INVITE")
        assert challenge.status == 401
        value = authorization(challenge.get("www-authenticate"), "alice", "alicepw", "INVITE", BOB_URI)
        alice.send_invite(BOB_URI, ("Authorization", value), body=offer_sdp(alice.path))
        assert (await alice.answered("INVITE")).status == 200


async def test_a_first_message_in_the_invitation():
    async with running_sessions() as rig:
        alice = await rig.device("alice")
        text = cpim_text("first of all", "F1")
        body = (
            b"--b1\r\nContent-Type: application/sdp\r\n\r\n" + offer_sdp(alice.path) + b"\r\n--b1\r\n"
            b"Content-Type: message/cpim\r\n\r\n" + text + b"\r\n--b1--\r\n"
        )
        alice.send_invite(BOB_URI, body=body, kind="multipart/mixed;boundary=b1")
        assert (await alice.answered("INVITE")).status == 200
        offer, _ = await rig.inbox.invitations.get()
        assert offer.first is not None
        assert (offer.first.text, offer.first.message_id, offer.first.session_id) == ("first of all", "F1", offer.id)


async def test_actpass_is_answered_passive_and_passive_is_connected_to():
    async with running_sessions() as rig:
        alice = await rig.device("alice")
        ok = await alice.established(setup="actpass")
        assert b"a=setup:passive\r\n" in ok.body

        connected: asyncio.Queue = asyncio.Queue()

        async def on_connect(reader, writer):
            await connected.put((reader, writer))

        server = await asyncio.start_server(on_connect, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        alice.path = alice.path.replace(":9/", f":{port}/")
        ok = await alice.established(setup="passive")
        assert b"a=setup:active\r\n" in ok.body
        assert b"m=message 9 " in ok.body
        reader, writer = await connected.get()
        assert (await reader.readuntil(b"$\r\n")).startswith(b"MSRP ")
        writer.close()
        server.close()


async def test_no_contact_is_told_before_anybody_is_asked():
    async with running_sessions() as rig:
        alice = await rig.device("alice")
        alice.target, alice.call = BOB_URI, "nocontact@device"
        alice.send("INVITE", ("Content-Type", "application/sdp"), body=offer_sdp(alice.path), number=1)
        assert (await alice.answered("INVITE")).status == 400
        assert rig.inbox.invitations.empty()


@pytest.mark.parametrize(("value", "status"), [("60", 422), ("x", 400), ("1800", 200)])
async def test_session_timer(value, status):
    async with running_sessions() as rig:
        alice = await rig.device("alice")
        fields = (("Supported", "timer"), ("Session-Expires", value))
        alice.send_invite(BOB_URI, *fields, body=offer_sdp(alice.path))
        answer = await alice.answered("INVITE")
        assert answer.status == status
        if status == 422:
            assert answer.get("min-se") == "90"
        if status == 200:
            assert (answer.get("session-expires"), answer.get("require")) == ("1800;refresher=uac", "timer")
