"""MIME as SIP and MSRP carry it: media types, parts, multipart (RFC 2046 §5.1), bounded content decoding."""

from __future__ import annotations

import base64
import binascii
import quopri
import zlib
from collections.abc import Iterable
from typing import NamedTuple

__all__ = [
    "MimeError",
    "Part",
    "build_multipart",
    "charset_of",
    "decode_content",
    "media_type",
    "parse_content_type",
    "parse_part",
    "split_headers",
    "split_multipart",
]

Headers = tuple[tuple[str, str], ...]

_MAX_HEADER_BYTES = 8192
_MAX_HEADERS = 64


class MimeError(ValueError):
    """A body that is not what its headers say, or that goes over a limit."""


class Part(NamedTuple):
    """A body with its MIME headers, as on the wire (not yet transfer-decoded)."""

    headers: Headers
    body: bytes

    def get(self, name: str) -> str | None:
        """The first header of this name, whatever its case."""
        wanted = name.lower()
        for key, value in self.headers:
            if key.lower() == wanted:
                return value
        return None

    @property
    def content_type(self) -> str:
        """The Content-Type with its parameters; text/plain where none is given (RFC 2045 §5.2)."""
        return self.get("Content-Type") or "text/plain"

    def decoded(self) -> bytes:
        """The body without its Content-Transfer-Encoding. Raises MimeError."""
        return decode_transfer(self.body, self.get("Content-Transfer-Encoding"))


def media_type(content_type: str) -> str:
    """`text/plain;charset=UTF-8` → `text/plain`, in lower case."""
    return content_type.partition(";")[0].strip().lower()


def parse_content_type(value: str) -> tuple[str, dict[str, str]]:
    """The media type and its parameters (names in lower case, quotes removed). Never raises."""
    head, sep, rest = value.partition(";")
    params: dict[str, str] = {}
    while sep:
        name, eq, rest = rest.partition("=")
        if not eq:
            break
        rest = rest.lstrip()
        if rest.startswith('"'):
            text, rest = _quoted(rest)
            _, sep, rest = rest.partition(";")
        else:
            text, sep, rest = rest.partition(";")
            text = text.strip()
        params.setdefault(name.strip().lower(), text)
    return head.strip().lower(), params


def _quoted(text: str) -> tuple[str, str]:
    out: list[str] = []
    i = 1
    while i < len(text) and text[i] != '"':
        if text[i] == "\\":
            i += 1
        out.append(text[i : i + 1])
        i += 1
    return "".join(out), text[i + 1 :]


def charset_of(content_type: str) -> str:
    """The charset as a name Python knows; UTF-8 for none, an unknown one, and for spellings like `utf8`."""
    if "charset" not in content_type.lower():
        return "utf-8"
    name = parse_content_type(content_type)[1].get("charset", "utf-8").lower()
    return name if name in ("us-ascii", "iso-8859-1", "utf-16", "utf-16le", "utf-16be") else "utf-8"


def split_headers(data: bytes, start: int = 0, *, limit: int = _MAX_HEADER_BYTES) -> tuple[str, int]:
    """The header block that begins at `start` as text, and the offset of the body behind its blank line.

    Both CRLF and the bare LF of real clients end a line. Without a blank line everything is headers.
    Raises MimeError if the block is longer than `limit` or is not UTF-8.
    """
    if data.startswith(b"\r\n", start):
        return "", start + 2
    if data.startswith(b"\n", start):
        return "", start + 1
    end = data.find(b"\n\r\n", start, start + limit)
    bare = data.find(b"\n\n", start, end if end >= 0 else start + limit)
    if bare >= 0:
        end, body = bare, bare + 2
    elif end >= 0:
        body = end + 3
    else:
        end = body = len(data)
        if end - start > limit:
            raise MimeError("headers too long")
    try:
        return data[start:end].decode(), body
    except UnicodeDecodeError:
        raise MimeError("headers are not UTF-8") from None


def parse_headers(block: str, *, max_headers: int = _MAX_HEADERS) -> Headers:
    """The headers of a block, continuation lines unfolded (RFC 5322 §2.2.3). Raises MimeError."""
    headers: list[tuple[str, str]] = []
    for line in block.split("\n"):
        if line[:1] in (" ", "\t") and headers:
            name, value = headers[-1]
            headers[-1] = (name, f"{value} {line.strip()}")
            continue
        name, colon, value = line.partition(":")
        if not colon:
            if line.strip():
                raise MimeError("header line without a colon")
            continue
        headers.append((name.strip(), value.strip()))
        if len(headers) > max_headers:
            raise MimeError("too many headers")
    return tuple(headers)


def parse_part(data: bytes, start: int = 0) -> Part:
    """Headers, blank line, content. Raises MimeError."""
    block, body = split_headers(data, start)
    return Part(parse_headers(block), data[body:])


def split_multipart(content_type: str, body: bytes, *, max_parts: int = 32) -> tuple[Part, ...]:
    """The parts of a multipart body; preamble and epilogue are dropped. A missing last boundary is tolerated.

    Raises MimeError: no boundary parameter, no boundary in the body, too many parts, bad part headers.
    """
    boundary = parse_content_type(content_type)[1].get("boundary", "")
    if not boundary or len(boundary) > 256:
        raise MimeError("multipart without a usable boundary")
    delimiter = b"--" + boundary.encode()
    position = _next_delimiter(body, delimiter, 0)
    if position < 0:
        raise MimeError("boundary not found")
    parts: list[Part] = []
    while position >= 0 and not body.startswith(b"--", position + len(delimiter)):
        start = body.find(b"\n", position) + 1
        if not start:
            break
        position = _next_delimiter(body, delimiter, start)
        raw = body[start:position] if position >= 0 else body[start:]
        if len(parts) == max_parts:
            raise MimeError(f"over {max_parts} parts")
        # The line end before a delimiter belongs to the delimiter (RFC 2046 §5.1.1).
        parts.append(parse_part(_without_last_newline(raw)))
    return tuple(parts)


def _next_delimiter(body: bytes, delimiter: bytes, start: int) -> int:
    position = body.find(delimiter, start)
    while position >= 0:
        after = body[position + len(delimiter) : position + len(delimiter) + 2]
        at_line_start = position == 0 or body[position - 1] == 0x0A
        if at_line_start and (after[:1] in (b"", b"\r", b"\n", b" ", b"\t") or after == b"--"):
            return position
        position = body.find(delimiter, position + 1)
    return -1


def _without_last_newline(raw: bytes) -> bytes:
    if raw.endswith(b"\r\n"):
        return raw[:-2]
    return raw[:-1] if raw.endswith(b"\n") else raw


def build_multipart(parts: Iterable[Part], boundary: str) -> bytes:
    """A multipart body; the caller chooses a boundary that stands at no line start in any part."""
    out: list[bytes] = []
    for headers, body in parts:
        head = "".join(f"{name}: {value}\r\n" for name, value in headers)
        out.append(f"--{boundary}\r\n{head}\r\n".encode())
        out.append(body)
        out.append(b"\r\n")
    out.append(f"--{boundary}--\r\n".encode())
    return b"".join(out)


def decode_content(body: bytes, encoding: str | None, *, limit: int = 1 << 20) -> bytes:
    """The body without its Content-Encoding (RFC 3261 §20.12); a list of codings is undone last first.

    Known are identity, deflate (zlib or raw) and gzip.

    Raises MimeError for an unknown encoding (answer 415 with Accept-Encoding), damaged data, or output over
    `limit` bytes (a deflate bomb is never unpacked further than that).
    """
    if not encoding:
        return body
    codings = [name.strip().lower() for name in encoding.split(",") if name.strip()]
    if len(codings) > 3:
        raise MimeError("too many content encodings")
    for coding in reversed(codings):
        body = _inflate(body, coding, limit)
    return body


def _inflate(body: bytes, coding: str, limit: int) -> bytes:
    if coding == "identity":
        return body
    if coding in ("gzip", "x-gzip"):
        return _decompress(body, 31, limit)
    if coding == "deflate":
        # RFC 9110 §8.4.1.2 means zlib; some senders leave the zlib wrapper off.
        zlib_wrapped = len(body) >= 2 and body[0] & 0x0F == 8 and (body[0] << 8 | body[1]) % 31 == 0
        return _decompress(body, 15 if zlib_wrapped else -15, limit)
    raise MimeError("unknown content encoding")


def _decompress(body: bytes, wbits: int, limit: int) -> bytes:
    machine = zlib.decompressobj(wbits)
    try:
        out = machine.decompress(body, limit + 1)
    except zlib.error:
        raise MimeError("damaged compressed body") from None
    if len(out) > limit:
        raise MimeError(f"body inflates to over {limit} bytes")
    if not machine.eof:
        raise MimeError("compressed body cut short")
    return out


def decode_transfer(body: bytes, encoding: str | None) -> bytes:
    """The body without its Content-Transfer-Encoding (RFC 2045 §6). Raises MimeError."""
    coding = (encoding or "binary").strip().lower()
    if coding == "base64":
        try:
            return base64.b64decode(b"".join(body.split()), validate=True)
        except (binascii.Error, ValueError):
            raise MimeError("damaged base64") from None
    if coding == "quoted-printable":
        return quopri.decodestring(body)
    if coding in ("binary", "8bit", "7bit"):
        return body
    raise MimeError("unknown content transfer encoding")
