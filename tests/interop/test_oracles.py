"""What libraries that are not ours make of the same: PDUs (smpp34), the GSM alphabet (gsm0338), segments (smsutil)."""

import random
import string

import pytest

from opencpm.protocols.gsm import alphabet, national, ucs2
from opencpm.protocols.gsm.segmentation import Coding, segment
from opencpm.protocols.smpp.command import Command
from opencpm.protocols.smpp.short_message import ShortMessage, decode_short_message, encode_short_message
from tests.protocols.smpp import vectors

try:
    import gsm0338
    import smpp34
    import smsutil
except ImportError:
    gsm0338 = smpp34 = smsutil = None

pytestmark = [pytest.mark.interop, pytest.mark.usefixtures("oracles_are_there")]

MESSAGES = [
    ShortMessage("447700900111", "447700900123", b"Hello \x1be", registered_delivery=1, validity="000003000000000R"),
    ShortMessage("CPM Test", "447700900123", b"", source_ton=5, source_npi=0, tlvs=((0x424, b"long text here"),)),
    ShortMessage("1", "2", bytes(range(254)), data_coding=4, esm_class=0x43, tlvs=((0x1400, b"\0\1"), (0x3FFF, b""))),
    ShortMessage("", "66777", b"x", 0, 0, 3, 0, service_type="CMT", protocol_id=64, priority=3, replace_if_present=1),
]
FIELDS = {
    "source": "source_addr", "destination": "destination_addr", "message": "short_message",
    "source_ton": "source_addr_ton", "source_npi": "source_addr_npi", "destination_ton": "dest_addr_ton",
    "destination_npi": "dest_addr_npi", "esm_class": "esm_class", "registered_delivery": "registered_delivery",
    "data_coding": "data_coding", "validity": "validity_period", "service_type": "service_type",
    "protocol_id": "protocol_id", "priority": "priority_flag", "schedule": "schedule_delivery_time",
    "replace_if_present": "replace_if_present_flag", "default_message_id": "sm_default_msg_id",
}  # fmt: skip
NAMES = ("node-session", "receipt-decimal-vs-hex", "throttling", "kannel-session")


def read_by_them(theirs):
    values = {ours: getattr(theirs, name) for ours, name in FIELDS.items()}
    return ShortMessage(**values, tlvs=tuple((tlv.tag, tlv.value) for tlv in theirs.tlvs))


@pytest.mark.parametrize("command", [Command.SUBMIT_SM, Command.DELIVER_SM])
@pytest.mark.parametrize("message", MESSAGES, ids=range(len(MESSAGES)))
def test_our_short_messages_read_and_written_by_them(message, command):
    octets = encode_short_message(command, 7, message)
    theirs = smpp34.decode(octets)
    assert (theirs.command_id, theirs.sequence_number) == (command, 7)
    assert read_by_them(theirs) == message
    assert theirs.encode() == octets


@pytest.mark.parametrize("name", NAMES)
def test_recorded_short_messages_mean_the_same_to_both(name):
    compared = 0
    for line in vectors.transcript(name):
        if int.from_bytes(line.pdu[4:8], "big") in (Command.SUBMIT_SM, Command.DELIVER_SM):
            assert read_by_them(smpp34.decode(line.pdu)) == decode_short_message(line.pdu)
            compared += 1
    assert compared


def test_the_gsm_alphabet():
    theirs = gsm0338.Codec()
    for octet in range(0x80):
        if octet != alphabet.ESCAPE:
            assert theirs.decode(bytes((octet,)))[0] == alphabet.decode(bytes((octet,)))
    for character in alphabet.DEFAULT_EXTENSION.values():
        assert theirs.encode(character)[0] == alphabet.encode(character)
    spanish = gsm0338.Codec(single_shift_decode_map=gsm0338.SINGLE_SHIFT_CHARACTER_SET_SPANISH)
    ours = national.alphabet(single_shift=national.SPANISH)
    for character in "çÁÍÓÚáíóú€[]":
        assert spanish.encode(character)[0] == ours.encode(character)


def _texts(letters, seed, longest):
    chance = random.Random(seed)
    return ["".join(chance.choices(letters, k=chance.randint(1, longest))) for _ in range(60)]


@pytest.mark.parametrize("letters", [string.ascii_letters, "ab€[]{}~^|\\", "@£$ΔΦñü \n€"])
def test_cuts_of_gsm_texts(letters):
    for text in _texts(letters, 7, 900):
        theirs, ours = smsutil.split(text), segment(text, 1)
        assert ours.coding is Coding.GSM7
        assert [alphabet.decode(part.content) for part in ours.segments] == [part.content for part in theirs.parts]
        assert [len(part.content) for part in ours.segments] == [part.bytes for part in theirs.parts]


@pytest.mark.parametrize("letters", ["жнф ", "ж😀🎉", "漢字かな"])
def test_cuts_of_other_texts(letters):
    for text in _texts(letters, 11, 300):
        theirs, ours = smsutil.split(text + "ж"), segment(text + "ж", 1)
        assert ours.coding is Coding.UCS2
        assert [ucs2.decode(part.content) for part in ours.segments] == [part.content for part in theirs.parts]
        assert [len(part.content) for part in ours.segments] == [part.bytes for part in theirs.parts]
