"""Header blocks of mail from MMS centres: the standard library's parser, bounded, and forgiving about charsets."""

from __future__ import annotations

import base64
import binascii
import quopri
import re
from email.header import Header
from email.parser import BytesHeaderParser
from email.policy import compat32
from email.utils import formatdate, parsedate_to_datetime

from .errors import Mm4Error

Headers = tuple[tuple[str, str], ...]

MAX_HEADERS = 256
MAX_BLOCK = 128 << 10

_BLANK = re.compile(rb"(?:^|\n)\r?\n")
_WORD = re.compile(r"=\?([^?\s*]{1,40})(?:\*[^?\s]{0,40})?\?([bBqQ])\?([^?\r\n]*)\?=")
_CHARSET = re.compile(
    r"utf-?8|us-ascii|ascii|iso-?8859-\d{1,2}|latin-?1|windows-125\d|koi8-[ru]|gb2312|gbk|gb18030|big5|shift_jis|"
    r"euc-jp|euc-kr|iso-2022-jp|utf-16(?:be|le)?",
    re.IGNORECASE | re.ASCII,
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]+")


def read_headers(data: bytes) -> tuple[Headers, bytes]:
    """The headers, unfolded, as text, and the octets of the body. Raises Mm4Error for a block over a limit."""
    blank = _BLANK.search(data, 0, MAX_BLOCK + 4)
    end, body = (blank.start(), blank.end()) if blank else (len(data), len(data))
    if end > MAX_BLOCK:
        raise Mm4Error(f"headers over {MAX_BLOCK} octets")
    block = data[:end]
    if block.count(b"\n") > 4 * MAX_HEADERS:
        raise Mm4Error("too many header lines")
    parsed = BytesHeaderParser(policy=compat32).parsebytes(block + b"\n\n")
    headers = tuple((name, _text(value)) for name, value in parsed.raw_items())
    if len(headers) > MAX_HEADERS:
        raise Mm4Error(f"over {MAX_HEADERS} headers")
    return headers, data[body:]


def _text(value: str) -> str:
    """UTF-8 where it is, else Latin-1: headers in raw charsets occur."""
    octets = value.encode("utf-8", "surrogateescape")
    try:
        text = octets.decode()
    except UnicodeDecodeError:
        text = octets.decode("latin-1")
    return " ".join(text.split())


def decode_words(text: str) -> str:
    """Encoded words (RFC 2047) as text; one that is damaged stays as it is. Never fails.

    Octets of neighbouring words of one charset are joined first: senders cut characters in two.
    """
    out: list[str] = []
    end, pending, charset = 0, b"", ""
    for match in _WORD.finditer(text):
        octets = _octets(match[2], match[3])
        if octets is None or not _CHARSET.fullmatch(match[1]):
            continue
        between = text[end : match.start()]
        if match[1].lower() != charset or between.strip() or not pending:
            out.append(_decode(pending, charset))
            out.append("" if charset and not between.strip() else between)
            pending = b""
        pending, charset, end = pending + octets, match[1].lower(), match.end()
    return "".join((*out, _decode(pending, charset), text[end:]))


def _octets(coding: str, text: str) -> bytes | None:
    try:
        if coding in "bB":
            return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
        return quopri.decodestring(text.encode("ascii"), header=True)
    except (binascii.Error, ValueError):
        return None


def _decode(octets: bytes, charset: str) -> str:
    try:
        return octets.decode(charset or "ascii", "replace")
    except LookupError:
        return octets.decode("latin-1")


def encode_words(text: str) -> str:
    """The text on one line; what is not ASCII, or looks like an encoded word, in encoded words of UTF-8."""
    clean = _CONTROL.sub(" ", text)
    if clean.isascii() and "=?" not in clean:
        return clean
    return Header(clean, "utf-8", maxlinelen=76).encode(linesep="\r\n")


def one_line(text: str) -> str:
    """Text for a header value: no line ends, no controls."""
    return _CONTROL.sub(" ", text)


def read_date(text: str) -> float | None:
    """A date of RFC 5322 in seconds since 1970 UTC; None for what is none."""
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def write_date(seconds: float) -> str:
    """Raises Mm4Error for a date that no calendar has."""
    try:
        return formatdate(seconds)
    except (ValueError, OverflowError, OSError):
        raise Mm4Error("no date") from None
