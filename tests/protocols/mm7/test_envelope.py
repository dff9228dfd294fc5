from __future__ import annotations

import re

import pytest

from opencpm.protocols.mm7.elements import SLOTS
from opencpm.protocols.mm7.envelope import Envelope, missing, read_envelope, write_envelope
from opencpm.protocols.mm7.errors import Mm7Error
from opencpm.protocols.mm7.operations import (
    ERRORS,
    NAMES,
    RESPONSES,
    CancelReq,
    DeliverReq,
    DeliveryReportReq,
    ExtendedCancelReq,
    ExtendedReplaceReq,
    ReadReplyReq,
    ReplaceReq,
    Response,
    SubmitReq,
)
from opencpm.protocols.mm7.schema import REL_5, RELEASES, SOAP
from opencpm.protocols.mm7.values import (
    MAIL,
    NUMBER,
    SHORT_CODE,
    Address,
    Content,
    Recipients,
    ReplyCharging,
    SenderIdentification,
    Status,
    Step,
    UaCapabilities,
)

ALICE, BOB = Address(NUMBER, "+447700900111"), Address(MAIL, "bob@example.com", True, "obfuscated", "b")
SERVICE = SenderIdentification("vasp", "vas", Address(SHORT_CODE, "100"))
APPLICATION = {"applic_id": "a", "reply_applic_id": "r", "aux_applic_info": "x"}
SAID = Content("cid:c", True)
FULL = (
    SubmitReq(
        sender=SERVICE,
        recipients=Recipients((ALICE, BOB), (BOB,), (ALICE,)),
        service_code="sc",
        linked_id="l",
        message_class="Personal",
        timestamp="2026-11-23T08:02:26Z",
        reply_charging=ReplyCharging(1000, "P1D"),
        earliest_delivery="PT30M",
        expiry="P1D",
        delivery_report=True,
        read_reply=False,
        priority="High",
        subject="<Ü & 😀>",
        charged_party="Sender",
        charged_party_id="id",
        distribution_indicator=False,
        delivery_condition=("1", "2"),
        content_class="image-basic",
        drm_content=False,
        content=SAID,
        **APPLICATION,
    ),
    DeliverReq(
        relay_server_id="mmsc",
        vasp_id="v",
        vas_id="s",
        linked_id="l",
        sender=ALICE,
        recipients=Recipients(cc=(BOB,)),
        previously_sent_by=(Step(1, ALICE), Step(2, BOB)),
        previously_sent_date=(Step(1, "2026-11-23T08:02:26Z"),),
        sender_spi="1",
        recipient_spi="2",
        timestamp="t",
        reply_charging_id="i",
        priority="Low",
        subject="s",
        ua_capabilities=UaCapabilities("http://ua.example/1", "2026-11-23T08:02:26Z"),
        content=SAID,
        **APPLICATION,
    ),
    DeliveryReportReq(
        relay_server_id="mmsc",
        message_id="m",
        recipient=ALICE,
        sender=BOB,
        date="d",
        mm_status="Rejected",
        mm_status_extension="RejectionByMMSRecipient",
        status_text="no",
        ua_capabilities=UaCapabilities("u"),
        **APPLICATION,
    ),
    ReadReplyReq(
        relay_server_id="mmsc",
        message_id="m",
        recipient=ALICE,
        sender=BOB,
        timestamp="t",
        mm_status="Read",
        status_text="yes",
        **APPLICATION,
    ),
    CancelReq(sender=SERVICE, message_id="m", **APPLICATION),
    ExtendedCancelReq(sender=SERVICE, cancel_id="c"),
    ReplaceReq(
        sender=SERVICE,
        message_id="m",
        service_code="s",
        timestamp="t",
        read_reply=True,
        earliest_delivery="e",
        distribution_indicator=True,
        content=SAID,
        **APPLICATION,
    ),
    ExtendedReplaceReq(
        sender=SERVICE,
        recipients=Recipients((ALICE,)),
        replace_id="r",
        service_code="s",
        message_class="Auto",
        timestamp="t",
        earliest_delivery="e",
        expiry="x",
        delivery_report=False,
        read_reply=True,
        priority="Low",
        subject="s",
        charged_party="Both",
        distribution_indicator=True,
        content=SAID,
    ),
)


@pytest.mark.parametrize("operation", FULL, ids=lambda operation: type(operation).__name__)
@pytest.mark.parametrize("release", RELEASES.values(), ids=RELEASES.keys())
def test_every_element_of_every_request_comes_back(operation, release):
    envelope = Envelope("t & 1", operation, release)
    assert read_envelope(write_envelope(envelope)) == envelope
    assert missing(operation) == ()


def test_the_full_requests_leave_no_element_out():
    assert {type(operation) for operation in FULL} == set(NAMES)
    for operation in FULL:
        written = write_envelope(Envelope("t", operation, REL_5)).decode()
        places = [re.search(f"<mm7:{slot.element}[ >]", written).start() for slot in SLOTS[NAMES[type(operation)]]]
        assert places == sorted(places)


@pytest.mark.parametrize("name", sorted(RESPONSES) + list(ERRORS))
def test_every_response_comes_back(name):
    response = Response(operation=name, status=Status(1100, "Partial", "who"), message_id="m", service_code="s")
    envelope = Envelope("t", response, REL_5)
    assert read_envelope(write_envelope(envelope)) == envelope


def soap(body: str, header: str = "") -> bytes:
    return f'<s:Envelope xmlns:s="{SOAP}"><s:Header>{header}</s:Header><s:Body>{body}</s:Body></s:Envelope>'.encode()


def test_other_spellings_are_read():
    envelope = read_envelope(
        b"\r\n"
        + soap(
            '<DeliverReq xmlns="urn:x" xmlns:y="urn:y"><Unknown><Sender>1</Sender></Unknown>'
            "<y:Subject> hi </y:Subject><Sender>+4477</Sender><MM7Version>9.9</MM7Version>"
            '<Recipients><Other/><To><ShortCode displayOnly="1">5</ShortCode><Extra/></To><To><Number>6</Number></To>'
            "</Recipients><Content HREF='c'/></DeliverReq>",
            "<TransactionID>7</TransactionID>",
        )
    )
    operation = envelope.operation
    assert envelope.transaction_id == "7"
    assert envelope.release == ("urn:x", "9.9")
    assert operation.subject == "hi"
    assert operation.sender == Address(NUMBER, "+4477")
    assert operation.recipients.to == (Address(SHORT_CODE, "5", True), Address(NUMBER, "6"))
    assert operation.content == Content("c")


def test_faults():
    plain = "<s:Fault><faultcode>s:{0}</faultcode><faultstring>oops</faultstring></s:Fault>"
    assert read_envelope(soap(plain.format("Client"))).operation == Response(
        operation="Fault", status=Status(2000, "oops")
    )
    assert read_envelope(soap(plain.format("Server"))).operation.status.code == 3000
    detailed = (
        "<s:Fault><Detail><x><RSErrorRsp xmlns='urn:x'><Status><StatusCode>4002</StatusCode>"
        "<Details><a>b</a> c</Details></Status></RSErrorRsp></x></Detail></s:Fault>"
    )
    envelope = read_envelope(soap(detailed))
    assert envelope.operation == Response(operation="RSErrorRsp", status=Status(4002, "", "b c"))
    assert envelope.release.namespace == "urn:x"
    bare = Response(operation="Fault", status=Status(3000))
    with pytest.raises(Mm7Error):
        write_envelope(Envelope("t", bare, REL_5))


def test_missing_elements_are_named():
    assert missing(SubmitReq()) == ("Recipients",)
    assert missing(DeliveryReportReq(message_id="m")) == ("Recipient", "Sender", "MMStatus")
    assert missing(Response(operation="SubmitRsp")) == ("Status",)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<a/>",
        soap(""),
        soap("<Nonsense/>"),
        soap("<SubmitRsp><Status><StatusCode>x</StatusCode></Status></SubmitRsp>"),
        soap("<SubmitRsp><Status/></SubmitRsp>"),
        soap('<SubmitReq><ReplyCharging replyChargingSize="99999999999999"/></SubmitReq>'),
        soap("<SubmitReq><Recipients><To>" + "<Number>1</Number>" * 1001 + "</To></Recipients></SubmitReq>"),
        soap("<SubmitReq>" + "<a>" * 20 + "</a>" * 20 + "</SubmitReq>"),
        b'<!DOCTYPE a [<!ENTITY x "y">]>' + soap("<SubmitReq/>"),
        soap("<SubmitReq/>") + b" " * (512 << 10),
    ],
)
def test_refused(body):
    with pytest.raises(Mm7Error):
        read_envelope(body)


def test_a_wrong_kind_of_address_is_not_written():
    with pytest.raises(Mm7Error):
        write_envelope(Envelope("t", DeliverReq(sender=Address("Nonsense", "1")), REL_5))
