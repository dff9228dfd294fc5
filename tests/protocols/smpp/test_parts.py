from opencpm.protocols.gsm.udh import EMPTY, Concat
from opencpm.protocols.smpp.coding import Decoder
from opencpm.protocols.smpp.parts import part_of, text_of
from opencpm.protocols.smpp.short_message import UDHI, ShortMessage

SAR = ((0x020C, b"\0\7"), (0x020E, b"\3"), (0x020F, b"\2"))


def test_a_whole_message():
    assert part_of(ShortMessage(message=b"Hello")) == (EMPTY, b"Hello", None, None)


def test_a_segment_by_its_header_or_its_parameters():
    by_header = part_of(ShortMessage(message=b"\5\0\3\7\3\2Hello", esm_class=UDHI))
    assert (by_header.content, by_header.concat) == (b"Hello", Concat(7, 3, 2))
    assert part_of(ShortMessage(message=b"Hello", tlvs=SAR)).concat == Concat(7, 3, 2, 17)


def test_one_of_one_is_whole():
    assert part_of(ShortMessage(message=b"\5\0\3\7\1\1Hello", esm_class=UDHI)).concat is None


def test_a_place_that_cannot_be_is_none():
    assert part_of(ShortMessage(message=b"x", tlvs=(*SAR[:2], (0x020F, b"\4")))).concat is None


def test_the_port_by_header_or_parameter():
    assert part_of(ShortMessage(message=b"\6\5\4\x23\xf0\0\0x", esm_class=UDHI)).port == 0x23F0
    assert part_of(ShortMessage(message=b"x", tlvs=((0x020B, b"\x23\xf0"),))).port == 0x23F0


def test_gaps_and_late_parts_are_marked():
    assert text_of(Decoder(), 0, [None, None, b"b", None], EMPTY) == "[...]b[...]"
    assert text_of(Decoder(), 0, [None, None], EMPTY) == ""
    assert text_of(Decoder(), 0, [b"b"], EMPTY, late=True) == "[...] b"


def test_data_is_no_text():
    assert text_of(Decoder(), 4, [b"b"], EMPTY) is None
