"""CPIM, the envelope of CPM messages (RFC 3862), with the IMDN headers of RFC 5438.

Headers keep their order and the unknown ones are kept, so a message that is only passed on loses nothing.
The prefix of IMDN headers is whatever `NS` binds to `urn:ietf:params:imdn`, never taken to be `imdn`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from .mime import Headers, MimeError, charset_of, decode_transfer, media_type, parse_headers, split_headers

__all__ = ["ANONYMOUS", "CONTENT_TYPE", "IMDN_NS", "Cpim", "CpimError", "build", "compose", "parse"]

CONTENT_TYPE = "message/cpim"
IMDN_NS = "urn:ietf:params:imdn"
# RCS devices hide both parties in one-to-one CPIM; the SIP level tells who it is.
ANONYMOUS = "<sip:anonymous@anonymous.invalid>"

_MAX_HEADERS = 64
_MAX_HEADER_BYTES = 8192


class CpimError(ValueError):
    """Not a CPIM message, or one over the limits on header size and count."""


class Cpim(NamedTuple):
    """A parsed message. Empty strings stand for absent headers."""

    headers: Headers
    """The CPIM headers in wire order, every one of them."""
    content_headers: Headers
    """The MIME headers of the wrapped part."""
    content: bytes
    """The wrapped content, transfer-encoding (base64) undone."""
    sender: str
    """From as written: a name-addr."""
    recipient: str
    """The first To as written."""
    datetime: str
    """DateTime as written (RFC 3339)."""
    message_id: str
    """Message-ID in the IMDN namespace."""
    dispositions: tuple[str, ...]
    """Disposition-Notification in the IMDN namespace: positive-delivery, negative-delivery, display, …"""
    content_type: str
    """Content-Type of the wrapped part with parameters; text/plain where it gives none."""

    @property
    def media_type(self) -> str:
        """The wrapped type in lower case and without parameters."""
        return media_type(self.content_type)

    @property
    def text(self) -> str:
        """The content by its charset; undecodable bytes become U+FFFD."""
        return self.content.decode(charset_of(self.content_type), "replace")

    @property
    def is_notification(self) -> bool:
        """True for a wrapped IMDN (which never asks for, and never gets, an IMDN itself)."""
        return self.media_type == "message/imdn+xml"

    def get(self, name: str) -> str | None:
        """The first CPIM header spelled so (names are case-sensitive, RFC 3862 §2.2)."""
        for key, value in self.headers:
            if key == name:
                return value
        return None

    def get_all(self, name: str) -> tuple[str, ...]:
        """All CPIM headers spelled so, in order."""
        return tuple(value for key, value in self.headers if key == name)

    def get_in(self, namespace: str, name: str) -> str | None:
        """The first header of this local name in a namespace, whatever prefix `NS` gave it."""
        prefix = _prefix(self.headers, namespace)
        return None if prefix is None else self.get(f"{prefix}{name}")

    def content_header(self, name: str) -> str | None:
        """A MIME header of the wrapped part, whatever its case."""
        wanted = name.lower()
        for key, value in self.content_headers:
            if key.lower() == wanted:
                return value
        return None


def parse(data: bytes) -> Cpim:
    """Parse a whole CPIM body. Raises CpimError.

    Line ends may be CRLF or bare LF in either part. A Content-Length of the wrapped part is not trusted to
    cut text (clients count characters), only to drop line ends that stand behind the content.
    """
    try:
        block, start = split_headers(data, limit=_MAX_HEADER_BYTES)
        wrapped, body = split_headers(data, start, limit=_MAX_HEADER_BYTES)
    except MimeError as error:
        raise CpimError(str(error)) from None
    headers, known, prefix = _headers(block)
    content_headers, content_type, content = _content(wrapped, data[body:])
    sender, recipient, datetime = known.get("From", ""), known.get("To", ""), known.get("DateTime", "")
    message_id, asked = "", ""
    if prefix is not None:
        message_id = known.get(prefix + "Message-ID", "")
        asked = known.get(prefix + "Disposition-Notification", "")
    if not (sender or recipient or datetime or message_id):
        raise CpimError("no CPIM headers")
    return Cpim(
        headers,
        content_headers,
        content,
        sender,
        recipient,
        datetime,
        message_id,
        _tokens(asked) if asked else (),
        content_type,
    )


def _headers(block: str) -> tuple[Headers, dict[str, str], str | None]:
    """Headers in order, the first of each name, and the prefix (with its dot) of the IMDN namespace."""
    headers: list[tuple[str, str]] = []
    known: dict[str, str] = {}
    prefix: str | None = None
    for line in block.split("\n"):
        name, colon, value = line.partition(":")
        if not colon:
            if not line.strip():
                continue
            raise CpimError("CPIM header line without a colon")
        value = value.strip()
        headers.append((name, value))
        if name not in known:
            known[name] = value
        if name == "NS" and prefix is None:
            prefix = _bound(value, IMDN_NS)
    if len(headers) > _MAX_HEADERS:
        raise CpimError("too many CPIM headers")
    return tuple(headers), known, prefix


def _bound(value: str, namespace: str) -> str | None:
    """`imdn <urn:ietf:params:imdn>` → `imdn.` if it binds this namespace; an empty prefix is none at all."""
    prefix, bracket, uri = value.partition("<")
    if not bracket or uri.rstrip("> ").strip() != namespace:
        return None
    prefix = prefix.strip()
    return prefix + "." if prefix else ""


def _prefix(headers: Headers, namespace: str) -> str | None:
    for name, value in headers:
        if name == "NS":
            bound = _bound(value, namespace)
            if bound is not None:
                return bound
    return None


def _content(wrapped: str, content: bytes) -> tuple[Headers, str, bytes]:
    try:
        headers = parse_headers(wrapped)
        content_type, encoding, length = "text/plain", "", ""
        for name, value in headers:
            lower = name.lower()
            if lower == "content-type":
                content_type = value
            elif lower == "content-transfer-encoding":
                encoding = value
            elif lower == "content-length":
                length = value
        if length and content.endswith(b"\n"):
            content = _trim(content, length)
        return headers, content_type, decode_transfer(content, encoding) if encoding else content
    except MimeError as error:
        raise CpimError(str(error)) from None


def _trim(content: bytes, length: str) -> bytes:
    if len(length) < 10 and length.isascii() and length.isdigit():
        size = int(length)
        if size < len(content) and not content[size:].strip(b"\r\n"):
            return content[:size]
    return content


def _tokens(value: str) -> tuple[str, ...]:
    return tuple([token.strip().lower() for token in value.split(",") if token.strip()][:16])


def build(headers: Sequence[tuple[str, str]], content_headers: Sequence[tuple[str, str]], content: bytes) -> bytes:
    """Serialise. Line ends in a value become blanks, so that a value cannot bring a header of its own."""
    head = "".join([f"{name}: {_line(value)}\r\n" for name, value in headers])
    wrapped = "".join([f"{name}: {_line(value)}\r\n" for name, value in content_headers])
    return f"{head}\r\n{wrapped}\r\n".encode() + content


def _line(value: str) -> str:
    if "\r" in value or "\n" in value:
        return " ".join(value.split())
    return value


def compose(
    content: bytes,
    content_type: str,
    *,
    message_id: str,
    datetime: str,
    sender: str = ANONYMOUS,
    recipient: str = ANONYMOUS,
    dispositions: Sequence[str] = (),
    headers: Sequence[tuple[str, str]] = (),
    content_headers: Sequence[tuple[str, str]] = (),
) -> bytes:
    """The usual CPM message: mandatory headers, NS imdn, Message-ID, then `headers` in their order.

    `sender` and `recipient` are name-addrs, `datetime` is RFC 3339; `content_headers` follow Content-Type.
    """
    asked = f"imdn.Disposition-Notification: {', '.join(dispositions)}\r\n" if dispositions else ""
    more = "".join([f"{name}: {_line(value)}\r\n" for name, value in headers])
    wrapped = "".join([f"{name}: {_line(value)}\r\n" for name, value in content_headers])
    return (
        f"From: {_line(sender)}\r\nTo: {_line(recipient)}\r\nDateTime: {_line(datetime)}\r\n"
        f"NS: imdn <{IMDN_NS}>\r\nimdn.Message-ID: {_line(message_id)}\r\n{asked}{more}\r\n"
        f"Content-Type: {_line(content_type)}\r\n{wrapped}Content-Length: {len(content)}\r\n\r\n"
    ).encode() + content
