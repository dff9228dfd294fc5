import pytest

from opencpm.protocols.gsm import udh
from opencpm.protocols.gsm.dcs import UNREADABLE
from opencpm.protocols.smpp.coding import Alphabet, Decoder, alphabet_of


@pytest.mark.parametrize(
    ("coding", "alphabet"),
    [
        (0x00, Alphabet.DEFAULT),
        (0x01, Alphabet.ASCII),
        (0x03, Alphabet.LATIN1),
        (0x04, Alphabet.BINARY),
        (0x08, Alphabet.UCS2),
        (0x10, Alphabet.GSM7),
        (0x18, Alphabet.UCS2),
        (0xC8, Alphabet.GSM7),
        (0xE0, Alphabet.UCS2),
        (0xF0, Alphabet.GSM7),
        (0xF5, Alphabet.BINARY),
        (0x0A, Alphabet.OTHER),
        (0x09, Alphabet.BINARY),
    ],
)
def test_what_a_value_says(coding, alphabet):
    assert alphabet_of(coding) is alphabet


@pytest.mark.parametrize("coding", range(256))
def test_every_value_is_decoded_without_an_error(coding):
    Decoder().decode(coding, [b"Hello \x1be \xe9", b"\xff"])


def test_texts():
    decoder = Decoder()
    assert decoder.decode(0, [b"Hello \x1be"]) == "Hello €"
    assert decoder.decode(1, [b"Hello \x1be"]) == "Hello €"  # a peer that means GSM 7-bit
    assert decoder.decode(1, [b"a@b_c"]) == "a@b_c"
    assert decoder.decode(3, [b"caf\xe9"]) == "café"
    assert decoder.decode(4, [b"\1\2"]) is None
    assert decoder.decode(8, [b"\xd8\x3d", b"\xde\0"]) == "😀"


def test_peers_habits():
    assert Decoder(default="latin1").decode(0, [b"@\xe9"]) == "@é"
    assert Decoder(default="gsm7-packed").decode(0, [bytes.fromhex("E8329BFD06")]) == "hello"
    assert Decoder(little_endian=True).decode(8, [b"A\0"]) == "A"
    assert Decoder(ascii_may_be_gsm7=False).decode(1, [b"\x1be"]) == "\x1be"


def test_national_shift():
    header, content = udh.split(bytes.fromhex("032401011B53"))
    assert Decoder().decode(0, [content], header) == "Ş"


def test_a_compressed_message_is_said_to_be_unreadable():
    assert Decoder().decode(0x28, [b"\x01\x02"]) == UNREADABLE
