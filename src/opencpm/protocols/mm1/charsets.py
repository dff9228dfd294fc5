"""IANA MIBenum numbers of charsets, and encoded-string values (OMA MMS ENC §7.3.9 of 1.2)."""

from __future__ import annotations

from typing import NamedTuple

from .errors import Mm1Error
from .wsp import read_integer, read_length, read_text, text_of, utf8, with_length, write_integer, write_text

UTF_8 = 106
ANY = 0

# MIBenum, the name in MIME, the codec of Python.
_CHARSETS = (
    (3, "us-ascii", "ascii"),
    (4, "iso-8859-1", "latin-1"),
    *((number + 3, f"iso-8859-{number}", f"iso8859-{number}") for number in range(2, 11)),
    (17, "shift_jis", "shift_jis"),
    (18, "euc-jp", "euc_jp"),
    (36, "ks_c_5601-1987", "cp949"),
    (37, "iso-2022-kr", "iso2022_kr"),
    (38, "euc-kr", "euc_kr"),
    (39, "iso-2022-jp", "iso2022_jp"),
    (UTF_8, "utf-8", "utf-8"),
    (109, "iso-8859-13", "iso8859-13"),
    (111, "iso-8859-15", "iso8859-15"),
    (113, "gbk", "gbk"),
    (114, "gb18030", "gb18030"),
    (1000, "iso-10646-ucs-2", "utf-16"),
    (1013, "utf-16be", "utf-16-be"),
    (1014, "utf-16le", "utf-16-le"),
    (1015, "utf-16", "utf-16"),
    (2025, "gb2312", "gb2312"),
    (2026, "big5", "big5"),
    (2084, "koi8-r", "koi8-r"),
    (2250, "windows-1250", "cp1250"),
    (2251, "windows-1251", "cp1251"),
    (2252, "windows-1252", "cp1252"),
)
_NAMES = {number: name for number, name, _ in _CHARSETS}
_CODECS = {number: codec for number, _, codec in _CHARSETS}
_NUMBERS = {name: number for number, name, _ in _CHARSETS} | {"utf8": UTF_8, "ascii": 3, "latin1": 4}
_WIDE = {1000, 1013, 1014, 1015}


class EncodedText(NamedTuple):
    """An encoded-string: its text, and the MIBenum it came in or goes out with (None: a bare text-string)."""

    text: str
    charset: int | None = None


def charset_name(number: int) -> str | None:
    """The MIME name of a MIBenum; None for one we do not know."""
    return _NAMES.get(number)


def charset_number(name: str) -> int | None:
    """The MIBenum of a MIME name in any case; None for one we do not know."""
    return _NUMBERS.get(name.strip().lower())


def encoded(text: str) -> EncodedText:
    """The text as we send it: bare if it is US-ASCII, else in UTF-8."""
    return EncodedText(text, None if text.isascii() else UTF_8)


def decode_octets(octets: bytes, charset: int) -> str:
    """Text of a charset; what is damaged is replaced, an unknown charset is read as `text_of` does."""
    codec = _CODECS.get(charset)
    if codec is None:
        return text_of(octets)
    if codec == "utf-16" and octets[:2] not in (b"\xff\xfe", b"\xfe\xff"):
        codec = "utf-16-be"  # RFC 2781 §4.3: without a mark it is big-endian
    return octets.decode(codec, "replace")


def read_encoded(data: bytes, at: int = 0) -> tuple[EncodedText, int]:
    """An encoded-string. Raises Mm1Error."""
    if at < len(data) and data[at] >= 0x20:
        octets, end = read_text(data, at)
        return EncodedText(text_of(octets)), end
    length, start = read_length(data, at)
    if length == 0:
        return EncodedText(""), start
    end = start + length
    if end > len(data):
        raise Mm1Error("encoded-string is cut off")
    charset, start = read_integer(data[:end], start)
    return EncodedText(decode_octets(_content(data[start:end], charset), charset), charset), end


def _content(octets: bytes, charset: int) -> bytes:
    """The text without its quote octet and its end; a missing end is tolerated, the length bounds it."""
    if charset in _WIDE:
        end = next((i for i in range(0, len(octets) - 1, 2) if octets[i : i + 2] == b"\0\0"), None)
        return octets[:end] if end is not None else octets[: len(octets) & ~1]
    text = octets.partition(b"\0")[0]
    return text[1:] if text.startswith(b"\x7f") else text


def write_encoded(value: EncodedText) -> bytes:
    """The way back of `read_encoded`; text that its charset cannot say goes as UTF-8. Raises Mm1Error."""
    text, charset = value
    if charset is None:
        if text.isascii():
            return write_text(text.encode())
        charset = UTF_8
    octets = _encode(text, charset)
    if octets is None:
        octets, charset = utf8(text), UTF_8
    end = octets + b"\0\0" if charset in _WIDE else write_text(octets)
    return with_length(write_integer(charset) + end)


def _encode(text: str, charset: int) -> bytes | None:
    codec = _CODECS.get(charset)
    if codec is None:
        return None
    try:
        # Without a byte order mark, big-endian: what handsets expect.
        return text.encode("utf-16-be" if codec == "utf-16" else codec)
    except UnicodeEncodeError:
        return None
