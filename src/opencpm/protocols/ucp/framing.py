"""Frames: ``STX TRN/LEN/O-or-R/OT/fields/CHK ETX``, and how they are cut out of a byte stream."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from .errors import UcpError

STX, ETX = b"\x02", b"\x03"
MAX_FRAME = 2048
MAX_TRN = 100
CHECKSUM_ERROR, SYNTAX_ERROR = 1, 2

_HEADER = re.compile(r"([0-9]{2})/([0-9]{5})/([OR])/([0-9]{2})/", re.ASCII)
_FORBIDDEN = re.compile("[/\x02\x03]")


class Frame(NamedTuple):
    """One operation (``result`` False) or result, its data fields still text."""

    trn: int
    result: bool
    ot: int
    fields: tuple[str, ...]


def checksum(octets: bytes) -> int:
    """The sum of all octets from the one after STX to the last slash, modulo 256."""
    return sum(octets) & 0xFF


def encode(frame: Frame) -> bytes:
    """A frame with STX and ETX. Raises UcpError for a field that holds a separator or is no ASCII."""
    data = "/".join(frame.fields)
    if data.count("/") != len(frame.fields) - 1 or _FORBIDDEN.sub("", data) != data.replace("/", ""):
        raise UcpError("a field with a separator in it")
    kind = "R" if frame.result else "O"
    length = 3 + 6 + 2 + 3 + len(data) + 1 + 2
    try:
        octets = f"{frame.trn:02}/{length:05}/{kind}/{frame.ot:02}/{data}/".encode("ascii")
    except UnicodeEncodeError:
        raise UcpError("a field that is no ASCII") from None
    return b"%b%b%02X%b" % (STX, octets, checksum(octets), ETX)


def decode(octets: bytes) -> Frame:
    """What stands between STX and ETX. Raises UcpError (EC 01 for the checksum, 02 for everything else)."""
    text = octets.decode("latin-1")
    header = _HEADER.match(text)
    if header is None:
        raise UcpError("no UCP header")
    trn, result, ot = int(header[1]), header[3] == "R", int(header[4])
    named = (trn, None if result else ot)
    body, slash, check = text[header.end() :].rpartition("/")
    if not slash:
        raise UcpError("no checksum", SYNTAX_ERROR, *named)
    if check.upper() != f"{checksum(octets[: len(octets) - len(check)]):02X}":
        raise UcpError("wrong checksum", CHECKSUM_ERROR, *named)
    if int(header[2]) != len(octets):
        raise UcpError(f"length {header[2]}, {len(octets)} came", SYNTAX_ERROR, *named)
    return Frame(trn, result, ot, tuple(body.split("/")))


class FrameBuffer:
    """Collects what TCP delivers and gives whole frames, without STX and ETX."""

    __slots__ = ("_max", "_rest")

    def __init__(self, max_frame: int = MAX_FRAME) -> None:
        self._rest = b""
        self._max = max_frame

    def feed(self, data: bytes) -> Iterable[bytes]:
        """The frames that are complete now. What stands before an STX is skipped, a second STX begins anew.

        Raises UcpError, after the good frames, for one that is too long: the stream is lost.
        """
        *pieces, rest = (self._rest + data).split(ETX)
        self._rest = self._begun(rest)
        for piece in pieces:
            frame = self._begun(piece)
            if len(frame) > self._max:
                raise UcpError("a frame that is too long")
            if frame:
                yield frame[1:]
        if len(self._rest) > self._max:
            self._rest = b""
            raise UcpError("a frame without an end")

    @staticmethod
    def _begun(piece: bytes) -> bytes:
        at = piece.rfind(STX)
        return piece[at:] if at >= 0 else b""
