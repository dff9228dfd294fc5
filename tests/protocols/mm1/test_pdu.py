from __future__ import annotations

import pytest

from opencpm.protocols.mm1.charsets import EncodedText
from opencpm.protocols.mm1.content_type import ContentType
from opencpm.protocols.mm1.errors import Mm1Error
from opencpm.protocols.mm1.fields import Field
from opencpm.protocols.mm1.multipart import encode_multipart
from opencpm.protocols.mm1.pdu import Header, Pdu, decode, encode, missing
from opencpm.protocols.mm1.push import from_user_data
from opencpm.protocols.mm1.tokens import MessageType, Status, Version
from opencpm.protocols.mm1.values import INSERT_ADDRESS, Counted, Time

from .vectors import BOB, DATE, GREETING, PDUS, fixture

FIXTURES = ("mm1-notification-ind.bin", "mm1-retrieve-conf.bin", "mm1-send-conf.bin", "mm1-send-req.bin")


@pytest.mark.parametrize("octets", PDUS.values(), ids=PDUS.keys())
def test_vectors_come_back_octet_by_octet(octets):
    pdu = decode(bytes.fromhex(octets))
    assert encode(pdu).hex() == octets
    assert not any(isinstance(header.value, bytes) for header in pdu.headers)
    assert missing(pdu) == ()


@pytest.mark.parametrize("name", FIXTURES)
def test_recorded_pdus_come_back_octet_by_octet(name):
    octets = fixture(name)
    pdu = decode(octets)
    assert encode(pdu) == octets
    assert not any(isinstance(header.value, bytes) for header in pdu.headers)
    assert missing(pdu) == ()
    if pdu.content_type:
        assert encode_multipart(pdu.parts()) == pdu.body


def test_recorded_notification():
    pdu = decode(fixture("mm1-notification-ind.bin"))
    assert pdu.type == MessageType.NOTIFICATION_IND
    assert pdu.number(Field.MMS_VERSION) == Version.V1_0
    assert pdu.transaction_id == "mmsc-u-8u-qf877.4.x588.24"
    assert pdu.text(Field.FROM) == "100/TYPE=PLMN"
    assert pdu.text(Field.SUBJECT) == "Hello MM7"
    assert pdu.number(Field.MESSAGE_SIZE) == 606
    assert pdu.time(Field.EXPIRY, 1000.0) == 1000.0 + 0x057E3F
    assert pdu.text(Field.CONTENT_LOCATION) == "http://mmsc/u-8u-qf877.4.x588.24@2/wx64"


def test_recorded_message():
    pdu = decode(fixture("mm1-retrieve-conf.bin"))
    assert pdu.content_type.get("type") == "application/smil"
    assert pdu.content_type.get("start") == "<p.smil>"
    assert pdu.flag(Field.DELIVERY_REPORT) is True
    assert pdu.flag(Field.READ_REPORT) is None
    assert [part.content_id for part in pdu.parts()] == ["p.smil", "dot.gif", "t.txt"]
    assert [part.name for part in pdu.parts()] == ["p.smil", "dot.gif", "t.txt"]
    assert pdu.parts()[2].data.decode() == "Grüße aus CPM 😀"


def test_values():
    pdu = decode(bytes.fromhex(PDUS["send-req"]))
    assert pdu.get(Field.FROM) is INSERT_ADDRESS
    assert pdu.text(Field.FROM) == ""
    assert pdu.texts(Field.TO) == (BOB,)
    assert pdu.parts()[0].data.decode() == GREETING
    assert decode(bytes.fromhex(PDUS["delivery"])).number(Field.STATUS) == Status.RETRIEVED
    assert decode(bytes.fromhex(PDUS["delivery"])).number(Field.DATE) == DATE
    assert decode(bytes.fromhex(PDUS["refused"])).text(Field.RESPONSE_TEXT) == "too large"


@pytest.mark.parametrize(
    ("octets", "header"),
    [
        ("890181", Header(Field.FROM, INSERT_ADDRESS)),
        ("8919802b3434373730303930303132332f545950453d504c4d4e00", Header(Field.FROM, EncodedText(BOB))),
        ("88058103015180", Header(Field.EXPIRY, Time(86400, relative=True))),
        ("880680046b0544e9", Header(Field.EXPIRY, Time(DATE + 86400))),
        ("8a6d79636c61737300", Header(Field.MESSAGE_CLASS, "myclass")),
        ("a00481616200", Header(Field.PREVIOUSLY_SENT_BY, Counted(1, EncodedText("ab")))),
        ("a10681046b03f369", Header(Field.PREVIOUSLY_SENT_DATE, Counted(1, DATE))),
        ("b385", Header(Field.LIMIT, 5)),
        ("582d4e616d650076616c756500", Header("X-Name", "value")),
        ("ff03616263", Header(0xFF, b"\x03abc")),
        ("8e616200", Header(Field.MESSAGE_SIZE, b"ab\0")),
    ],
)
def test_header_forms(octets, header):
    pdu = decode(bytes.fromhex("8c81" + octets))
    assert pdu.headers[1] == header
    assert encode(pdu).hex() == "8c81" + octets


def test_the_way_of_a_forwarded_message():
    first, second = (Counted(1, EncodedText("a")), Counted(2, EncodedText("b")))
    headers = tuple(Header(Field.PREVIOUSLY_SENT_BY, step) for step in (second, first))
    assert Pdu(headers).way() == (first, second)


def test_the_order_that_the_standard_wants():
    headers = (
        Header(Field.SUBJECT, EncodedText("s")),
        Header(Field.MMS_VERSION, 0x92),
        Header(Field.MESSAGE_TYPE, 0x84),
    )
    pdu = Pdu(headers, ContentType("text/plain"), b"x")
    assert encode(pdu) == b"\x8c\x84\x8d\x92\x96s\0\x84\x83x"
    assert decode(encode(pdu)).parts()[0].data == b"x"


@pytest.mark.parametrize("octets", ["", "8d92", "8c", "8c81984e31", "8c8184", "8c8100", "8c818e05", "8c0141"])
def test_refused(octets):
    with pytest.raises(Mm1Error):
        decode(bytes.fromhex(octets))


def test_floods_are_refused():
    with pytest.raises(Mm1Error):
        decode(b"\x8c\x81" + b"\x97a\0" * 512)
    with pytest.raises(Mm1Error):
        decode(bytes.fromhex(PDUS["send-req"]), limit=40)


@pytest.mark.parametrize(
    "header",
    [
        Header(Field.SUBJECT, 5),
        Header(Field.STATUS, 5),
        Header(Field.DATE, "x"),
        Header(Field.MESSAGE_ID, "写"),
        Header(Field.EXPIRY, 5),
        Header(Field.ATTRIBUTES, 5),
    ],
)
def test_values_that_are_none(header):
    with pytest.raises(Mm1Error):
        encode(Pdu((header,)))


def test_missing_fields_are_named():
    assert missing(decode(b"\x8c\x80\x8d\x92")) == (Field.TRANSACTION_ID, Field.FROM, Field.TO, Field.CONTENT_TYPE)
    assert missing(decode(b"\x8c\x84\x85\x01\x05\x99\xe2")) == ()
    assert missing(decode(b"\x8c\xff")) == ()


def test_the_recorded_push_has_the_recorded_notification():
    push = from_user_data(fixture("mm1-wap-push-sms-userdata.bin"))
    assert push is not None
    assert push.content == fixture("mm1-notification-ind.bin")
