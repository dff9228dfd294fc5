"""What the centre brings: reports, messages, and strangers."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from opencpm.domain.address import Address
from opencpm.domain.delivery import OutcomeKind
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import Disposition, text_part
from opencpm.domain.report import Status
from opencpm.lab.mmsc import LabMmsc, http
from opencpm.protocols import mm7
from opencpm.protocols.mm7.operations import CancelReq, DeliverReq, DeliveryReportReq, Response
from opencpm.protocols.mm7.values import NUMBER, SHORT_CODE, Recipients
from opencpm.protocols.mm7.values import Address as Mm7Address
from opencpm.protocols.mms.content import part_of
from opencpm.transport.http_client import Poster, Tls
from tests.interworking.mms.pictures import jpeg
from tests.transport.certificates import make_certificate

from .support import ALICE, BOB, CAROL, Rig, State, context, delivery, message, rig, start

FIXTURES = Path(__file__).parents[3] / "fixtures/mms"
SECRET = ("Authorization", "Basic bW1zYzpzZWNyZXQ=")


async def push(here: Rig, content_type: str, body: bytes, *headers: tuple[str, str]) -> http.Response:
    return await http.post(here.url, [("Content-Type", content_type), ("SOAPAction", '""'), *headers], body)


async def told(here: Rig, one: mm7.Message) -> Response:
    response = await push(here, *mm7.encode(one, "bb"), SECRET)
    said = mm7.decode(response.content_type, response.body)
    assert said.transaction_id == one.transaction_id
    assert said.release == one.release
    assert isinstance(said.operation, Response)
    return said.operation


def recorded(name: str) -> tuple[str, bytes]:
    raw = (FIXTURES / name).read_bytes().split(b">>>\n", 1)[1].split(b"\n<<<", 1)[0]
    head, _, body = raw.partition(b"\r\n\r\n")
    lines = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
    return lines["Content-Type"], body[: int(lines["Content-Length"])]


# -- reports


async def test_forwarded_is_not_the_end_and_retrieved_is() -> None:
    async with rig() as here:
        await here.sent(delivery())
        await here.inbox.until(lambda: len(here.inbox.reports) == 2)
        first, second = here.inbox.reports
        assert (first.status, first.key) == (Status.PENDING, "mm1@lab-mmsc")
        assert (second.status, second.key) == (Status.DELIVERED, "mm1@lab-mmsc")
        assert second.detail == f"Retrieved of {BOB}"
        assert second.source == "MM7 DeliveryReportReq"


@pytest.mark.parametrize("swapped", [True, False])
async def test_whichever_way_round_the_addresses_are_the_phone_is_found(swapped: bool) -> None:
    async with rig(lab={"swapped": swapped}, source="100") as here:
        await here.sent(delivery())
        await here.inbox.until(lambda: len(here.inbox.reports) == 2)
        assert here.inbox.reports[1].detail.endswith(str(BOB))


async def test_a_rejected_message_failed() -> None:
    async with rig() as here:
        here.mmsc.phone(BOB.value).rejects = True
        await here.sent(delivery())
        await here.inbox.until(lambda: len(here.inbox.reports) == 2)
        last = here.inbox.reports[-1]
        assert last.status is Status.FAILED
        assert last.error.reason is Reason.REJECTED


async def test_a_message_nobody_fetched_expired() -> None:
    async with rig() as here:
        here.mmsc.phone(BOB.value).on = False
        await here.sent(delivery())
        await here.inbox.until(lambda: len(here.inbox.reports) == 1)
        here.mmsc.expire(BOB.value)
        await here.inbox.until(lambda: len(here.inbox.reports) == 2)
        assert here.inbox.reports[-1].error.reason is Reason.EXPIRED


@pytest.mark.parametrize(
    ("believed", "word", "status"),
    [
        (True, "Read", Status.DISPLAYED),
        (False, "Read", Status.PENDING),
        (True, "Deleted", Status.PENDING),
    ],
)
async def test_a_read_report_is_believed_where_the_operator_says_so(believed: bool, word: str, status: Status) -> None:
    async with rig(read_to_display=believed) as here:
        bob = here.mmsc.phone(BOB.value)
        await here.sent(delivery(about=message(wants=Disposition.DISPLAY)))
        await bob.read(await bob.wait_mm(0), word)
        await here.inbox.until(lambda: len(here.inbox.reports) == 3)
        assert here.inbox.reports[-1].status is status
        assert here.inbox.reports[-1].source == "MM7 ReadReplyReq"


async def test_a_repeated_passing_report_is_answered_and_not_told_again() -> None:
    report = DeliveryReportReq(
        message_id="m@x",
        recipient=Mm7Address(SHORT_CODE, "100"),
        sender=Mm7Address(NUMBER, "12025550101"),
        mm_status="Forwarded",
    )
    async with rig() as here:
        for _ in range(3):
            assert (await told(here, mm7.Message("same", report))).status.code == 1000
        other = mm7.Message("same", DeliveryReportReq(message_id="m@y", mm_status="Forwarded"))
        await told(here, other)
        assert [one.key for one in here.inbox.reports] == ["m@x", "m@y"]


async def test_a_report_without_a_message_is_answered() -> None:
    async with rig() as here:
        answer = await told(here, mm7.Message("t", DeliveryReportReq(mm_status="Retrieved")))
        assert answer.status.code == 1000
        assert here.inbox.reports == []


async def test_nothing_is_answered_before_it_is_stored() -> None:
    async with rig() as here:
        here.inbox.hold = True
        report = mm7.Message("t", DeliveryReportReq(message_id="m", mm_status="Retrieved"))
        asking = asyncio.create_task(told(here, report))
        await here.inbox.until(lambda: here.inbox.reports)
        assert not asking.done()
        here.inbox.release()
        assert (await asking).status.code == 1000


@pytest.mark.parametrize(
    ("name", "status", "operation"),
    [
        ("mm7-deliveryreport-forwarded.http", Status.PENDING, "DeliveryReportRsp"),
        ("mm7-deliveryreport-retrieved.http", Status.DELIVERED, "DeliveryReportRsp"),
        ("mm7-deliveryreport-rejected.http", Status.FAILED, "DeliveryReportRsp"),
        ("mm7-readreply.http", Status.PENDING, "ReadReplyRsp"),
    ],
)
async def test_recorded_reports_are_understood_and_answered_in_their_release(
    name: str, status: Status, operation: str
) -> None:
    async with rig(source="100") as here:
        response = await push(here, *recorded(name), SECRET)
        said = mm7.decode(response.content_type, response.body)
        assert isinstance(said.operation, Response)
        assert (said.operation.operation, said.operation.status.code) == (operation, 1000)
        assert said.release.version == "5.3.0"
        (report,) = here.inbox.reports
        assert report.status is status
        assert report.detail.rpartition(" of ")[2] in ("tel:+447700900556", "tel:+447700900557", str(ALICE))


# -- messages


async def test_a_picture_of_the_phone_comes_whole_and_in_order() -> None:
    async with rig() as here:
        sent = await here.mmsc.phone(BOB.value).send(
            "This is me", [("me.jpg", "image/jpeg", jpeg(320, 240))], to=ALICE.value, subject="Hi"
        )
        assert sent.status == "accepted"
        (got,) = here.inbox.messages
        assert (got.sender, got.recipients, got.subject, got.origin) == (BOB, (ALICE,), "Hi", "mms")
        assert [part.media_type for part in got.parts] == ["image/jpeg", "text/plain"]
        assert got.parts[0].body == jpeg(320, 240)
        assert got.parts[0].name == "me.jpg"
        assert got.text == "This is me"


async def test_a_repeated_message_has_the_same_id_and_another_one_has_not() -> None:
    def one(text: str, transaction: str) -> mm7.Message:
        request = DeliverReq(
            linked_id="l1",
            sender=Mm7Address(NUMBER, "12025550101"),
            recipients=Recipients(to=(Mm7Address(NUMBER, ALICE.value),)),
            timestamp="2026-11-23T08:03:12Z",
        )
        return mm7.Message(transaction, request, content=part_of("text/plain", text.encode()))

    async with rig() as here:
        for text, transaction in (("a", "1"), ("a", "2"), ("b", "3")):
            assert (await told(here, one(text, transaction))).status.code == 1000
        first, second, third = (got.id for got in here.inbox.messages)
        assert first == second != third


async def test_the_recorded_message_is_taken() -> None:
    person = Address("tel", "100")
    async with rig(context(owned=(person,))) as here:
        response = await push(here, *recorded("mm7-deliver.http"), SECRET)
        said = mm7.decode(response.content_type, response.body)
        assert isinstance(said.operation, Response)
        assert (said.operation.operation, said.operation.status.code) == ("DeliverRsp", 1000)
        (got,) = here.inbox.messages
        assert (str(got.sender), got.recipients, got.subject) == ("tel:+447700900556", (person,), "Übersicht")
        assert [part.media_type for part in got.parts] == ["image/gif", "text/plain"]


@pytest.mark.parametrize(
    ("error", "http_status", "code"),
    [
        (SendError(Reason.UNKNOWN_ADDRESS), 200, 2003),
        (SendError(Reason.BARRED), 200, 2001),
        (SendError(Reason.TOO_LARGE), 200, 2004),
        (SendError(Reason.REJECTED), 200, 3002),
        (SendError(Reason.INTERNAL, retryable=True), 503, 4006),
    ],
)
async def test_only_trouble_of_ours_brings_it_again(error: SendError, http_status: int, code: int) -> None:
    async with rig() as here:
        here.inbox.verdict = error
        request = DeliverReq(sender=Mm7Address(NUMBER, "12025550101"), recipients=_to(ALICE))
        one = mm7.Message("t", request, content=part_of("text/plain", b"Hi"))
        response = await push(here, *mm7.encode(one, "bb"), SECRET)
        said = mm7.decode(response.content_type, response.body).operation
        assert isinstance(said, Response)
        assert (response.status, said.status.code) == (http_status, code)


async def test_answers_to_a_shared_number_find_who_wrote_last() -> None:
    async with rig(source="100") as here:
        bob = here.mmsc.phone(BOB.value)
        await here.sent(delivery(ident="a.0"))
        await here.sent(delivery(ident="b.0", source=CAROL, about=message(id="b", sender=CAROL)))
        await bob.send("Hi", to="100")
        assert here.inbox.messages[-1].recipients == (CAROL,)


async def test_an_answer_names_the_linked_id_once_it_is_known_and_goes_without_where_it_is_not() -> None:
    state = State()
    async with rig(context(state)) as here:
        bob = here.mmsc.phone(BOB.value)
        sent = await bob.send("Hi", to=ALICE.value)
        await here.sent(delivery(ident="a.0"))
        assert (await bob.wait_mm(0)).linked_id == sent.linked_id
        await here.stop()
        again = await start(here.mmsc, context(state))
        await again.sent(delivery(ident="b.0"))
        assert (await bob.wait_mm(1)).linked_id == sent.linked_id
        here.mmsc.faults.forget_links = True
        assert (await again.sent(delivery(ident="c.0"))).kind is OutcomeKind.ACCEPTED
        assert [one.operation.linked_id for one in here.submitted()[2:]] == [sent.linked_id, ""]
        await again.sent(delivery(ident="d.0"))
        assert len(here.submitted()) == 5
        await again.stop()


async def test_somebody_else_does_not_answer_in_their_name() -> None:
    async with rig() as here:
        await here.mmsc.phone(BOB.value).send("Hi", to=ALICE.value)
        await here.sent(delivery(ident="a.0", source=CAROL, about=message(text_part("Hi"), sender=CAROL)))
        assert here.submitted()[-1].operation.linked_id == ""


# -- strangers and rubbish


@pytest.mark.parametrize("header", [None, ("Authorization", "Basic bW1zYzp3cm9uZw=="), ("Authorization", "Digest x")])
async def test_strangers_are_refused_and_named(header: tuple[str, str] | None) -> None:
    async with rig() as here:
        report = mm7.Message("t", DeliveryReportReq(message_id="m", mm_status="Retrieved"))
        response = await push(here, *mm7.encode(report), *([header] if header else []))
        assert response.status == 401
        assert here.inbox.reports == []
        assert here.inbox.strangers[0][1] == "authentication"


async def test_from_another_address_it_is_a_stranger() -> None:
    async with rig(listen={"peers": ["192.0.2.0/24"]}) as here:
        report = mm7.Message("t", DeliveryReportReq(message_id="m", mm_status="Retrieved"))
        assert (await push(here, *mm7.encode(report), SECRET)).status == 401


async def test_a_centre_may_prove_itself_by_digest() -> None:
    async with rig(listen={"authentication": "digest"}) as here:
        report = mm7.Message("t", DeliveryReportReq(message_id="m", mm_status="Retrieved"))
        assert (await push(here, *mm7.encode(report), SECRET)).status == 401
        centre = Poster(here.url, username="mmsc", password="secret", scheme="digest")
        assert (await centre.post(*mm7.encode(report))).status == 200
        await centre.close()
        assert len(here.inbox.reports) == 1


async def test_over_https(tmp_path: Path) -> None:
    certificate, key = make_certificate(tmp_path)
    async with LabMmsc() as mmsc:
        running = await start(mmsc, listen={"tls_certificate": certificate, "tls_key": key})
        host, port = running.connector.endpoints["https"]
        report = mm7.Message("t", DeliveryReportReq(message_id="m", mm_status="Retrieved"))
        centre = Poster(f"https://{host}:{port}/mm7", username="mmsc", password="secret", tls=Tls(certificate))
        reply = await centre.post(*mm7.encode(report))
        await centre.close()
        await running.stop()
        assert reply.status == 200
        assert running.inbox.reports[0].status is Status.DELIVERED


BOMB = b"""<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>
<env:Envelope xmlns:env="http://schemas.xmlsoap.org/soap/envelope/"><env:Body>&b;</env:Body></env:Envelope>"""


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("text/xml", b""),
        ("text/xml", b"<not closed"),
        ("text/xml", BOMB),
        ("text/xml", b"<a>" * 100_000),
        ("text/xml", b"\xff\xfe\x00"),
        ("multipart/related", b"no boundary"),
        ('multipart/related; boundary="b"', b"--b\r\n" * 10_000),
        ("application/json", b"{}"),
    ],
)
async def test_what_cannot_be_read_is_a_fault_and_no_error_of_http(content_type: str, body: bytes) -> None:
    async with rig() as here:
        response = await push(here, content_type, body, SECRET)
        assert response.status == 200
        said = mm7.decode(response.content_type, response.body)
        assert isinstance(said.operation, Response)
        assert (said.operation.operation, said.operation.status.code) == ("VASPErrorRsp", 2007)
        assert said.transaction_id == "0000"
        assert here.inbox.messages == here.inbox.reports == []


async def test_nested_without_end_is_refused_and_what_follows_is_taken() -> None:
    content = part_of("text/plain", b"deep")
    for depth in range(30):
        body = b"--b%d\r\nContent-Type: %s\r\n\r\n%s\r\n--b%d--" % (
            depth,
            content.content_type.encode(),
            content.body,
            depth,
        )
        content = part_of(f'multipart/mixed; boundary="b{depth}"', body)
    request = DeliverReq(sender=Mm7Address(NUMBER, "12025550101"), recipients=_to(ALICE))
    async with rig() as here:
        assert (await told(here, mm7.Message("t", request, content=content))).status.code == 2007
        assert (await told(here, mm7.Message("t", request, content=part_of("text/plain", b"Hi")))).status.code == 1000


async def test_what_is_too_large_is_refused_by_http() -> None:
    async with rig(listen={"max_request": 4096}) as here:
        assert (await push(here, "text/xml", bytes(5000), SECRET)).status == 413


async def test_without_sender_receiver_or_content_it_is_corrupt() -> None:
    async with rig() as here:
        sender = Mm7Address(NUMBER, "12025550101")
        hi = part_of("text/plain", b"Hi")
        nobody = mm7.Message("t", DeliverReq(recipients=_to(ALICE)), content=hi)
        nothing = mm7.Message("t", DeliverReq(sender=sender, recipients=_to(ALICE)))
        nowhere = mm7.Message("t", DeliverReq(sender=sender), content=hi)
        assert [(await told(here, one)).status.code for one in (nobody, nothing, nowhere)] == [2007, 2007, 2003]


async def test_what_is_no_request_for_a_service_is_unsupported() -> None:
    async with rig() as here:
        one = mm7.Message("t9", CancelReq(message_id="x"))
        response = await push(here, *mm7.encode(one), SECRET)
        said = mm7.decode(response.content_type, response.body)
        assert isinstance(said.operation, Response)
        assert (said.operation.operation, said.operation.status.code) == ("VASPErrorRsp", 4003)
        assert said.transaction_id == "t9"


def _to(address: Address) -> Recipients:
    return Recipients(to=(Mm7Address(NUMBER, address.value),))
