from __future__ import annotations

import pytest

from opencpm.protocols.mime import Part
from opencpm.protocols.mm7 import Message, Mm7Error, answer, decode, encode, error
from opencpm.protocols.mm7.envelope import missing
from opencpm.protocols.mm7.operations import (
    CancelReq,
    DeliverReq,
    DeliveryReportReq,
    ReadReplyReq,
    ReplaceReq,
    Response,
    SubmitReq,
)
from opencpm.protocols.mm7.schema import REL_5, REL_6
from opencpm.protocols.mm7.values import (
    NUMBER,
    SHORT_CODE,
    Address,
    Content,
    Recipients,
    SenderIdentification,
    Status,
)
from opencpm.protocols.mms.content import flatten, multipart, part_of, presentation

from .recorded import NAMES, Http, exchange

SHORT = Address(SHORT_CODE, "100")
PHONE = Address(NUMBER, "447700900556")


def read(http: Http) -> Message:
    return decode(http.content_type, http.body)


@pytest.mark.parametrize("name", NAMES)
def test_every_recorded_exchange_comes_back(name):
    for http in exchange(name):
        if not http.body or (name == "mm7-submit-malformed.http" and http.start.startswith("POST")):
            continue
        message = read(http)
        assert missing(message.operation) == ()
        boundary = "x-y-z" if message.content else ""
        assert decode(*encode(message, boundary)) == message


def test_recorded_submission():
    request, response = exchange("mm7-submit-rel6.http")
    message = read(request)
    assert message.transaction_id == "cpm-tx-submit-rel6"
    assert message.release == REL_6
    operation = message.operation
    assert isinstance(operation, SubmitReq)
    assert operation.sender == SenderIdentification("vas1", "svc", SHORT)
    assert operation.recipients == Recipients(to=(Address(NUMBER, "+447700900556"),))
    assert (operation.delivery_report, operation.read_reply, operation.message_class) == (True, True, "Personal")
    assert operation.subject == "Hello MM7"
    smil, gif, text = parts = flatten(message.content)
    assert gif.body.startswith(b"GIF89a")
    assert text.body.decode() == "Grüße aus CPM 😀"
    assert presentation(message.content, parts) is smil
    answered = read(response)
    assert answered.release == REL_5
    assert answered.transaction_id == message.transaction_id
    assert answered.operation == Response(
        operation="SubmitRsp", status=Status(1000, "Success"), message_id="qf877.1.x588.87@mmsc"
    )


def test_recorded_delivery():
    message = read(exchange("mm7-deliver.http")[0])
    operation = message.operation
    assert isinstance(operation, DeliverReq)
    assert operation.linked_id == "qf992.21.x588.66@mmsc"
    assert operation.sender == PHONE
    assert operation.recipients.to == (SHORT,)
    assert operation.subject == "Übersicht"
    assert [part.get("Content-Location") for part in flatten(message.content)] == ["p.smil", "dot.gif", "t.txt"]


@pytest.mark.parametrize(
    ("word", "status"), [("forwarded", "Forwarded"), ("retrieved", "Retrieved"), ("rejected", "Rejected")]
)
def test_recorded_reports(word, status):
    operation = read(exchange(f"mm7-deliveryreport-{word}.http")[0]).operation
    assert isinstance(operation, DeliveryReportReq)
    assert operation.mm_status == status
    assert {operation.sender.kind, operation.recipient.kind} == {NUMBER, SHORT_CODE}
    assert operation.message_id.endswith("@mmsc")


def test_recorded_read_report():
    operation = read(exchange("mm7-readreply.http")[0]).operation
    assert isinstance(operation, ReadReplyReq)
    assert (operation.mm_status, operation.timestamp) == ("Read", "2026-11-23T08:03:12Z")


def test_recorded_refusal():
    request, response = exchange("mm7-submit-malformed.http")
    with pytest.raises(Mm7Error):
        read(request)
    message = read(response)
    assert message.transaction_id == "0000"
    assert message.operation == Response(operation="RSErrorRsp", status=Status(2007, "Message format corrupt"))


def test_the_answer_speaks_the_release_of_the_request():
    request = read(exchange("mm7-deliver.http")[0])
    response = answer(request, Status(1000, "Success"), service_code="sc")
    assert decode(*encode(response)) == response
    assert response.release == REL_5
    assert response.operation.operation == "DeliverRsp"
    with pytest.raises(Mm7Error):
        answer(response, Status(1000))


def test_errors_travel_in_a_fault():
    refused = error("VASPErrorRsp", Status(2007, "Message format corrupt", "no <XML>"), "t1", REL_5)
    body = encode(refused)[1]
    assert b"<env:Fault>" in body
    assert decode("text/xml", body) == refused


SMIL = part_of("application/smil", b"<smil/>", "s")
IMAGE = part_of("image/gif", b"GIF89a\0\xff", "i", "i.gif")


@pytest.mark.parametrize("binary", [False, True])
def test_content_both_ways(binary):
    content = multipart((IMAGE, SMIL), "inner", content_id="c", binary=binary)
    message = Message("t", SubmitReq(content=Content("cid:c", False)), REL_6, content)
    read_back = decode(*encode(message, "outer"))
    assert read_back.operation == message.operation
    assert flatten(read_back.content) == (SMIL, IMAGE)
    assert presentation(read_back.content, flatten(read_back.content)) == SMIL


def test_content_without_an_id_gets_one():
    message = decode(*encode(Message("t", ReplaceReq(), REL_6, Part((("Content-Type", "image/gif"),), b"x")), "b"))
    assert message.operation.content.href == "cid:content.b"
    assert message.content.body == b"x"


def test_content_without_a_place():
    for operation, boundary in ((CancelReq(), "b"), (SubmitReq(), "")):
        with pytest.raises(Mm7Error):
            encode(Message("t", operation, REL_6, SMIL), boundary)


def assembled(href: str, parts: tuple[tuple[str, bytes], ...], start: str = "") -> tuple[str, bytes]:
    envelope = encode(Message("t", DeliverReq(sender=PHONE, content=Content(href)), REL_5))[1]
    body = b"".join(b"--b\r\n" + head.encode() + b"\r\n\r\n" + data + b"\r\n" for head, data in parts)
    return f"multipart/related;boundary=b{start}", body.replace(b"ENVELOPE", envelope) + b"--b--"


XML = ("Content-Type: text/xml\r\nContent-ID: <env>", b"ENVELOPE")
ONE = ("Content-Type: image/gif\r\nContent-ID: <one>", b"1")
TWO = ("Content-Type: image/gif\r\nContent-ID: <two>\r\nContent-Location: two.gif", b"2")


@pytest.mark.parametrize(
    ("href", "data"),
    [("cid:two", b"2"), ("two", b"2"), ("<two>", b"2"), ("CID:<one>", b"1"), ("two.gif", b"2"), ("?", b"1")],
)
def test_references_as_peers_write_them(href, data):
    assert decode(*assembled(href, (ONE, XML, TWO))).content.body == data


@pytest.mark.parametrize("start", ["", ";start=env", ';start="<env>"', ";start=other"])
def test_the_envelope_is_found(start):
    assert decode(*assembled("cid:two", (ONE, XML, TWO), start)).operation.sender == PHONE


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("text/xml", b""),
        ("multipart/related", b"--b--"),
        ("multipart/related;boundary=b", b"--b\r\nContent-Type: image/gif\r\n\r\nx\r\n--b--"),
        (
            "multipart/related;boundary=b",
            b"--b\r\nContent-Type: text/xml\r\nContent-Transfer-Encoding: base64\r\n\r\n!\r\n--b--",
        ),
        ("text/xml", b"x" * 1001),
    ],
)
def test_refused(content_type, body):
    with pytest.raises(Mm7Error):
        decode(content_type, body, limit=1000)
