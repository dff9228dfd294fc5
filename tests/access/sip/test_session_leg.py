from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from opencpm.access.sip.session_timer import Refresh
from opencpm.domain.delivery import Notice, OutcomeKind
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import Part
from opencpm.domain.report import Status
from opencpm.domain.session import CloseReason, Composing
from opencpm.protocols import cpim, imdn, iscomposing
from opencpm.protocols.msrp.message import Parser, response
from tests.access.sip.rig import ALICE, BOB
from tests.access.sip.session_rig import Media, chat, cpim_text, offer_sdp, running_sessions


@asynccontextmanager
async def standing(**settings):
    """A session of Alice's device: rig, device, its media, our leg, what happened."""
    async with running_sessions(sessions=settings) as rig:
        alice = await rig.device("alice")
        ok = await alice.established()
        _, leg = await rig.inbox.invitations.get()
        media = await Media.to(alice, ok.body)
        yield rig, alice, media, leg, rig.inbox.events
        media.close()


async def test_a_text_for_the_device_is_settled_by_its_answer():
    async with standing() as (_, _alice, media, leg, events):
        leg.send([chat("Hi Alice", 1), chat("second", 2)])
        frames = [await media.received(), await media.received(415)]
        bodies = [cpim.parse(frame.body) for frame in frames]
        assert [(b.text, b.message_id) for b in bodies] == [("Hi Alice", "m1"), ("second", "m2")]
        assert bodies[0].dispositions == ("positive-delivery", "display")
        assert frames[0].headers["failure-report"] == "yes"
        first, second = await events.outcomes.get(), await events.outcomes.get()
        assert (first.kind, first.source, first.error) == (OutcomeKind.DELIVERED, "MSRP 200 from device", None)
        assert second.kind is OutcomeKind.FAILED
        assert second.error.reason is Reason.UNSUPPORTED_MEDIA


async def test_ids_on_the_wire_are_those_of_the_delivery():
    async with standing() as (_, _alice, media, leg, _events):
        again = chat("again")
        leg.send([again])
        leg.send([again])
        first, second = await media.received(), await media.received()
        assert first.headers["message-id"] == second.headers["message-id"]
        assert first.body == second.body


async def test_a_notice_for_the_device():
    async with standing() as (_, _alice, media, leg, events):
        notice = Notice(message_id="MsgChat0001", original_sent_at=1763882882.0, recipient=BOB, status=Status.DELIVERED)
        leg.send([chat("", notice=notice)])
        body = cpim.parse((await media.received()).body)
        assert body.content_header("Content-Disposition") == "notification"
        found = imdn.parse(body.content)
        assert (found.message_id, found.kind, found.status) == ("MsgChat0001", "delivery", "delivered")
        assert (await events.outcomes.get()).kind is OutcomeKind.DELIVERED


async def test_what_the_device_did_not_list_is_not_sent():
    async with standing() as (_, _alice, _media, leg, events):
        picture = chat("")
        picture = replace(picture, message=replace(picture.message, parts=(Part("image/png", b"x"),)))
        leg.send([picture])
        outcome = await events.outcomes.get()
        assert outcome.error.reason is Reason.UNSUPPORTED_MEDIA


async def test_typing_both_ways():
    async with standing() as (_, _alice, media, leg, events):
        leg.composing(Composing(True, 60.0))
        frame = await media.received()
        assert frame.headers["content-type"] == iscomposing.CONTENT_TYPE
        assert frame.headers["failure-report"] == "partial"
        assert iscomposing.parse(frame.body) == iscomposing.IsComposing(True, "text/plain", 60)
        media.text(frame.body, kind=iscomposing.CONTENT_TYPE)
        assert await events.typing.get() == Composing(True, 60.0, "text/plain")
        wrapped = cpim.compose(frame.body, iscomposing.CONTENT_TYPE, message_id="t", datetime="2026-11-23T07:28:02Z")
        media.text(wrapped, Failure_Report="no")
        assert (await events.typing.get()).active
        assert (await media.frame()).status == 200  # to the first; the second wanted no answer
        assert events.messages.empty()


async def test_a_disposition_inside_the_session():
    async with standing() as (_, _alice, media, _leg, events):
        body = imdn.build(imdn.Imdn("m1", "2026-11-23T07:28:02Z", "display", "displayed"))
        media.text(cpim.compose(body, imdn.CONTENT_TYPE, message_id="i1", datetime="2026-11-23T07:28:03Z"))
        report = await events.reports.get()
        assert (report.status, report.message_id) == (Status.DISPLAYED, "m1")
        assert (report.reporter, report.original_sender) == (ALICE, BOB)
        assert (await media.frame()).status == 200


async def test_200_comes_only_when_it_is_stored():
    async with standing() as (_, _alice, media, _leg, events):
        events.held = []
        tid = media.text(cpim_text("keep this", "K1"), Success_Report="yes")
        media.put("SEND", [("Message-ID", "ping"), ("Byte-Range", "1-0/0")])
        await events.messages.get()
        pong = await media.frame()
        assert pong.tid != tid  # the later empty SEND is answered first
        events.held.pop()()
        answer, report = await media.frame(), await media.frame()
        assert (answer.tid, answer.status) == (tid, 200)
        assert (report.method, report.headers["status"]) == ("REPORT", "000 200 OK")


@pytest.mark.parametrize(("reason", "status"), [(Reason.TOO_LARGE, 413), (Reason.BARRED, 403)])
async def test_a_text_that_is_refused(reason, status):
    async with standing() as (_, _alice, media, _leg, events):
        events.verdict = lambda message: SendError(reason)
        media.text(cpim_text("no", "N1"))
        assert (await media.frame()).status == status


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        ("message/cpim", b"nonsense", 400),
        ("message/cpim", cpim.compose(b"<x/>", "message/imdn+xml", message_id="x", datetime="d"), 400),
        ("text/html", b"<p>", 415),
        ("application/im-iscomposing+xml", b"<", 400),
    ],
)
async def test_bad_content_is_answered_and_the_session_lives_on(kind, body, status):
    async with standing() as (_, _alice, media, _leg, events):
        media.text(body, kind=kind)
        assert (await media.frame()).status == status
        media.text(cpim_text("still here", "S1"))
        assert (await events.messages.get()).text == "still here"


async def test_many_texts_arrive_in_one_batch_and_in_order():
    async with standing() as (_, _alice, media, _leg, events):
        for i in range(50):
            media.text(cpim_text(str(i), f"B{i}"), f"w{i}")
        texts = [(await events.messages.get()).text for _ in range(50)]
        assert texts == [str(i) for i in range(50)]
        assert [(await media.frame()).status for _ in range(50)] == [200] * 50


async def test_message_inside_the_dialog():
    async with standing() as (_, alice, _media, _leg, events):
        alice.send("MESSAGE", ("Content-Type", "message/cpim"), body=cpim_text("by MESSAGE", "P1"))
        message = await events.messages.get()
        assert (message.text, message.session_id != "") == ("by MESSAGE", True)
        assert (await alice.answered("MESSAGE")).status == 200
        events.verdict = lambda message: SendError(Reason.TOO_LARGE)
        alice.send("MESSAGE", ("Content-Type", "text/plain"), body=b"too large")
        assert (await alice.answered("MESSAGE")).status == 413
        typing = iscomposing.build(iscomposing.IsComposing(True))
        alice.send("MESSAGE", ("Content-Type", iscomposing.CONTENT_TYPE), body=typing)
        assert (await alice.answered("MESSAGE")).status == 200
        assert (await events.typing.get()).active


async def test_closing_waits_for_the_device_and_says_what_it_answered():
    async with standing(linger=5.0) as (rig, _alice, media, leg, events):
        leg.send([chat("last words")])
        closing = asyncio.create_task(leg.close(CloseReason.NORMAL))
        assert cpim.parse((await media.received()).body).text == "last words"
        assert await closing == "BYE 200 OK"
        assert (await events.outcomes.get()).kind is OutcomeKind.DELIVERED
        assert events.ends.empty()
        assert await leg.close(CloseReason.NORMAL) == "was gone already"
        assert rig.sessions.standing == 0


async def test_both_sides_close_at_once():
    async with standing(linger=5.0) as (_, alice, media, leg, events):
        leg.send([chat("unanswered")])
        closing = asyncio.create_task(leg.close(CloseReason.NORMAL))
        await media.frame()
        alice.send("BYE")
        assert (await alice.answered("BYE")).status == 200
        assert "from the device" in await closing
        assert events.ends.empty()


async def test_a_device_that_floods_is_told_to_stop(monkeypatch):
    monkeypatch.setattr("opencpm.access.sip.session_media._MAX_UNANSWERED", 3)
    async with standing() as (_, _alice, media, _leg, events):
        events.held = []
        for i in range(3):
            media.text(cpim_text("x", f"F{i}"), f"f{i}")
            await events.messages.get()
        media.text(cpim_text("x", "F3"), "f3")
        assert (await media.frame()).status == 413
        for done in events.held:
            done()
        assert [(await media.frame()).status for _ in range(3)] == [200] * 3


@pytest.mark.parametrize(
    ("cause", "reason"),
    [
        ('SIP;cause=200;text="Call completed"', CloseReason.NORMAL),
        ('SIP;cause=480;text="Bearer unavailable"', CloseReason.LEFT),
        ("SIP;cause=503", CloseReason.LOST),
    ],
)
async def test_why_a_device_left(cause, reason):
    async with standing() as (_, alice, _media, leg, events):
        leg.send([chat("unanswered")])
        alice.send("BYE", ("Reason", cause))
        assert (await alice.answered("BYE")).status == 200
        assert await events.ends.get() == (reason, f"BYE {cause}")
        outcome = await events.outcomes.get()
        assert outcome.error.retryable
        alice.send("MESSAGE", ("Content-Type", "text/plain"), body=b"late")
        assert (await alice.answered("MESSAGE")).status == 481


async def test_idle_sessions_end():
    async with standing(idle=0.05) as (_, alice, _media, _leg, events):
        alice.reply = None
        assert (await events.ends.get())[0] is CloseReason.IDLE
        assert "cause=200" in (await alice.next("BYE")).get("reason")


async def test_a_lost_connection_is_given_up_after_the_grace_time():
    async with standing(grace=0.05) as (_, alice, media, leg, events):
        alice.reply = None
        leg.send([chat("under way")])
        await media.frame()
        media.close()
        outcome = await events.outcomes.get()
        assert (outcome.error.reason, outcome.error.retryable, outcome.doubled) == (Reason.UNREACHABLE, True, True)
        assert (await events.ends.get())[0] is CloseReason.LOST
        assert "cause=503" in (await alice.next("BYE")).get("reason")


async def test_no_ack():
    async with running_sessions() as rig:
        alice = await rig.device("alice")
        alice.send_invite("sip:bob@cpm.test", body=offer_sdp(alice.path))
        await alice.answered("INVITE")
        _, leg = await rig.inbox.invitations.get()
        leg.ack_missing()
        assert await rig.inbox.events.ends.get() == (CloseReason.LOST, "no ACK from the device")


async def test_a_device_that_never_connects():
    async with running_sessions(sessions={"grace": 0.05}) as rig:
        alice = await rig.device("alice")
        await alice.established()
        assert await rig.inbox.events.ends.get() == (CloseReason.LOST, "the device made no MSRP connection")


async def test_a_device_that_listens_and_says_nothing_is_there():
    async with running_sessions(sessions={"grace": 0.3}) as rig:
        alice = await rig.device("alice")
        served: asyncio.Queue = asyncio.Queue()

        async def serve(reader, writer):
            frame = Parser().feed(await reader.readuntil(b"$\r\n"))[0]
            writer.write(response(frame.tid, 200, frame.headers["from-path"], alice.path))
            await served.put(writer)

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        alice.path = alice.path.replace(":9/", f":{server.sockets[0].getsockname()[1]}/")
        await alice.established(setup="passive")
        _, leg = await rig.inbox.invitations.get()
        while not leg._watch.connected:
            await asyncio.sleep(0)
        assert leg.standing
        (await served.get()).close()
        server.close()


async def test_the_device_comes_back_over_the_same_path():
    async with standing(grace=30.0) as (_rig, alice, media, leg, events):
        first = leg._media.path.ours.path
        media.close()
        while leg._watch.connected:
            await asyncio.sleep(0)
        again = await Media.to(alice, offer_sdp(first))
        again.text(cpim_text("back", "A1"))
        assert (await events.messages.get()).text == "back"
        assert leg._watch.connected
        again.close()


async def test_the_device_comes_back_with_a_re_invite():
    async with standing(grace=30.0) as (_, alice, media, leg, events):
        media.close()
        alice.path = "msrp://127.0.0.1:9/another;tcp"
        alice.send(
            "INVITE", ("Contact", alice.contact), ("Content-Type", "application/sdp"), body=offer_sdp(alice.path)
        )
        ok = await alice.answered("INVITE")
        assert ok.status == 200
        alice.send("ACK", number=alice.number)
        again = await Media.to(alice, ok.body)
        leg.send([chat("after the break")])
        assert cpim.parse((await again.received()).body).text == "after the break"
        assert (await events.outcomes.get()).kind is OutcomeKind.DELIVERED
        again.close()


async def test_a_refresh_changes_nothing():
    async with standing() as (_, alice, media, _leg, events):
        fields = (("Contact", alice.contact), ("Supported", "timer"), ("Session-Expires", "900;refresher=uac"))
        alice.send("UPDATE", *fields)
        update = await alice.answered("UPDATE")
        assert (update.status, update.body, update.get("session-expires")) == (200, b"", "900;refresher=uac")
        alice.send("INVITE", *fields, ("Content-Type", "application/sdp"), body=offer_sdp(alice.path))
        ok = await alice.answered("INVITE")
        assert (ok.status, b"a=setup:passive" in ok.body) == (200, True)
        alice.send("ACK", number=alice.number)
        media.text(cpim_text("still the same path", "U1"))
        assert (await events.messages.get()).text == "still the same path"


async def test_bad_requests_inside_the_dialog():
    async with standing() as (_, alice, _media, _leg, _events):
        alice.send("REFER", ("Refer-To", "<sip:other@cpm.test>"))
        assert (await alice.answered("REFER")).status == 405
        alice.send("INVITE", ("Contact", alice.contact), ("Content-Type", "application/sdp"), body=b"nonsense")
        assert (await alice.answered("INVITE")).status == 488
        alice.send("ACK", number=alice.number)
        alice.send("UPDATE", ("Session-Expires", "10"), ("Supported", "timer"))
        assert (await alice.answered("UPDATE")).status == 422
        alice.send("OPTIONS")
        assert (await alice.answered("OPTIONS")).status == 200


async def test_we_refresh_when_asked_to_and_give_up_when_nobody_answers(monkeypatch):
    monkeypatch.setattr(Refresh, "due", property(lambda self: 0.02))
    async with running_sessions() as rig:
        alice = await rig.device("alice")
        refreshed = asyncio.Event()

        def reply(message):
            if message.method == "UPDATE":
                refreshed.set()
                return 481 if message.get("cseq").startswith("2 ") else 200
            return 200 if message.method == "BYE" else 0

        alice.reply = reply
        fields = (("Supported", "timer"), ("Session-Expires", "1800;refresher=uas"), ("Allow", "UPDATE"))
        ok = await alice.established("sip:bob@cpm.test", *fields)
        assert ok.get("session-expires") == "1800;refresher=uas"
        await refreshed.wait()
        reason, detail = await rig.inbox.events.ends.get()
        assert (reason, "refresh" in detail) == (CloseReason.LOST, True)


async def test_a_session_nobody_refreshes_ends(monkeypatch):
    monkeypatch.setattr(Refresh, "due", property(lambda self: 0.02))
    async with running_sessions() as rig:
        alice = await rig.device("alice")
        await alice.established("sip:bob@cpm.test", ("Supported", "timer"), ("Session-Expires", "1800"))
        assert await rig.inbox.events.ends.get() == (CloseReason.LOST, "the session was not refreshed")


async def test_stopping_says_bye():
    async with running_sessions() as rig:
        alice = await rig.device("alice")
        said = asyncio.Event()
        alice.reply = lambda message: 200 if message.method == "BYE" and (said.set() or True) else 0
        await alice.established()
    assert said.is_set()
