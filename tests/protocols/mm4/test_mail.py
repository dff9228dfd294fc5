from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import pytest

from opencpm.protocols.mm4 import (
    DeliveryReportReq,
    ForwardReq,
    Mm4Error,
    ReadReplyReq,
    Response,
    answer,
    decode,
    encode,
    missing,
)
from opencpm.protocols.mm4.address import Address
from opencpm.protocols.mm4.fields import SLOTS
from opencpm.protocols.mm4.messages import RESPONSES, TYPES, Step
from opencpm.protocols.mms.content import bare_id, flatten, multipart, part_of, presentation

FIXTURES = Path(__file__).parents[2] / "fixtures" / "mms"
NAMES = sorted(path.name for path in FIXTURES.glob("mm4-*.eml"))
PEER = Address("PLMN", "447700900556")
US = Address("PLMN", "+12025550100", "peer.mmsc.test")
DATE = 1795420946.0


def recorded(name: str):
    return decode((FIXTURES / name).read_bytes())


@pytest.mark.parametrize("name", NAMES)
def test_every_recorded_mail_comes_back(name):
    message = recorded(name)
    assert decode(encode(message)) == message
    assert missing(message) == ()
    assert all(line.endswith(b"\r") for line in encode(message).partition(b"\r\n\r\n")[0].split(b"\n")[:-1])


def test_recorded_message_of_a_phone():
    message = recorded("mm4-forward-req-out-mo.eml")
    assert isinstance(message, ForwardReq)
    assert message.transaction_id == '"+100/TYPE=PLMN-mmsc-qf946.13.x588.7"'
    assert bare_id(message.message_id) == bare_id(message.internet_id) == "qf946.13.x588.7@mmsc"
    assert message.sender == PEER
    assert message.to == (Address("PLMN", "+100"),)
    assert message.date == DATE
    assert message.subject == "Übersicht"
    assert (message.delivery_report, message.read_reply, message.ack_request) == (True, False, True)
    assert (message.priority, message.message_class, message.version) == ("Normal", "Personal", "5.5.0")
    assert message.originator_system == "system-user@mmsc.test"
    smil, gif, text = parts = flatten(message.content)
    assert gif.body.startswith(b"GIF89a")
    assert text.body.decode() == "Grüße 😀"
    assert presentation(message.content, parts) is smil


def test_recorded_message_of_ours():
    message = recorded("mm4-forward-req-in.eml")
    assert message.sender == US
    assert [part.body for part in flatten(message.content)] == [b"hello over MM4"]


def test_recorded_response():
    message = recorded("mm4-forward-res.eml")
    assert isinstance(message, Response)
    assert (message.type, message.transaction_id, message.status) == ("MM4_forward.RES", "txn-1", "Ok")


def test_recorded_report():
    message = recorded("mm4-delivery-report-req.eml")
    assert isinstance(message, DeliveryReportReq)
    assert message.mm_status == "Retrieved"
    assert bare_id(message.message_id) == "mid-1"
    assert message.sender == Address("PLMN", "447700900560")
    assert message.to == (US,)


def full(cls):
    values = {
        "sender": PEER,
        "to": (US, Address("", "bob", "example.com")),
        "cc": (Address("IPv4", "10.0.0.1"),),
        "date": DATE,
        "forward_counter": 2,
        "previously_sent_by": (Step(1, "+4477/TYPE=PLMN"), Step(2, "x@example.com")),
        "previously_sent_date": (Step(1, "Mon, 23 Nov 2026 08:02:26 GMT"),),
        "subject": "Grüße 😀 " * 20 + "end",
        "status_text": "schön",
        "content": part_of("text/plain", b"x", "t"),
        "type": "MM4_forward.RES",
    }
    flags = ("delivery_report", "originator_delivery_report", "read_reply", "ack_request", "forward_to_originator")
    values |= dict.fromkeys(flags, True) | {"adaptation_allowed": False, "drm_content": False}
    names = [field.name for field in fields(cls)]
    return cls(**{name: values.get(name, f"<{name}>") for name in names})


@pytest.mark.parametrize("cls", [*TYPES, Response])
def test_every_header_comes_back(cls):
    message = full(cls)
    assert decode(encode(message)) == message
    assert missing(message) == ()


@pytest.mark.parametrize("name", RESPONSES)
def test_every_response_comes_back(name):
    message = replace(full(Response), type=name)
    assert decode(encode(message)) == message


def test_every_attribute_has_a_header():
    for cls, name in TYPES.items():
        assert {slot.attribute for slot in SLOTS[name]} | {"content"} >= {field.name for field in fields(cls)}


def test_answers():
    for name in ("mm4-forward-req-out.eml", "mm4-delivery-report-req.eml"):
        request = recorded(name)
        response = answer(request, "Ok", system_sender="system-user@us.test", date=DATE, internet_id="<1@us.test>")
        assert response.transaction_id == request.transaction_id
        assert response.to == (Address("", "system-user", "mmsc.test"),)
        assert decode(encode(response)) == response
        assert missing(response) == ()
    assert response.type == "MM4_delivery_report.RES"


def test_variants_of_headers():
    mail = b"X-MMS-MESSAGE-TYPE: mm4_Delivery_report.req\nx-mms-status: Expired\nx-mms-ack-request: TRUE\n\n"
    message = decode(mail)
    assert (message.mm_status, message.ack_request, message.version) == ("Expired", True, "")
    both = encode(message, both_status_headers=True)
    assert both.count(b"Expired") == 2
    assert decode(both) == message
    assert missing(message)[:2] == ("X-Mms-3GPP-MMS-Version", "X-Mms-Transaction-ID")
    read = decode(b"X-Mms-Message-Type: MM4_read_reply_report.REQ\nX-Mms-Read-Status: Read\n\n")
    assert read == ReadReplyReq(version="", read_status="Read")


def test_content_travels():
    image = part_of("image/gif", bytes(range(256)), "i")
    message = replace(full(ForwardReq), content=multipart((image,), "b"))
    assert flatten(decode(encode(message)).content) == (image,)


def test_nothing_of_a_value_leaves_its_header():
    message = ForwardReq(subject="a\r\nX-Evil: 1", transaction_id="b\r\n\r\nX-Evil: 1", expiry="c\nX-Evil: 1")
    written = encode(message)
    assert b"\nX-Evil" not in written
    assert decode(written).subject == "a X-Evil: 1"


def test_hidden_senders():
    for line in (b"", b"From: <>\n", b"From:\n"):
        assert decode(b"X-Mms-Message-Type: MM4_forward.REQ\n" + line + b"\n").sender is None


@pytest.mark.parametrize(
    "mail",
    [
        b"",
        b"Subject: bounce\n\nHi",
        b"X-Mms-Message-Type: nonsense\n\n",
        b"a: b\n" * 300 + b"\n",
        b"a: b\n" * 2000 + b"\n",
        b"a: " + b"x" * (129 << 10) + b"\n\n",
        b"x" * (1 << 20),
    ],
)
def test_refused(mail):
    with pytest.raises(Mm4Error):
        decode(mail, limit=500_000)


def test_dates_that_are_none():
    for wrong in (1e18, float("nan")):
        with pytest.raises(Mm4Error):
            encode(ForwardReq(date=wrong))
    assert decode(b"X-Mms-Message-Type: MM4_forward.REQ\nDate: soon\n\n").date is None
