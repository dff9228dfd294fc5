import pytest

from opencpm.protocols.smpp.errors import SmppError
from opencpm.protocols.smpp.tlv import Tag, decode_tlvs, encode_tlvs, int_of, name_of, text_of, value_of


def test_known_and_unknown_ones_are_kept_in_order():
    tlvs = ((0x1400, b"vendor"), (Tag.RECEIPTED_MESSAGE_ID, b"1A\0"), (Tag.MESSAGE_STATE, b"\2"), (0x130C, b""))
    assert decode_tlvs(encode_tlvs(tlvs), 0) == tlvs
    assert text_of(tlvs, Tag.RECEIPTED_MESSAGE_ID) == "1A"
    assert int_of(tlvs, Tag.MESSAGE_STATE) == 2
    assert value_of(tlvs, 0x130C) == b""
    assert int_of(tlvs, Tag.SOURCE_PORT) is None


def test_an_identifier_without_its_nul():
    assert text_of(((Tag.RECEIPTED_MESSAGE_ID, b"1A2B"),), Tag.RECEIPTED_MESSAGE_ID) == "1A2B"


@pytest.mark.parametrize("octets", ["00", "042700", "04270002FF", "0427FFFF00"])
def test_one_that_overruns(octets):
    with pytest.raises(SmppError) as caught:
        decode_tlvs(bytes.fromhex(octets), 0)
    assert caught.value.status == 0xC0


def test_their_number_is_bounded():
    with pytest.raises(SmppError):
        decode_tlvs(b"\x04\x27\0\0" * 65, 0)


def test_names():
    assert name_of(0x0424) == "message_payload"
    assert name_of(0x1400) == "1400"
