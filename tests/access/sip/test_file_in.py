"""Files from devices by MSRP (RFC 5547): taken whole, resumed, refused."""

from __future__ import annotations

import pytest

from opencpm.access.sip.file_in import Partials
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import MessageKind
from opencpm.protocols import cpim, fthttp, mime, sdp
from opencpm.protocols.sdp_file import build_selector, selector_of
from opencpm.protocols.sip.message import Message as Sip
from tests.access.sip.file_fakes import BASE, PNG, FakeFiles
from tests.access.sip.rig import ALICE, BOB
from tests.access.sip.session_rig import BOB_URI, Media, SessionDevice, cpim_text, offer_sdp, running_sessions

SERVICE = ("P-Preferred-Service", "urn:urn-7:3gpp-service.ims.icsi.oma.cpm.filetransfer")
BODY = bytes(range(256)) * 100
SELECTOR = build_selector(selector_of("gar den.jpg", "image/jpeg", BODY))


def offer(path: str, **changed: str) -> bytes:
    attributes = {
        "accept_types": "image/jpeg",
        "accept_wrapped_types": "",
        "file_selector": SELECTOR,
        "file_transfer_id": "ft-1",
        **changed,
    }
    return offer_sdp(path, **attributes).replace(b"a=sendrecv", b"a=sendonly")


async def invited(alice: SessionDevice, **changed: str) -> Sip:
    alice.send_invite(BOB_URI, SERVICE, ("Conversation-ID", "K1"), body=offer(alice.path, **changed))
    answer = await alice.answered("INVITE")
    alice.confirm(answer) if answer.status == 200 else None
    return answer


def chunk(media: Media, start: int, end: int, total: int, flag: str = "$", data: bytes = BODY) -> None:
    headers = [("Message-ID", "f1"), ("Byte-Range", f"{start}-*/{total}"), ("Content-Type", "image/jpeg")]
    media.put("SEND", headers, data[start - 1 : end], flag)


async def test_a_file_is_a_message_with_that_part() -> None:
    async with running_sessions() as rig:
        alice = await rig.device("alice")
        ok = await invited(alice)
        _, terms = sdp.msrp_media(sdp.parse(ok.body))
        assert terms.direction == "recvonly"
        assert dict(terms.file) == {"file-selector": SELECTOR, "file-transfer-id": "ft-1"}
        assert terms.accept_types == ("image/jpeg",)
        assert "cpm.filetransfer" in ok.get("contact").replace("%2E", ".")
        media = await Media.to(alice, ok.body)
        chunk(media, 1, 10_000, len(BODY), "+")
        chunk(media, 10_001, len(BODY), len(BODY))
        message = await rig.inbox.messages.get()
        part = message.parts[0]
        assert (part.content_type, part.body, part.name) == ("image/jpeg", BODY, "gar den.jpg")
        assert (message.sender, message.recipients, message.kind) == (ALICE, (BOB,), MessageKind.STANDALONE)
        assert (message.message_id, message.conversation_id) == ("ft-1", "K1")
        assert [(await media.frame()).status for _ in range(2)] == [200, 200]
        alice.send("BYE")
        assert (await alice.answered("BYE")).status == 200


async def test_a_break_and_a_resumption() -> None:
    async with running_sessions(sessions={"grace": 0.3}) as rig:
        alice = await rig.device("alice")
        media = await Media.to(alice, (await invited(alice)).body)
        chunk(media, 1, 10_000, len(BODY), "+")
        assert (await media.frame()).status == 200
        media.close()
        await alice.next("BYE")
        alice.path = alice.path.replace("/dev", "/again")
        ok = await invited(alice, file_range="10001-*")
        assert ok.status == 200
        media = await Media.to(alice, ok.body)
        rest = BODY[10_000:]
        chunk(media, 1, len(rest), len(rest), data=rest)
        assert (await rig.inbox.messages.get()).parts[0].body == BODY


@pytest.mark.parametrize(
    ("changed", "status", "warning"),
    [
        ({"file_range": "10001-*"}, 488, "send it from the start"),
        ({"file_range": "x"}, 488, "file-range"),
        ({"file_transfer_id": ""}, 488, "file-transfer-id"),
        ({"file_selector": ""}, 488, ""),
        ({"file_selector": "size:x"}, 488, "file-selector"),
        ({"file_selector": 'name:"x" type:image/jpeg size:999999999'}, 403, "bytes at most"),
    ],
)
async def test_offers_that_are_refused(changed: dict[str, str], status: int, warning: str) -> None:
    async with running_sessions() as rig:
        answer = await invited(await rig.device("alice"), **changed)
        assert answer.status == status
        assert warning in answer.get("warning")


async def test_other_bytes_than_announced() -> None:
    async with running_sessions() as rig:
        alice = await rig.device("alice")
        media = await Media.to(alice, (await invited(alice)).body)
        chunk(media, 1, len(BODY), len(BODY), data=bytes(len(BODY)))
        assert (await media.frame()).status == 400
        assert rig.inbox.messages.empty()


async def test_another_type_and_too_much() -> None:
    async with running_sessions(max_content=1300, sessions={"max_message": 2048}) as rig:
        alice = await rig.device("alice")
        media = await Media.to(alice, (await invited(alice, file_selector='name:"x" type:image/jpeg')).body)
        media.text(b"x", "m1", "text/html")
        assert (await media.frame()).status == 415
        chunk(media, 1, len(BODY), len(BODY))
        assert (await media.frame()).status == 413


async def test_a_cancelled_transfer_leaves_nothing() -> None:
    async with running_sessions() as rig:
        alice = await rig.device("alice")
        media = await Media.to(alice, (await invited(alice)).body)
        chunk(media, 1, 10_000, len(BODY), "+")
        chunk(media, 10_001, 10_001, len(BODY), "#")
        assert [(await media.frame()).status for _ in range(2)] == [200, 200]
        alice.send("BYE")
        await alice.answered("BYE")
        assert (await invited(alice, file_range="10001-*")).status == 488
        assert rig.inbox.messages.empty()


async def test_a_file_that_messaging_refuses() -> None:
    async with running_sessions() as rig:
        rig.inbox.verdict = lambda message: SendError(Reason.TOO_LARGE)
        alice = await rig.device("alice")
        media = await Media.to(alice, (await invited(alice)).body)
        chunk(media, 1, len(BODY), len(BODY))
        assert (await media.frame()).status == 413


async def test_with_a_cpim_that_asks_for_dispositions() -> None:
    async with running_sessions() as rig:
        alice = await rig.device("alice")
        parts = [
            mime.Part((("Content-Type", "application/sdp"),), offer(alice.path)),
            mime.Part((("Content-Type", "message/cpim"),), cpim_text("", "imdn-1")),
            mime.Part((("Content-Type", "image/jpeg"), ("Content-Disposition", "icon")), b"\xff\xd8"),
        ]
        body = mime.build_multipart(parts, "b")
        alice.send_invite(BOB_URI, SERVICE, body=body, kind="multipart/mixed;boundary=b")
        ok = await alice.answered("INVITE")
        alice.confirm(ok)
        media = await Media.to(alice, ok.body)
        chunk(media, 1, len(BODY), len(BODY))
        message = await rig.inbox.messages.get()
        assert (message.message_id, message.parts[0].body) == ("imdn-1", BODY)
        assert message.wants


async def test_a_document_in_pager_mode_becomes_the_file() -> None:
    files = FakeFiles()
    files.uploads[f"{BASE}/ft/u/1", "alice"] = PNG
    async with running_sessions(files=files) as rig:
        alice = await rig.device("alice")
        for number, status in ((1, 202), (2, 502)):
            about = fthttp.FileInfo(f"{BASE}/ft/u/{number}", len(PNG.body), "image/png", name="x.png")
            body = cpim.compose(
                fthttp.build(fthttp.Transfer(about)),
                fthttp.CONTENT_TYPE,
                message_id=f"h{number}",
                datetime="2026-11-23T07:28:02Z",
            )
            alice.call, alice.target, alice.to_tag = f"c{number}", BOB_URI, ""
            alice.send("MESSAGE", ("Content-Type", "message/cpim"), body=body)
            answer = await alice.answered("MESSAGE")
            assert (answer.status == 202) == (status == 202)
            if status != 202:
                assert "upload it again" in answer.get("warning")
        assert (await rig.inbox.messages.get()).parts == (PNG._replace(disposition="")._replace(name="garden.png"),)
        assert rig.inbox.messages.empty()


def test_beginnings_are_bounded() -> None:
    kept = Partials(count=2, octets=10, life=5)
    for number in range(3):
        kept.put((ALICE, f"t{number}"), b"1234", 0.0)
    assert kept.get((ALICE, "t0"), 0.0) == b""
    assert kept.get((ALICE, "t2"), 4.0) == b"1234"
    assert kept.get((ALICE, "t2"), 5.0) == b""
    kept.put((ALICE, "large"), b"x" * 11, 0.0)
    assert kept.get((ALICE, "large"), 0.0) == b""
    kept.put((ALICE, "most"), b"x" * 9, 0.0)
    assert kept.get((ALICE, "t1"), 0.0) == b""
