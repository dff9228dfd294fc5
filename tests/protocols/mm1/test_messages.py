from __future__ import annotations

from opencpm.protocols.mm1 import messages as m
from opencpm.protocols.mm1.content_type import ContentType, from_mime
from opencpm.protocols.mm1.fields import Field
from opencpm.protocols.mm1.multipart import part
from opencpm.protocols.mm1.pdu import Header, decode, encode, missing
from opencpm.protocols.mm1.tokens import CancelStatus, MessageType, ReadStatus, Status, YesNo
from opencpm.protocols.mm1.values import Time

from .vectors import ALICE, BOB, DATE, GREETING, PDUS

REPORT = (Header(Field.DELIVERY_REPORT, YesNo.YES),)
TEXT = (part(from_mime("text/plain; charset=utf-8"), GREETING.encode()),)
WRITTEN = {
    "notification": m.notification_ind(
        "N1", "http://m.example/1", 30000, Time(604800, relative=True), sender=BOB, subject="Hi"
    ),
    "deferred": m.notifyresp_ind("N1", Status.DEFERRED),
    "retrieved": m.notifyresp_ind("N1", Status.RETRIEVED, report_allowed=True),
    "acknowledge": m.acknowledge_ind("N1", report_allowed=True),
    "send-conf": m.send_conf("T1", 0x80, "abc@mmsc"),
    "refused": m.send_conf("T1", 0xE5, text="too large"),
    "delivery": m.delivery_ind("abc@mmsc", BOB, DATE, Status.RETRIEVED),
    "read-rec": m.read_rec_ind("abc@mmsc", ALICE, ReadStatus.READ, date=DATE),
    "read-orig": m.read_orig_ind("abc@mmsc", ALICE, BOB, DATE, ReadStatus.READ),
    "send-req": m.send_req("T1", [BOB], m.mixed(), TEXT, extra=REPORT),
    "retrieve-conf": m.retrieve_conf(
        DATE, m.mixed(), TEXT, transaction_id="N1", message_id="abc@mmsc", sender=ALICE, extra=REPORT
    ),
}


def test_every_worked_pdu_is_written_octet_by_octet():
    assert {name: encode(pdu).hex() for name, pdu in WRITTEN.items()} == PDUS


def test_the_others_come_back_complete():
    for pdu, kind in (
        (m.forward_req("F1", [BOB], "http://m.example/1"), MessageType.FORWARD_REQ),
        (m.forward_conf("F1", 0x80, "x@mmsc"), MessageType.FORWARD_CONF),
        (m.delete_req("D1", ["http://m.example/1"]), MessageType.DELETE_REQ),
        (m.delete_conf("D1", 0x80), MessageType.DELETE_CONF),
        (m.cancel_req("C1", "x@mmsc"), MessageType.CANCEL_REQ),
        (m.cancel_conf("C1", CancelStatus.RECEIVED), MessageType.CANCEL_CONF),
        (m.retrieve_refused(DATE, 0xE2, transaction_id="N1", text="gone"), MessageType.RETRIEVE_CONF),
        (m.send_req("T2", [BOB], ContentType("text/plain"), TEXT, subject="Ü", sender=ALICE), MessageType.SEND_REQ),
    ):
        again = decode(encode(pdu))
        assert again.type == kind
        assert again == pdu
        assert missing(again) == ()


def test_content_types():
    assert m.related("p.smil").get("start") == m.related("p.smil", quoted=True).get("start") == "<p.smil>"
    assert m.related("p.smil").get("type") == "application/smil"
    assert m.yes(False) == YesNo.NO
