"""The payloads of MSG: headers, an empty line, a body (text, typing notice, nudge).

Header names are read without case. A payload may be at most 1664 octets; beyond that a switchboard closes the
connection without a word.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from opencpm.protocols.msnp.errors import MsnpError
from opencpm.protocols.msnp.framing import quote, unquote

MAX_PAYLOAD = 1664
_MAX_HEADERS = 64
_MAX_HEAD = 16384

TEXT = "text/plain"
CONTROL = "text/x-msmsgscontrol"
DATACAST = "text/x-msnmsgr-datacast"
INVITATION = "text/x-msmsgsinvite"
PEER_TO_PEER = "application/x-msnmsgrp2p"
SYSTEM = ("application/x-msmsgssystemmessage", "text/x-msmsgssystemmessage")

_EMPTY_LINE = re.compile(rb"\r?\n\r?\n")
_CHARSET = re.compile(r";\s*charset\s*=\s*\"?([A-Za-z0-9._-]{1,40})", re.IGNORECASE)
_BREAK = re.compile(r"\r\n?|\n")
_CHARSETS = re.compile(  # a peer does not choose among all of Python's codecs
    r"(utf-?8|(us-)?ascii|latin-?1|iso-8859-\d{1,2}|windows-125\d|gb2312|gbk|gb18030|big5|shift_jis|euc-(jp|kr)|koi8-[ru])\Z"
)
_COLOUR = re.compile(r"[0-9A-Fa-f]{1,6}\Z")


class Payload(NamedTuple):
    """A payload in two: headers (names in lower case) and the body's octets."""

    headers: Mapping[str, str]
    body: bytes

    @property
    def content_type(self) -> str:
        """The media type in lower case, without parameters; empty when the header is absent."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def charset(self) -> str:
        """The charset parameter in lower case, empty when absent."""
        found = _CHARSET.search(self.headers.get("content-type", ""))
        return found[1].lower() if found else ""


class Font(NamedTuple):
    """X-MMS-IM-Format: how the sender's text looked. `colour` is BBGGRR in hex, `effects` letters of B I U S."""

    name: str = "Segoe UI"
    effects: str = ""
    colour: str = "0"
    charset: str = "1"
    pitch: str = "0"
    right_to_left: bool = False

    def header(self) -> str:
        """The header's value."""
        text = f"FN={quote(self.name)}; EF={self.effects}; CO={self.colour}; CS={self.charset}; PF={self.pitch}"
        return text + "; RL=1" if self.right_to_left else text


DEFAULT_FONT = Font()


def parse(data: bytes) -> Payload:
    """Split a payload. Lines that are no header are passed over; raises MsnpError beyond the bounds."""
    gap = _EMPTY_LINE.search(data)
    head, body = (data[: gap.start()], data[gap.end() :]) if gap else (data, b"")
    if len(head) > _MAX_HEAD:
        raise MsnpError("headers too long")
    lines = head.decode("utf-8", "replace").replace("\r\n", "\n").split("\n")
    if len(lines) > _MAX_HEADERS:
        raise MsnpError("too many headers")
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if colon:
            headers.setdefault(name.strip().lower(), value.strip())
    return Payload(MappingProxyType(headers), body)


def parse_font(header: str) -> Font:
    """Read X-MMS-IM-Format leniently: what is missing or odd keeps the default."""
    fields = {key.strip().upper(): value.strip() for key, _, value in _pairs(header[:512])}
    colour = fields.get("CO", "0")
    return Font(
        unquote(fields.get("FN", "")) or DEFAULT_FONT.name,
        "".join(letter for letter in "BIUS" if letter in fields.get("EF", "").upper()),
        colour if _COLOUR.match(colour) else "0",
        fields.get("CS", "1"),
        fields.get("PF", "0"),
        fields.get("RL") == "1",
    )


def _pairs(header: str) -> list[tuple[str, str, str]]:
    return [part.partition("=") for part in header.split(";")]


def build(headers: Mapping[str, str], body: bytes) -> bytes:
    """Write a payload with exactly these headers. Raises MsnpError for a line break in a header."""
    lines = [f"{name}: {value}" for name, value in headers.items()]
    if any("\r" in line or "\n" in line for line in lines):
        raise MsnpError("line break in a header")
    return "\r\n".join([*lines, "", ""]).encode() + body


def text(content: str, font: Font = DEFAULT_FONT) -> bytes:
    """A text message; line breaks become CR LF."""
    return build(text_headers(font), wire_text(content))


def text_headers(font: Font = DEFAULT_FONT) -> dict[str, str]:
    """The headers of a text message, in the order in which the known clients write them."""
    return {
        "MIME-Version": "1.0",
        "Content-Type": f"{TEXT}; charset=UTF-8",
        "X-MMS-IM-Format": font.header(),
    }


def wire_text(content: str) -> bytes:
    """Text as it stands in a body: UTF-8 with CR LF. Lone surrogates become question marks."""
    return _BREAK.sub("\r\n", content).encode("utf-8", "replace")


def offline_text(content: str) -> bytes:
    """A text left with the service by UUM (dialect 18). Raises MsnpError when it is too long for one payload."""
    head = {"MIME-Version": "1.0", "Content-Type": f"{TEXT}; charset=UTF-8", "Dest-Agent": "client"}
    data = build(head, wire_text(content))
    if len(data) > MAX_PAYLOAD:
        raise MsnpError("too long for an offline message")
    return data


def typing(address: str) -> bytes:
    """The notice that `address` is typing; it lapses by itself, a text ends it."""
    return build({"MIME-Version": "1.0", "Content-Type": CONTROL, "TypingUser": address}, b"\r\n")


def nudge() -> bytes:
    """The datacast that shakes the peer's window."""
    return build({"MIME-Version": "1.0", "Content-Type": DATACAST}, b"ID: 1\r\n\r\n")


def decode_text(payload: Payload) -> str:
    """The text of a body, with LF line breaks: its charset, else UTF-8, else Latin-1."""
    for charset in filter(_CHARSETS.match, (payload.charset, "utf-8")):
        try:
            return _BREAK.sub("\n", payload.body.decode(charset))
        except (LookupError, ValueError):
            continue
    return _BREAK.sub("\n", payload.body.decode("latin-1"))


def datacast_id(payload: Payload) -> int:
    """1 nudge, 2 wink, 3 voice clip, 4 action text; 0 when the body says nothing."""
    value = parse(payload.body).headers.get("id", "")
    return int(value) if value.isascii() and value.isdigit() and len(value) < 6 else 0
