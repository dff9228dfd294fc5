from __future__ import annotations

import pytest

from opencpm.protocols.mm1.charsets import (
    EncodedText,
    charset_name,
    charset_number,
    encoded,
    read_encoded,
    write_encoded,
)
from opencpm.protocols.mm1.errors import Mm1Error

VECTORS = {
    "48656c6c6f00": EncodedText("Hello"),
    "09ea4772c3bcc39f6500": EncodedText("Grüße", 106),
    "0dea7fc39c626572736963687400": EncodedText("Übersicht", 106),
}


@pytest.mark.parametrize(("octets", "value"), VECTORS.items())
def test_vectors(octets, value):
    assert write_encoded(value).hex() == octets
    assert read_encoded(bytes.fromhex(octets)) == (value, len(octets) // 2)


@pytest.mark.parametrize("charset", [3, 4, 17, 38, 106, 113, 1000, 1013, 1014, 1015, 2026])
def test_every_charset_comes_back(charset):
    value = EncodedText("MMS 1", charset)
    assert read_encoded(write_encoded(value))[0] == value


def test_scripts():
    for text, charset in (("寫真", 2026), ("写真", 113), ("사진", 38), ("写真😀", 1015), ("写真", 17)):
        assert read_encoded(write_encoded(EncodedText(text, charset)))[0] == EncodedText(text, charset)


def test_what_a_charset_cannot_say_goes_as_utf_8():
    for wrong in (3, 4, 9999, None):
        assert read_encoded(write_encoded(EncodedText("写真", wrong)))[0] == EncodedText("写真", 106)


def test_tolerance():
    assert read_encoded(bytes.fromhex("0bea c39c6265727369636874".replace(" ", "")))[0].text == "Übersicht"
    assert read_encoded(b"\x05\xeaabc\0")[0].text == "abc"
    assert read_encoded(b"\x04\xeaabc")[0].text == "abc"
    assert read_encoded(b"\x09\x02\x03\xf7\xff\xfea\0\0\0")[0].text == "a"
    assert read_encoded(b"\x05\x02\x03\xf7\0a")[0].text == "a"
    assert read_encoded(b"Gr\xfc\xdfe\0")[0].text == "Grüße"
    assert read_encoded(b"\0")[0].text == ""
    assert read_encoded(b"\x05\xea\xff\xff!\0")[0].text == "\ufffd\ufffd!"
    assert read_encoded(b"\x05\x02\x7f\xffa\0")[0] == EncodedText("a", 0x7FFF)


@pytest.mark.parametrize("octets", [b"", b"\x05\xea", b"\x80", b"abc", b"\x01\x01"])
def test_refused(octets):
    with pytest.raises(Mm1Error):
        read_encoded(octets)


def test_names():
    assert charset_number("UTF-8") == charset_number("utf8") == 106
    assert charset_name(4) == "iso-8859-1"
    assert charset_number("klingon") is None
    assert encoded("a") == ("a", None)
    assert encoded("ä") == ("ä", 106)
