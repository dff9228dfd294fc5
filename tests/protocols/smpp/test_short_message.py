import pytest

from opencpm.protocols.smpp import pdu
from opencpm.protocols.smpp.command import Command
from opencpm.protocols.smpp.errors import SmppError
from opencpm.protocols.smpp.short_message import (
    ShortMessage,
    decode_short_message,
    encode_id_response,
    encode_short_message,
    response_id,
)

from . import vectors


def both(octets):
    """The fast and the declarative codec say the same."""
    fast = decode_short_message(octets)
    slow = pdu.decode(octets)
    assert fast.source == slow.body["source_addr"]
    assert fast.destination == slow.body["destination_addr"]
    assert fast.message == slow.body["short_message"]
    assert fast.validity == slow.body["validity_period"]
    assert (fast.esm_class, fast.data_coding) == (slow.body["esm_class"], slow.body["data_coding"])
    assert (fast.registered_delivery, fast.priority) == (
        slow.body["registered_delivery"],
        slow.body["priority_flag"],
    )
    assert fast.tlvs == slow.tlvs
    assert encode_short_message(slow.command, slow.sequence, fast) == octets
    return fast


@pytest.mark.parametrize("name", ["SUBMIT", "SUBMIT_UDH", "RECEIPT", "RECEIPT_TLV", "SUBMIT_PAYLOAD"])
def test_worked_pdus(name):
    both(vectors.ALL[name])


@pytest.mark.parametrize("name", vectors.NAMES)
def test_recorded_pdus(name):
    for line in vectors.transcript(name):
        if line.pdu[4:8].hex() in ("00000004", "00000005"):
            both(line.pdu)


def test_fields():
    message = both(vectors.ALL["SUBMIT"])
    assert message.message == b"Hello \x1be"
    assert message.registered_delivery == 1
    assert both(vectors.ALL["SUBMIT_UDH"]).validity == "000003000000000R"
    assert both(vectors.ALL["SUBMIT_PAYLOAD"]).content == b"long text here"
    assert both(vectors.ALL["RECEIPT"]).is_receipt
    assert not message.is_receipt


@pytest.mark.parametrize("size", range(16, 0x40))
def test_a_pdu_cut_short_is_refused(size):
    with pytest.raises(SmppError):
        decode_short_message(vectors.ALL["SUBMIT"][:size])


def test_the_longest_text():
    message = ShortMessage("1", "2", b"\0" * 255)
    assert decode_short_message(encode_short_message(Command.SUBMIT_SM, 1, message)) == message
    with pytest.raises(SmppError):
        encode_short_message(Command.SUBMIT_SM, 1, ShortMessage("1", "2", b"x" * 256))


@pytest.mark.parametrize(
    "message",
    [ShortMessage("a\0b", "2"), ShortMessage("1", "x" * 65), ShortMessage("Ж", "2"), ShortMessage(priority=999)],
)
def test_a_value_that_does_not_fit(message):
    with pytest.raises(SmppError):
        encode_short_message(Command.SUBMIT_SM, 1, message)


def test_responses():
    submit = encode_id_response(0x80000004, 0, 2, "1A2B3C")
    assert submit == vectors.ALL["SUBMIT_RESP"]
    assert response_id(submit) == "1A2B3C"
    assert encode_id_response(0x80000005, 0, 2) == vectors.ALL["DELIVER_RESP"]
    assert response_id(vectors.ALL["THROTTLED"]) == ""
