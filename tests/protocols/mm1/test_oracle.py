"""The octets of our PDUs in the eyes of an independent codec (python-messaging), and its octets in ours."""

from __future__ import annotations

import pytest

from opencpm.protocols.mm1 import messages
from opencpm.protocols.mm1.content_type import from_mime
from opencpm.protocols.mm1.fields import Field
from opencpm.protocols.mm1.multipart import part
from opencpm.protocols.mm1.pdu import decode, encode, missing
from opencpm.protocols.mm1.tokens import MessageType

from .vectors import ALICE, BOB, GREETING, PDUS, fixture

oracle = pytest.importorskip("messaging.mms.message", reason="python-messaging is not installed")

# It does not know the read reports, and reads a status over 128 as 129.
KNOWN = sorted(set(PDUS) - {"read-rec", "read-orig"})
TEXTS = {
    "Transaction-Id": Field.TRANSACTION_ID,
    "Message-ID": Field.MESSAGE_ID,
    "Content-Location": Field.CONTENT_LOCATION,
    "Subject": Field.SUBJECT,
    "To": Field.TO,
    "Response-Text": Field.RESPONSE_TEXT,
}
NUMBERS = {"Message-Size": Field.MESSAGE_SIZE}


def agrees(octets: bytes) -> None:
    theirs, ours = oracle.MMSMessage.from_data(octets), decode(octets)
    name = MessageType(ours.type).name
    assert theirs.headers["Message-Type"] == "m-" + name.lower().replace("_", "-")
    for header, field in TEXTS.items():
        if ours.get(field) is not None:
            assert theirs.headers[header] == ours.text(field)
    for header, field in NUMBERS.items():
        if ours.get(field) is not None:
            assert theirs.headers[header] == ours.number(field)
    parts = [(str(p.content_type), bytes(p.data)) for p in theirs._data_parts]
    assert parts == [(p.content_type.media, p.data) for p in ours.parts()]


@pytest.mark.parametrize("name", KNOWN)
def test_worked_pdus(name):
    agrees(bytes.fromhex(PDUS[name]))


@pytest.mark.parametrize("name", ["notification-ind", "retrieve-conf", "send-req", "send-conf"])
def test_recorded_pdus(name):
    agrees(fixture(f"mm1-{name}.bin"))


@pytest.mark.parametrize("subject", ["Hello", "Grüße 😀", "Übersicht"])
def test_what_we_write(subject):
    content = (part(from_mime("text/plain; charset=utf-8"), GREETING.encode(), "t", "t.txt"),)
    agrees(encode(messages.send_req("T", [BOB], messages.related("t"), content, subject=subject, sender=ALICE)))


def test_what_it_writes():
    message = oracle.MMSMessage()
    message.headers |= {"From": ALICE, "To": BOB, "Subject": "Hello"}
    page = oracle.MMSMessagePage()
    page.add_text("Hi there")
    message.add_page(page)
    octets = bytes(message.encode())
    pdu = decode(octets)
    assert missing(pdu) == ()
    assert (pdu.text(Field.FROM), pdu.texts(Field.TO), pdu.text(Field.SUBJECT)) == (ALICE, (BOB,), "Hello")
    assert [p.content_type.media for p in pdu.parts()] == ["application/smil", "text/plain"]
    assert pdu.parts()[1].data == b"Hi there"
    assert encode(pdu) == octets
