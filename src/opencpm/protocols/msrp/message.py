"""MSRP framing (RFC 4975 §7, §9): an incremental parser and builders.

The parser is linear whatever the chunk size: a body that has not ended yet is given out in pieces, and the search
for the end-line goes on where it stopped.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from .errors import MsrpError

__all__ = ["ABORTED", "COMPLETE", "MORE", "ByteRange", "Frame", "Parser", "byte_range", "request", "response"]

COMPLETE, MORE, ABORTED = "$", "+", "#"
"""Continuation flags of the end-line."""

_MAX_HEAD = 16384
_MAX_HEADERS = 64
_MAX_PIECE = 65536
_START = re.compile(rb"MSRP ([A-Za-z0-9.+%=-]{1,64}) (?:([0-9]{3})(?: [^\r\n]{0,256})?|([A-Z_]{1,32})) ?\Z")
_RANGE = re.compile(r"([0-9]{1,18})-([0-9]{1,18}|\*)/([0-9]{1,18}|\*)\Z")
_FLAGS = {0x24: COMPLETE, 0x2B: MORE, 0x23: ABORTED}
_COMMENTS = {
    200: "OK",
    400: "Bad Request",
    403: "Forbidden",
    408: "Request Timeout",
    413: "Message Too Large",
    415: "Unsupported Media Type",
    423: "Parameter Out Of Bounds",
    481: "No Such Session",
    501: "Unknown Method",
    506: "Session Already Bound",
}


class ByteRange(NamedTuple):
    """1-based; `end` and `total` are None where the wire has `*`."""

    start: int
    end: int | None
    total: int | None


class Frame:
    """A request or response, or a piece of a request whose body has not ended yet.

    `method` is empty for a response, `status` is 0 for a request. `headers` has lower-case names, the first of each.
    `flag` is `$`, `+` or `#`, or empty if more of this request's body follows; `offset` counts the bytes of the body
    that came in earlier pieces. `has_body` tells an empty body from none. `flaw` says what is wrong with the headers of
    a frame whose limits are clear all the same (answer 400).
    """

    __slots__ = ("body", "flag", "flaw", "has_body", "headers", "method", "offset", "status", "tid")

    def __init__(self, tid: str, method: str, status: int, headers: dict[str, str]) -> None:
        self.tid, self.method, self.status, self.headers = tid, method, status, headers
        self.body = b""
        self.flag = self.flaw = ""
        self.offset = 0
        self.has_body = False

    def __repr__(self) -> str:
        return f"Frame({self.tid} {self.method or self.status} {len(self.body)} bytes {self.flag!r})"

    def piece(self) -> Frame:
        """The same request, for the next piece of its body."""
        frame = Frame(self.tid, self.method, self.status, self.headers)
        frame.offset = self.offset + len(self.body)
        frame.has_body, frame.flaw = self.has_body, self.flaw
        return frame


class Parser:
    """Bytes in any portions in, frames out."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._frame: Frame | None = None  # its body is being read
        self._scanned = 0

    def feed(self, data: bytes) -> list[Frame]:
        """The frames (or pieces) these bytes complete. Raises MsrpError, after which the connection is lost."""
        self._buffer += data
        frames: list[Frame] = []
        while self._step(frames):
            pass
        return frames

    def _step(self, frames: list[Frame]) -> bool:
        if self._frame is None and not self._read_head():
            return False
        assert self._frame is not None
        return self._read_body(frames)

    def _read_head(self) -> bool:
        buffer = self._buffer
        while buffer.startswith(b"\r\n"):  # keep-alives between frames
            del buffer[:2]
        line_end = buffer.find(b"\r\n", 0, _MAX_HEAD)
        if line_end < 0:
            self._too_long()
            return False
        start = _START.match(buffer[:line_end])
        if start is None:
            raise MsrpError("not an MSRP start line")
        end_line = b"\r\n-------" + start[1]
        blank = buffer.find(b"\r\n\r\n", line_end, _MAX_HEAD)
        close = buffer.find(end_line, line_end, blank if blank >= 0 else _MAX_HEAD)
        if close < 0 and blank < 0:
            self._too_long()
            return False
        head_end = close if close >= 0 else blank
        headers, flaw = _headers(bytes(buffer[line_end + 2 : head_end]))
        frame = Frame(start[1].decode(), (start[3] or b"").decode(), int(start[2] or 0), headers)
        frame.flaw = flaw
        frame.has_body = close < 0
        # The end-line may follow the blank line at once: keep the line end that leads it in.
        del buffer[: head_end + 2 if frame.has_body else head_end]
        self._frame, self._scanned = frame, 0
        return True

    def _too_long(self) -> None:
        if len(self._buffer) >= _MAX_HEAD:
            raise MsrpError("MSRP headers too long")

    def _read_body(self, frames: list[Frame]) -> bool:
        """The body (between blank line and end-line, or nothing) of the current frame, as far as it is there."""
        frame, buffer = self._frame, self._buffer
        assert frame is not None
        end_line = b"\r\n-------" + frame.tid.encode()
        at = buffer.find(end_line, self._scanned)
        while at >= 0:
            tail = at + len(end_line)
            if len(buffer) < tail + 3:
                self._scanned = at
                return False
            flag = _FLAGS.get(buffer[tail])
            if flag is not None and buffer[tail + 1] == 0x0D and buffer[tail + 2] == 0x0A:
                # An empty body may lack its own line end; what stands before the end-line is then the blank line's.
                frame.body = bytes(buffer[2:at]) if frame.has_body and not frame.offset else bytes(buffer[:at])
                frame.flag = flag
                del buffer[: tail + 3]
                frames.append(frame)
                self._frame = None
                return True
            if not frame.has_body:
                raise MsrpError("no end-line after the headers")
            at = buffer.find(end_line, at + 2)
        self._scanned = max(0, len(buffer) - len(end_line) + 1)
        if self._scanned > _MAX_PIECE:
            self._give_piece(frames, frame)
        return False

    def _give_piece(self, frames: list[Frame], frame: Frame) -> None:
        lead = 0 if frame.offset else 2
        frame.body = bytes(self._buffer[lead : self._scanned])
        del self._buffer[: self._scanned]
        self._scanned = 0
        frames.append(frame)
        self._frame = frame.piece()


def _headers(block: bytes) -> tuple[dict[str, str], str]:
    """The headers, and what is wrong with them."""
    text = block.decode("utf-8", "replace")
    flaw = "headers are not UTF-8" if "\ufffd" in text else ""
    lines = text.split("\r\n")
    if len(lines) > _MAX_HEADERS:
        flaw = "too many headers"
        del lines[_MAX_HEADERS:]
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if colon:
            headers.setdefault(name.strip().lower(), value.strip())
        elif line:
            flaw = "header line without a colon"
    return headers, flaw


def byte_range(value: str | None) -> ByteRange:
    """A Byte-Range header; none means one chunk from the beginning. Raises MsrpError (answer 400)."""
    if value is None:
        return ByteRange(1, None, None)
    match = _RANGE.match(value.strip())
    if match is None:
        raise MsrpError("bad Byte-Range")
    start, end, total = match.groups()
    return ByteRange(int(start), None if end == "*" else int(end), None if total == "*" else int(total))


def request(
    tid: str,
    method: str,
    to_path: str,
    from_path: str,
    headers: Iterable[tuple[str, str]] = (),
    body: bytes | None = None,
    flag: str = COMPLETE,
) -> bytes:
    """A request; Content-Type comes last of `headers` (RFC 4975 §9). The caller sees to it that `tid` suits the body
    (`fits`)."""
    lines = "".join([f"{name}: {value}\r\n" for name, value in headers])
    head = f"MSRP {tid} {method}\r\nTo-Path: {to_path}\r\nFrom-Path: {from_path}\r\n{lines}"
    if body is None:
        return f"{head}-------{tid}{flag}\r\n".encode()
    return b"".join((f"{head}\r\n".encode(), body, f"\r\n-------{tid}{flag}\r\n".encode()))


def fits(tid: str, body: bytes) -> bool:
    """False if the end-line of this transaction id stands in the body: take another (RFC 4975 §7.1)."""
    return f"-------{tid}".encode() not in body


def response(tid: str, status: int, to_path: str, from_path: str) -> bytes:
    """A response; `to_path` is the first URI of the request's From-Path (RFC 4975 §7.2)."""
    comment = _COMMENTS.get(status, "")
    return (
        f"MSRP {tid} {status} {comment}\r\nTo-Path: {to_path}\r\nFrom-Path: {from_path}\r\n-------{tid}$\r\n".encode()
    )
