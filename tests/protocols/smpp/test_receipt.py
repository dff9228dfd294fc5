import pytest

from opencpm.protocols.smpp.receipt import (
    State,
    looks_like_receipt,
    parse_receipt,
    receipt_text,
    state_of,
    text_fields,
)
from opencpm.protocols.smpp.short_message import ShortMessage, decode_short_message
from opencpm.protocols.smpp.tlv import Tag

from . import vectors


def receipt(text, tlvs=()):
    return parse_receipt(ShortMessage(message=text, esm_class=4, tlvs=tlvs))


def test_worked_ones():
    found = parse_receipt(decode_short_message(vectors.ALL["RECEIPT"]))
    assert (found.message_id, found.state, found.error) == ("1715004", State.DELIVERED, "000")
    assert (found.submit_date, found.done_date) == ("2611230730", "2611230730")
    by_tlv = parse_receipt(decode_short_message(vectors.ALL["RECEIPT_TLV"]))
    assert (by_tlv.message_id, by_tlv.state) == ("1A2B3C", State.DELIVERED)


@pytest.mark.parametrize("name", ["node-session", "kannel-session", "receipt-decimal-vs-hex", "throttling"])
def test_recorded_ones(name):
    messages = [
        decode_short_message(line.pdu)
        for line in vectors.transcript(name)
        if line.pdu[4:8].hex() == "00000005" and line.pdu[8:12] == b"\0\0\0\0"
    ]
    receipts = [message for message in messages if message.is_receipt]
    assert receipts
    assert all(parse_receipt(message).state is not None for message in receipts)
    assert not any(looks_like_receipt(message) for message in messages if not message.is_receipt)


@pytest.mark.parametrize(
    ("text", "message_id", "state", "error"),
    [
        (b"id:77 stat:DELIVRD", "77", State.DELIVERED, ""),
        (b"stat:UNDELIV id:77 err:00C", "77", State.UNDELIVERABLE, "00C"),
        (
            b"Id: 77 SUB:001 DLVD:001 Submit Date:261123073015 Done Date:20261123073015 STAT:delivered Err:1",
            "77",
            State.DELIVERED,
            "1",
        ),
        (b"id:a-b-c;stat:REJECTED;err:none;text:id:99", "a-b-c", State.REJECTED, "none"),
        (b"id:77\tsub:001\tstat:EXPIRED\r\nerr:0012\r\ntext:stat:DELIVRD", "77", State.EXPIRED, "0012"),
        (b"id:77 stat:NO ROUTES err:5", "77", State.UNDELIVERABLE, "5"),
        (b"id:77 stat:BUFFERED", "77", State.ENROUTE, ""),
        (b"id:77 stat:ACCEPTD text:\x00H\x00i", "77", State.ACCEPTED, ""),
        (b"id:77 stat:SOMETHI", "77", None, ""),
        (b"id:77 err:stat", "77", None, "stat"),
    ],
)
def test_dialects(text, message_id, state, error):
    found = receipt(text)
    assert (found.message_id, found.state, found.error) == (message_id, state, error)


def test_parameters_win_over_text():
    tlvs = ((Tag.RECEIPTED_MESSAGE_ID, b"88\0"), (Tag.MESSAGE_STATE, b"\5"), (Tag.NETWORK_ERROR_CODE, b"\3\0\x0c"))
    found = receipt(b"id:77 stat:DELIVRD err:003", tlvs)
    assert (found.message_id, found.state) == ("88", State.UNDELIVERABLE)
    assert (found.error, found.network_error) == ("003", b"\3\0\x0c")


def test_text_in_the_payload():
    assert receipt(b"", ((Tag.MESSAGE_PAYLOAD, b"id:77 stat:DELIVRD"),)).message_id == "77"


@pytest.mark.parametrize("text", [b"", b"Your parcel is here", b"stat:DELIVRD", b"id: stat:DELIVRD"])
def test_what_names_no_message(text):
    assert receipt(text) is None


def test_an_ordinary_message_that_looks_like_one():
    assert looks_like_receipt(ShortMessage(message=b"id:77 sub:001 stat:DELIVRD err:0"))
    assert looks_like_receipt(ShortMessage(tlvs=((Tag.RECEIPTED_MESSAGE_ID, b"77"),)))
    assert not looks_like_receipt(ShortMessage(message=b"my id: 77"))


def test_states():
    assert state_of("UNDELIVERABLE") is State.UNDELIVERABLE
    assert state_of("") is None


def test_writing_one():
    text = receipt_text("1A", State.DELIVERED, "2611230730", "2611230731", text=b"x" * 40)
    assert text == (
        b"id:1A sub:001 dlvrd:001 submit date:2611230730 done date:2611230731 stat:DELIVRD err:000 text:" + b"x" * 20
    )
    assert text_fields(text)["submitdate"] == "2611230730"
