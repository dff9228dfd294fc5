"""MESSAGE from devices, over real sockets: every kind of body, every refusal."""

import gzip
import zlib

import pytest

from opencpm.access.sip.pager import delivery_of, mark_of
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import Disposition
from opencpm.domain.report import Status
from opencpm.protocols.sip.message import encode_request
from tests.access.sip.rig import ALICE, BOB, running

BOB_URI = "sip:bob@cpm.test"
CPIM = (
    b"From: <sip:anonymous@anonymous.invalid>\r\nTo: <sip:anonymous@anonymous.invalid>\r\n"
    b"DateTime: 2026-11-23T07:26:38Z\r\nNS: d <urn:ietf:params:imdn>\r\nd.Message-ID: Msg34jk324j0001\r\n"
    b"d.Disposition-Notification: positive-delivery, display\r\nNS: rcs <http://www.gsma.com>\r\nrcs.X: kept\r\n"
    b"Subject: Lunch\r\n\r\nContent-Type: text/plain;charset=UTF-8\r\nContent-Length: 9\r\n\r\nHello Bob"
)
IMDN = (
    b'<?xml version="1.0" encoding="UTF-8"?><imdn xmlns="urn:ietf:params:xml:ns:imdn"><message-id>%s</message-id>'
    b"<datetime>2026-11-23T07:26:38Z</datetime><%s-notification><status><%s/></status></%s-notification></imdn>"
)
LIST = b"""--b7\r
Content-Type: application/resource-lists+xml\r
Content-Disposition: recipient-list\r
\r
<?xml version="1.0" encoding="UTF-8"?>
<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists" xmlns:cp="urn:ietf:params:xml:ns:copyControl">
<list><entry uri="sip:bob@cpm.test" cp:copyControl="to"/><entry uri="tel:+12025550102" cp:copyControl="bcc"/>
<entry uri="sip:bob@cpm.test"/></list></resource-lists>\r
--b7\r
Content-Type: message/cpim\r
\r
%s\r
--b7--\r
"""


async def test_a_cpim_message_keeps_all_its_facts():
    async with running() as rig:
        alice = await rig.device("alice", "tcp")
        await alice.register()
        fields = [
            ("Conversation-ID", "conv"),
            ("Contribution-ID", "contr"),
            ("In-Reply-To-Contribution-ID", "earlier"),
            ("Expires", "60"),
            ("X-OpenCPM-Network", "sms"),
        ]
        assert (await alice.message(BOB_URI, CPIM, "message/cpim", *fields)).status == 202
        message = await rig.inbox.messages.get()
        assert (message.sender, message.recipients, message.text) == (ALICE, (BOB,), "Hello Bob")
        assert message.message_id == "Msg34jk324j0001"
        assert message.sent_at == 1795418798
        assert message.wants == Disposition.POSITIVE_DELIVERY | Disposition.DISPLAY
        assert (message.conversation_id, message.contribution_id, message.in_reply_to) == ("conv", "contr", "earlier")
        assert message.expires_at == pytest.approx(message.received_at + 60)
        assert (message.subject, message.route, message.origin) == ("Lunch", "sms", "sip")
        assert message.headers == (("NS", "rcs <http://www.gsma.com>"), ("rcs.X", "kept"))


async def test_plain_text_takes_its_call_id_as_message_id():
    async with running() as rig:
        alice = await rig.device("alice", "tcp")
        await alice.register()
        await alice.message(BOB_URI, b"hi", "text/plain", ("Date", "Mon, 23 Nov 2026 07:39:03 GMT"))
        message = await rig.inbox.messages.get()
        assert message.message_id.endswith("@device")
        assert message.sent_at == 1795419543
        assert message.wants == Disposition.NONE


@pytest.mark.parametrize(
    ("uri", "address"),
    [
        ("tel:+1-202-555-0101", "tel:+12025550101"),
        ("sip:+12025550101@cpm.test;user=phone", "tel:+12025550101"),
        ("sip:bob%40msn.test@cpm.test", "im:bob@msn.test"),
        ("sip:bob@127.0.0.1:5060", "sip:bob@cpm.test"),
        ("sip:bob@CPM.test;transport=tcp", "sip:bob@cpm.test"),
        ("sip:bob@else.example", "sip:bob@else.example"),
    ],
)
async def test_whom_the_request_uri_means(uri, address):
    async with running() as rig:
        alice = await rig.device("alice", "tcp")
        await alice.register()
        assert (await alice.message(uri, b"hi")).status == 202
        assert str((await rig.inbox.messages.get()).recipients[0]) == address


@pytest.mark.parametrize(("coding", "pack"), [("deflate", zlib.compress), ("gzip", gzip.compress)])
async def test_compressed_bodies_are_opened(coding, pack):
    async with running() as rig:
        alice = await rig.device("alice", "tcp")
        await alice.register()
        packed = pack(b"squeezed " * 20)
        assert (await alice.message(BOB_URI, packed, "text/plain", ("Content-Encoding", coding))).status == 202
        assert (await rig.inbox.messages.get()).text.startswith("squeezed")


async def test_one_message_to_a_list_hides_nothing_from_us_and_doubles_nobody():
    async with running() as rig:
        alice = await rig.device("alice", "tcp")
        await alice.register()
        answer = await alice.message(
            "sip:list@cpm.test", LIST % CPIM, "multipart/mixed;boundary=b7", ("Require", "recipient-list-message")
        )
        assert answer.status == 202
        message = await rig.inbox.messages.get()
        assert [str(r) for r in message.recipients] == ["sip:bob@cpm.test", "tel:+12025550102"]
        assert (message.text, message.message_id) == ("Hello Bob", "Msg34jk324j0001")


@pytest.mark.parametrize(
    ("kind", "status", "expected"),
    [
        (b"delivery", b"delivered", Status.DELIVERED),
        (b"display", b"displayed", Status.DISPLAYED),
        (b"delivery", b"failed", Status.FAILED),
    ],
)
@pytest.mark.parametrize("wrapped", [True, False])
async def test_dispositions_become_reports(kind, status, expected, wrapped):
    async with running() as rig:
        bob = await rig.device("bob", "tcp")
        await bob.register()
        body, content_type = IMDN % (b"Msg1", kind, status, kind), "message/imdn+xml"
        if wrapped:
            head, _, _ = CPIM.partition(b"\r\n\r\n")
            body = head + b"\r\n\r\nContent-Type: message/imdn+xml\r\n\r\n" + body
            content_type = "message/cpim"
        assert (await bob.message("sip:alice@cpm.test", body, content_type)).status == 200
        report = await rig.inbox.reports.get()
        assert (report.status, report.message_id, report.reporter) == (expected, "Msg1", BOB)
        assert (report.original_sender, report.network, report.source) == (ALICE, "sip", "device")
        assert (report.error is not None) == (expected is Status.FAILED)
        assert rig.inbox.messages.empty()


@pytest.mark.parametrize("own", [True, False])
async def test_a_notification_that_names_our_call_id_is_about_that_delivery_to_that_user(own):
    async with running() as rig:
        bob = await rig.device("bob", "tcp")
        await bob.register()
        mark = mark_of(BOB if own else ALICE) + "abcdef01"
        body = IMDN % (f"dlv-0123.0-{mark}@sip.cpm.test".encode(), b"delivery", b"delivered", b"delivery")
        answer = await bob.message(
            "sip:alice@cpm.test", zlib.compress(body), "message/imdn+xml", ("Content-Encoding", "deflate")
        )
        assert answer.status == 200
        assert rig.inbox.reports.qsize() == own
        if own:
            report = rig.inbox.reports.get_nowait()
            assert (report.delivery_id, report.message_id) == ("0123.0", "")


def test_ids_that_are_not_ours_name_no_delivery():
    assert delivery_of("Msg1") == ("", "")
    assert delivery_of("dlv-") == ("", "")


async def test_a_sender_who_must_not_be_shown_is_refused_rather_than_shown():
    async with running() as rig:
        alice = await rig.device("alice", "tcp")
        await alice.register()
        assert (await alice.message(BOB_URI, b"boo", "text/plain", ("Privacy", "id"))).status == 433
        assert (await alice.message(BOB_URI, b"boo", "text/plain", ("Privacy", "none"))).status == 202


async def test_a_display_that_is_forbidden_says_nothing():
    async with running() as rig:
        bob = await rig.device("bob", "tcp")
        await bob.register()
        body = IMDN % (b"Msg1", b"display", b"forbidden", b"display")
        assert (await bob.message("sip:alice@cpm.test", body, "message/imdn+xml")).status == 200
        assert rig.inbox.reports.empty()


async def test_typing_is_relayed_and_answered_200():
    async with running() as rig:
        alice = await rig.device("alice", "tcp")
        await alice.register()
        body = b'<isComposing xmlns="urn:ietf:params:xml:ns:im-iscomposing"><state>active</state></isComposing>'
        assert (await alice.message(BOB_URI, body, "application/im-iscomposing+xml")).status == 200
        sender, recipient, composing = await rig.inbox.typing.get()
        assert (sender, recipient, composing.active, composing.refresh) == (ALICE, BOB, True, 120.0)
        assert rig.inbox.messages.empty()


@pytest.mark.parametrize(
    ("body", "content_type", "fields", "status", "header"),
    [
        (b"x" * 70_000, "text/plain", [], 413, ""),
        (zlib.compress(b"x" * 1_000_000), "text/plain", [("Content-Encoding", "deflate")], 413, ""),
        (b"x", "text/plain", [("Content-Encoding", "br")], 415, "accept-encoding"),
        (b"x", "text/plain", [("Content-Encoding", "gzip")], 400, ""),
        (b"v=0", "application/sdp", [], 415, "accept"),
        (b"no headers", "message/cpim", [], 400, ""),
        (b"<imdn/>", "message/imdn+xml", [], 400, ""),
        (b"<", "application/im-iscomposing+xml", [], 400, ""),
        (b"x", "multipart/mixed", [], 400, ""),
        (b"hi", "text/plain", [("Require", "recipient-list-message")], 400, ""),
        (b"hi", "text/plain", [("Require", "teleport")], 420, "unsupported"),
        (b"hi", "text/plain", [("Expires", "soon")], 400, ""),
        (b"hi", "text/plain", [("Conversation-ID", "x" * 300)], 400, ""),
        (LIST.replace(b"<list>", b"<lisp>") % CPIM, "multipart/mixed;boundary=b7", [], 400, ""),
    ],
)
async def test_what_is_refused_and_how(body, content_type, fields, status, header):
    async with running() as rig:
        alice = await rig.device("alice", "tcp")
        await alice.register()
        answer = await alice.message(BOB_URI, body, content_type, *fields)
        assert answer.status == status
        assert not header or answer.get(header)
        assert (await alice.message(BOB_URI, b"the next one")).status == 202


async def test_too_many_receivers():
    async with running(max_recipients=1) as rig:
        alice = await rig.device("alice", "tcp")
        await alice.register()
        assert (await alice.message("sip:l@cpm.test", LIST % CPIM, "multipart/mixed;boundary=b7")).status == 413


@pytest.mark.parametrize(
    ("reason", "status", "header"),
    [
        (Reason.UNKNOWN_ADDRESS, 404, ""),
        (Reason.OFFLINE, 480, ""),
        (Reason.BARRED, 403, ""),
        (Reason.UNSUPPORTED_MEDIA, 415, "accept"),
        (Reason.TOO_LARGE, 413, ""),
        (Reason.CONGESTION, 503, "retry-after"),
        (Reason.AUTHENTICATION, 503, "retry-after"),
        (Reason.INTERNAL, 500, ""),
    ],
)
async def test_a_refusal_of_messaging_reaches_the_sender_in_sip_terms(reason, status, header):
    async with running() as rig:
        rig.inbox.verdict = lambda message: SendError(reason, detail='Bob is "away"\r\nEvil: 1')
        alice = await rig.device("alice", "tcp")
        await alice.register()
        answer = await alice.message(BOB_URI, b"hi")
        assert answer.status == status
        assert answer.get("warning") == "399 cpm.test \"Bob is 'away' Evil: 1\""
        assert answer.get("evil") == ""
        assert not header or answer.get(header)


async def test_many_requests_of_one_turn_are_one_batch():
    async with running() as rig:
        alice = await rig.device("alice", "tcp")
        await alice.register()
        stream = b"".join(
            encode_request(
                "MESSAGE",
                BOB_URI,
                [*alice.fields("MESSAGE", BOB_URI, f"many-{n}", n), ("Content-Type", "text/plain")],
                b"x",
            )
            for n in range(1, 9)
        )
        alice.write(stream)
        answers = [await alice.responses.get() for _ in range(8)]
        assert {a.status for a in answers} == {202}
        assert [a.get("cseq") for a in answers] == [f"{n} MESSAGE" for n in range(1, 9)]
        assert max(rig.inbox.batches) == 8


async def test_a_retransmission_is_answered_again_and_stored_once():
    async with running(trust_flows=["udp"]) as rig:
        alice = await rig.device("alice")
        await alice.register()
        fields = [*alice.fields("MESSAGE", BOB_URI, "again", 1), ("Content-Type", "text/plain")]
        data = encode_request("MESSAGE", BOB_URI, fields, b"once")
        alice.write(data)
        first = await alice.responses.get()
        alice.write(data)
        assert await alice.responses.get() == first
        assert rig.inbox.messages.qsize() == 1
