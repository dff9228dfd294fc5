"""Content on its way to devices, over real sockets: each form, and each way it can fail."""

from __future__ import annotations

import asyncio

from opencpm.domain.delivery import OutcomeKind
from opencpm.domain.errors import Reason
from opencpm.protocols import cpim, fthttp, mime, sdp, sdp_file
from opencpm.protocols.sip.message import Message as Sip
from tests.access.sip.file_fakes import BASE, PDF, PNG, SMALL, FakeFiles, FakeMedia, content
from tests.access.sip.session_rig import Media, SessionDevice, SessionRig, running_sessions

ICSI = "urn%3Aurn-7%3A3gpp-service.ims.icsi.oma.cpm."
HTTP = (f'+g.3gpp.icsi-ref="{ICSI}msg"', '+g.3gpp.iari-ref="urn%3Aurn-7%3A3gpp-application.ims.iari.rcs.fthttp"')
FILE = (f'+g.3gpp.icsi-ref="{ICSI}msg,{ICSI}filetransfer"',)
PLAIN = ("",)


def running(**more: object):
    return running_sessions(**{"files": FakeFiles(), "media": FakeMedia(), **more})


async def device(rig: SessionRig, *tags: str) -> SessionDevice:
    found = await rig.device("bob", "tcp", *tags)
    found.reply = None
    return found


async def said(bob: SessionDevice, status: int = 200) -> tuple[Sip, cpim.Cpim]:
    message = await bob.next("MESSAGE")
    bob.respond(message, status)
    return message, cpim.parse(message.body)


async def test_over_http_with_a_thumbnail_and_the_text_before() -> None:
    async with running() as rig:
        bob = await device(rig, *HTTP)
        given = content("look", PNG, PDF)
        rig.sip.send([given])
        _, text = await said(bob)
        assert (text.text, text.dispositions) == ("look", ())
        _, first = await said(bob)
        last, second = await said(bob)
        picture, paper = (fthttp.parse(body.content) for body in (first, second))
        assert picture.file.url == f"{BASE}/ft/d/{given.id}/1"
        assert picture.file[1:3] == (len(PNG.body), "image/png")
        assert picture.thumbnail is not None
        assert picture.thumbnail[:3] == (f"{picture.file.url}/thumbnail", len(SMALL.body), "image/jpeg")
        assert (paper.file.name, paper.thumbnail) == ("plan.pdf", None)
        assert (second.message_id, second.dispositions) == ("m1", ("positive-delivery", "display"))
        assert len({text.message_id, first.message_id, second.message_id}) == 3
        assert any("rcs.fthttp" in value for value in last.fields("accept-contact"))
        outcome = await rig.inbox.outcomes.get()
        assert (outcome.kind, outcome.source) == (OutcomeKind.DELIVERED, "SIP 200 from device")
        assert (outcome.detail, outcome.losses) == ("by HTTP file transfer", ())


async def test_a_repetition_has_the_same_ids() -> None:
    async with running() as rig:
        bob = await device(rig, *HTTP)
        seen = []
        for _ in range(2):
            rig.sip.send([content("look", PNG)])
            seen.append([((await said(bob))[1].message_id) for _ in range(2)])
            await rig.inbox.outcomes.get()
        assert seen[0] == seen[1]


async def test_without_a_thumbnail_the_file_goes_all_the_same() -> None:
    async with running(media=FakeMedia(fails=True)) as rig:
        bob = await device(rig, *HTTP)
        rig.sip.send([content(PNG)])
        _, body = await said(bob)
        assert fthttp.parse(body.content).thumbnail is None


async def test_a_device_that_refuses_the_document() -> None:
    async with running() as rig:
        bob = await device(rig, *HTTP)
        rig.sip.send([content("look", PNG)])
        await said(bob)
        await said(bob, 603)
        outcome = await rig.inbox.outcomes.get()
        assert (outcome.kind, outcome.error.reason) == (OutcomeKind.FAILED, Reason.DECLINED)


async def test_a_plain_client_gets_a_text_with_a_link() -> None:
    async with running() as rig:
        bob = await device(rig, *PLAIN)
        given = content("look", PNG)
        rig.sip.send([given])
        message = await bob.next("MESSAGE")
        bob.respond(message, 200)
        assert message.get("content-type") == "text/plain;charset=UTF-8"
        assert message.body.decode() == f"look\n{BASE}/c/{given.id}"
        outcome = await rig.inbox.outcomes.get()
        assert (outcome.kind, outcome.detail) == (OutcomeKind.DELIVERED, "as a text with a link")
        assert outcome.losses


async def test_without_files_a_plain_client_gets_nothing_and_the_sender_is_told() -> None:
    async with running_sessions() as rig:
        await device(rig, *PLAIN)
        rig.sip.send([content("look", PNG)])
        outcome = await rig.inbox.outcomes.get()
        assert outcome.error.reason is Reason.UNSUPPORTED_MEDIA


async def test_what_follows_waits_for_a_file_over_http() -> None:
    async with running(window=1) as rig:
        bob = await device(rig, *HTTP)
        rig.sip.send([content(PNG), content("after", number=2)])
        assert (await said(bob))[1].media_type == fthttp.CONTENT_TYPE
        assert (await said(bob))[1].text == "after"


async def test_by_msrp_with_a_preview() -> None:
    async with running() as rig:
        bob = await device(rig, *FILE)
        given = content(PNG)
        rig.sip.send([given])
        invite = await bob.invited()
        assert invite.get("p-asserted-service").endswith("cpm.filetransfer")
        parts = mime.split_multipart(invite.get("content-type"), invite.body)
        assert (parts[1].get("content-disposition"), parts[1].body) == ("icon", SMALL.body)
        _, terms = sdp.msrp_media(sdp.parse(parts[0].body))
        told = dict(terms.file)
        assert sdp_file.parse_selector(told["file-selector"]).fits(PNG.body)
        assert told["file-icon"] == f"cid:{parts[1].get('content-id').strip('<>')}"
        assert (terms.direction, terms.accept_types) == ("sendonly", ("image/png",))
        answer = sdp.answer(
            sdp.parse(parts[0].body),
            sdp.MsrpMedia(path=bob.path, accept_types=("image/png",)),
            session_id=1,
            version=1,
        )
        bob.respond(invite, 200, ("Content-Type", "application/sdp"), body=answer)
        await bob.next("ACK")
        media = await Media.to(bob, parts[0].body)
        frame = await media.received()
        assert frame.headers["content-type"] == "image/png"
        assert frame.body == PNG.body
        outcome = await rig.inbox.outcomes.get()
        assert (outcome.kind, outcome.source) == (OutcomeKind.DELIVERED, "MSRP 200 from device")
        assert outcome.detail == "by MSRP file transfer"
        bye = await bob.next("BYE")
        bob.respond(bye, 200)


async def test_a_device_that_declines_the_file() -> None:
    async with running() as rig:
        bob = await device(rig, *FILE)
        rig.sip.send([content(PNG)])
        bob.respond(await bob.invited(), 603)
        await bob.next("ACK")
        outcome = await rig.inbox.outcomes.get()
        assert outcome.error.reason is Reason.DECLINED


async def test_a_file_that_nobody_accepts_is_offered_again_later() -> None:
    async with running(sessions={"ring": 0.2}) as rig:
        bob = await device(rig, *FILE)
        rig.sip.send([content(PNG)])
        bob.respond(await bob.invited(), 180)
        outcome = await rig.inbox.outcomes.get()
        assert (outcome.error.reason, outcome.error.retryable) == (Reason.NO_ANSWER, True)
        assert outcome.error.retry_after > 60


async def test_the_server_stops_amid_a_file() -> None:
    async with running() as rig:
        bob = await device(rig, *FILE)
        rig.sip.send([content(PNG)])
        await bob.invited()
        await rig.stop()
        outcome = await asyncio.wait_for(rig.inbox.outcomes.get(), 10)
        assert (outcome.error.reason, outcome.error.retryable) == (Reason.NETWORK_DOWN, True)
        await rig.start()


async def test_two_devices_each_in_its_form_and_one_outcome() -> None:
    async with running() as rig:
        first = await device(rig, *HTTP)
        second = await rig.device("bob", "tcp", f'+g.3gpp.icsi-ref="{ICSI}msg,{ICSI}filetransfer"')
        second.reply = None
        rig.sip.send([content(PNG)])
        assert (await said(first))[1].media_type == fthttp.CONTENT_TYPE
        invite = await second.invited()
        second.respond(invite, 486)
        outcome = await rig.inbox.outcomes.get()
        assert (outcome.kind, outcome.detail) == (OutcomeKind.DELIVERED, "by HTTP file transfer")


async def test_a_device_that_comes_back_is_not_called_for_all_its_files_at_once() -> None:
    async with running() as rig:
        bob = await device(rig, *FILE)
        rig.sip.send([content(PNG, number=number) for number in range(5)])
        first, second = await bob.invited(), await bob.invited()
        [turns] = rig.sip.core.media._turns.values()
        assert (turns.wanted, turns.free.locked()) == (5, True)
        bob.respond(first, 603)
        bob.respond(second, 603)
        for _ in range(3):
            bob.respond(await bob.invited(), 603)
        outcomes = [await rig.inbox.outcomes.get() for _ in range(5)]
        assert {outcome.error.reason for outcome in outcomes} == {Reason.DECLINED}
        assert rig.sip.core.media._turns == {}


async def test_large_messages_keep_their_order() -> None:
    async with running() as rig:
        bob = await device(rig, f'+g.3gpp.icsi-ref="{ICSI}msg,{ICSI}largemsg"')
        rig.sip.send([content("x" * 70_000 + str(number), number=number) for number in range(3)])
        for number in range(3):
            invite = await bob.invited()
            await bob.accept(invite)
            media = await Media.to(bob, invite.body)
            body = b""
            while not body.endswith(str(number).encode()):
                body += (await media.received()).body
            outcome = await rig.inbox.outcomes.get()
            assert outcome.delivery_id == content("", number=number).id
            bob.respond(await bob.next("BYE"), 200)
            bob.path = bob.path.replace(";tcp", "n;tcp")


async def test_a_file_goes_on_where_the_connection_broke() -> None:
    """The device had answered for the first chunks; the next invitation says where it begins."""
    large = PNG._replace(body=bytes(range(256)) * 400)
    async with running(sessions={"grace": 0.05}) as rig:
        bob = await device(rig, *FILE)

        async def accepted() -> tuple[dict[str, str], Media]:
            invite = await bob.invited()
            described = mime.split_multipart(invite.get("content-type"), invite.body)[0].body
            _, terms = sdp.msrp_media(sdp.parse(described))
            ours = sdp.MsrpMedia(path=bob.path, accept_types=("image/png",))
            body = sdp.answer(sdp.parse(described), ours, session_id=1, version=1)
            bob.respond(invite, 200, ("Content-Type", "application/sdp"), body=body)
            await bob.next("ACK")
            return dict(terms.file), await Media.to(bob, described)

        rig.sip.send([content(large)])
        told, media = await accepted()
        assert "file-range" not in told
        first, second = await media.received(), await media.received()
        here = first.body + second.body
        media.close()  # after the answers, on the same connection
        outcome = await rig.inbox.outcomes.get()
        assert outcome.error.retryable
        bob.path = bob.path.replace(";tcp", "n;tcp")
        rig.sip.send([content(large)])
        told, media = await accepted()
        start = sdp_file.parse_range(told["file-range"])
        assert start - 1 == len(here)
        while len(here) < len(large.body):
            here += (await media.received()).body
        assert here == large.body
        assert (await rig.inbox.outcomes.get()).kind is OutcomeKind.DELIVERED
