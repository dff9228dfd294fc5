from __future__ import annotations

import asyncio

import pytest

from opencpm.domain.errors import Reason, SendError
from opencpm.domain.session import CloseReason
from opencpm.protocols import cpim, sdp
from tests.access.sip.rig import ALICE, ALICE_TEL, BOB
from tests.access.sip.session_rig import EventsLog, Media, chat, cpim_text, offer_to_bob, running_sessions


async def test_the_whole_session_to_a_device():
    async with running_sessions() as rig:
        bob, events = await rig.device("bob"), EventsLog()
        opening = asyncio.create_task(rig.sip.open(offer_to_bob(subject="Tonight"), events))
        invite = await bob.invited()
        assert invite.uri == f"sip:bob@127.0.0.1:{bob.local[1]};transport=tcp"
        assert invite.get("from").startswith("<sip:alice@cpm.test>;tag=")
        assert invite.get("p-asserted-identity") == "<sip:alice@cpm.test>, <tel:+12025550100>"
        assert invite.get("p-asserted-service").endswith(".oma.cpm.session")
        assert (invite.get("conversation-id"), invite.get("contribution-id")) == ("K1", "C1")
        assert invite.get("subject") == "Tonight"
        _, terms = sdp.msrp_media(sdp.parse(invite.body))
        assert (terms.setup, terms.accept_types) == ("actpass", ("message/cpim", "application/im-iscomposing+xml"))
        bob.respond(invite, 180)
        await events.rang.wait()
        await bob.accept(invite)
        leg = await opening
        media = await Media.to(bob, invite.body)
        media.text(cpim_text("Hi Alice", "B1"))
        message = await events.messages.get()
        assert (message.sender, message.recipients, message.session_id) == (BOB, (ALICE,), "s1")
        leg.send([chat("Hi Bob")])
        frame = await media.received() if (await media.frame()).status == 200 else None
        assert frame is not None
        assert cpim.parse(frame.body).text == "Hi Bob"
        await events.outcomes.get()
        assert await leg.close(CloseReason.NORMAL) == "BYE 200 OK"


async def test_a_device_that_listens_is_connected_to():
    async with running_sessions() as rig:
        bob, events = await rig.device("bob"), EventsLog()
        first: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

        async def on_connect(reader, writer):
            first.set_result(await reader.readuntil(b"$\r\n"))
            writer.close()

        server = await asyncio.start_server(on_connect, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        bob.path = bob.path.replace(":9/", f":{port}/")
        opening = asyncio.create_task(rig.sip.open(offer_to_bob(), events))
        await bob.accept(await bob.invited(), "passive", port)
        await opening
        assert bob.path.encode() in await first
        server.close()


async def test_the_loser_hears_that_another_device_answered():
    async with running_sessions() as rig:
        phone, tablet = [await rig.device("bob") for _ in range(2)]
        heard: asyncio.Queue = asyncio.Queue()
        tablet.reply = lambda m: 200 if m.method == "CANCEL" and (heard.put_nowait(m) or True) else 0
        events = EventsLog()
        opening = asyncio.create_task(rig.sip.open(offer_to_bob(), events))
        tablet.respond(await tablet.invited(), 180)
        await events.rang.wait()
        await phone.accept(await phone.invited())
        await opening
        cancel = await heard.get()
        assert cancel.get("reason") == 'SIP;cause=200;text="Call completed elsewhere"'


async def test_a_late_answer_is_acknowledged_and_ended():
    async with running_sessions() as rig:
        phone, tablet = [await rig.device("bob") for _ in range(2)]
        byes: asyncio.Queue = asyncio.Queue()
        tablet.reply = lambda m: 200 if m.method == "BYE" and (byes.put_nowait(m) or True) else 0
        opening = asyncio.create_task(rig.sip.open(offer_to_bob(), EventsLog()))
        late = await tablet.invited()
        await phone.accept(await phone.invited())
        await opening
        tablet.respond(late, 200, ("Content-Type", "application/sdp"), body=b"")
        await tablet.next("ACK")
        assert "elsewhere" in (await byes.get()).get("reason")
        assert rig.sessions.standing == 1


async def test_invitations_that_cross_become_one_session():
    async with running_sessions() as rig:
        bob, events = await rig.device("bob"), EventsLog()
        heard: asyncio.Queue = asyncio.Queue()
        bob.reply = lambda m: 200 if m.method == "CANCEL" and (heard.put_nowait(m) or True) else 0
        opening = asyncio.create_task(rig.sip.open(offer_to_bob(initiator=ALICE_TEL), events))
        bob.respond(await bob.invited(), 180)
        await events.rang.wait()
        ok = await bob.established("sip:alice@cpm.test")
        leg = await opening
        assert "elsewhere" in (await heard.get()).get("reason")
        assert rig.inbox.invitations.empty()
        media = await Media.to(bob, ok.body)
        media.text(cpim_text("you too?", "X1"))
        message = await events.messages.get()
        assert (message.sender, message.session_id) == (BOB, "s1")
        leg.send([chat("at the same time")])
        assert (await media.frame()).status == 200
        assert cpim.parse((await media.received()).body).text == "at the same time"
        assert rig.sessions.standing == 1


async def test_devices_without_invite_are_not_asked():
    async with running_sessions() as rig:
        bob = await rig.device("bob")
        await bob.register(("Allow", "MESSAGE"))
        with pytest.raises(SendError) as refused:
            await rig.sip.open(offer_to_bob(), EventsLog())
        assert refused.value.reason is Reason.OFFLINE


async def test_withdrawn():
    async with running_sessions() as rig:
        bob, events = await rig.device("bob"), EventsLog()
        heard: asyncio.Queue = asyncio.Queue()
        bob.reply = lambda m: 200 if m.method == "CANCEL" and (heard.put_nowait(m) or True) else 0
        opening = asyncio.create_task(rig.sip.open(offer_to_bob(), events))
        invite = await bob.invited()
        bob.respond(invite, 180)
        await events.rang.wait()
        opening.cancel()
        assert (await heard.get()).get("reason") == ""
        with pytest.raises(asyncio.CancelledError):
            await opening


async def test_cancelled_before_the_device_said_anything():
    async with running_sessions() as rig:
        bob = await rig.device("bob")
        heard: asyncio.Queue = asyncio.Queue()
        bob.reply = lambda m: 200 if m.method == "CANCEL" and (heard.put_nowait(m) or True) else 0
        opening = asyncio.create_task(rig.sip.open(offer_to_bob(), EventsLog()))
        invite = await bob.invited()
        opening.cancel()
        await asyncio.wait([opening])
        assert heard.empty()
        bob.respond(invite, 180)
        await heard.get()


@pytest.mark.parametrize(
    ("statuses", "reason", "retryable"),
    [
        ([486], Reason.BUSY, False),
        ([603], Reason.DECLINED, False),
        ([480], Reason.UNREACHABLE, True),
        ([488], Reason.NOT_ACCEPTABLE, False),
        ([480, 486], Reason.BUSY, False),
        ([480, 480], Reason.UNREACHABLE, True),
        ([486, 603], Reason.DECLINED, False),
        ([503], Reason.CONGESTION, True),
    ],
)
async def test_refusals(statuses, reason, retryable):
    async with running_sessions() as rig:
        devices = [await rig.device("bob") for _ in statuses]
        opening = asyncio.create_task(rig.sip.open(offer_to_bob(), EventsLog()))
        for device, status in zip(devices, statuses, strict=True):
            device.respond(await device.invited(), status)
        with pytest.raises(SendError) as refused:
            await opening
        assert (refused.value.reason, refused.value.retryable) == (reason, retryable)


async def test_nobody_answers_in_time():
    async with running_sessions(sessions={"ring": 0.05}) as rig:
        bob = await rig.device("bob")
        cancelled = asyncio.Event()
        bob.reply = lambda m: 200 if m.method == "CANCEL" and (cancelled.set() or True) else 0
        opening = asyncio.create_task(rig.sip.open(offer_to_bob(), EventsLog()))
        bob.respond(await bob.invited(), 180)
        with pytest.raises(SendError) as refused:
            await opening
        assert refused.value.reason is Reason.NO_ANSWER
        await cancelled.wait()


async def test_nobody_there_and_nobody_known():
    async with running_sessions() as rig:
        with pytest.raises(SendError) as refused:
            await rig.sip.open(offer_to_bob(), EventsLog())
        assert (refused.value.reason, refused.value.retryable) == (Reason.OFFLINE, True)
        with pytest.raises(SendError) as refused:
            await rig.sip.open(offer_to_bob(target=ALICE._replace(value="other@cpm.test")), EventsLog())
        assert refused.value.reason is Reason.UNKNOWN_ADDRESS


async def test_the_connection_of_the_device_breaks():
    async with running_sessions() as rig:
        bob = await rig.device("bob")
        opening = asyncio.create_task(rig.sip.open(offer_to_bob(), EventsLog()))
        await bob.invited()
        bob.close()
        with pytest.raises(SendError) as refused:
            await opening
        assert (refused.value.reason, refused.value.retryable) == (Reason.UNREACHABLE, True)


async def test_unusable_answer():
    async with running_sessions() as rig:
        bob = await rig.device("bob")
        byes: asyncio.Queue = asyncio.Queue()
        bob.reply = lambda m: 200 if m.method == "BYE" and (byes.put_nowait(m) or True) else 0
        opening = asyncio.create_task(rig.sip.open(offer_to_bob(), EventsLog()))
        bob.respond(await bob.invited(), 200, ("Content-Type", "application/sdp"), body=b"v=0\r\n")
        with pytest.raises(SendError) as refused:
            await opening
        assert refused.value.reason is Reason.NOT_ACCEPTABLE
        assert "cause=488" in (await byes.get()).get("reason")


async def test_an_interval_too_small_is_asked_for_once_more():
    async with running_sessions() as rig:
        bob = await rig.device("bob")
        opening = asyncio.create_task(rig.sip.open(offer_to_bob(), EventsLog()))
        bob.respond(await bob.invited(), 422, ("Min-SE", "3600"))
        again = await bob.invited()
        assert again.get("session-expires") == "3600"
        await bob.accept(again)
        await opening


async def test_the_invited_device_ends_it():
    async with running_sessions() as rig:
        bob, events = await rig.device("bob"), EventsLog()
        opening = asyncio.create_task(rig.sip.open(offer_to_bob(), events))
        invite = await bob.invited()
        await bob.accept(invite)
        await opening
        bob.say_bye(invite)
        assert (await bob.answered("BYE")).status == 200
        assert (await events.ends.get())[0] is CloseReason.NORMAL


async def test_a_foreign_peer_and_a_session_over_udp():
    async with running_sessions() as rig:
        bob = await rig.device("bob", "udp")
        peer = ALICE._replace(scheme="msn", value="bob@msn.test")
        opening = asyncio.create_task(rig.sip.open(offer_to_bob(initiator=peer), EventsLog()))
        invite = await bob.invited()
        assert "sip:bob%40msn.test@cpm.test" in invite.get("from")
        await bob.accept(invite)
        leg = await opening
        assert await leg.close(CloseReason.LEFT) == "BYE 200 OK"
