"""RTP (RFC 3550) as a telephone call needs it: packets, and a buffer that puts sound in order by its time stamps."""

from __future__ import annotations

import struct
from typing import NamedTuple

_HEADER = struct.Struct("!BBHII")
_VERSION_2 = 0x80
_MARKER = 0x80
PACKET = 160
"""Samples, and octets of G.711, in 20 ms."""
_LONGEST = 400 * PACKET
"""A jump of the time stamps beyond this, 8 s, begins anew."""
_MOST = 100
_AT_ONCE = 10
"""Packets heard in one go: who sends faster than time passes is not followed."""
_HALF = 1 << 31


class RtpError(ValueError):
    """No RTP packet."""


class Packet(NamedTuple):
    """``marker`` begins a talkspurt. Time stamps count samples."""

    payload_type: int
    sequence: int
    timestamp: int
    source: int
    payload: bytes
    marker: bool = False

    def encode(self) -> bytes:
        kind = self.payload_type | (_MARKER if self.marker else 0)
        return _HEADER.pack(_VERSION_2, kind, self.sequence & 0xFFFF, self.timestamp & 0xFFFFFFFF, self.source) + (
            self.payload
        )


def decode(datagram: bytes) -> Packet:
    """Read a packet; contributing sources, extension and padding are skipped. Raises RtpError."""
    if len(datagram) < 12:
        raise RtpError("shorter than a header")
    first, kind, sequence, timestamp, source = _HEADER.unpack_from(datagram)
    if first == _VERSION_2:  # nearly all there is
        return Packet(kind & 0x7F, sequence, timestamp, source, datagram[12:], kind >= _MARKER)
    if first & 0xC0 != _VERSION_2:
        raise RtpError("not version 2")
    begin, end = 12 + 4 * (first & 15), len(datagram)
    if first & 0x10:
        if begin + 4 > end:
            raise RtpError("extension cut short")
        begin += 4 + 4 * int.from_bytes(datagram[begin + 2 : begin + 4], "big")
    if first & 0x20:
        end -= datagram[-1]
    if begin > end:
        raise RtpError("header longer than the packet")
    return Packet(kind & 0x7F, sequence, timestamp, source, datagram[begin:end], kind >= _MARKER)


class PlayOut:
    """Puts sound in order by its time stamps, for an ear that has patience: a modem's.

    A person must hear something every 20 ms; a modem need not. So what has come is heard at once, without any delay,
    and what is late is waited for, up to ``patience`` samples. Only then a hole is filled with ``silence`` (an octet).
    Nothing is stretched or concealed. Where nothing comes at all, silence is heard after the same patience.
    """

    __slots__ = (
        "_inserted",
        "_patience",
        "_position",
        "_silence",
        "_source",
        "_waited",
        "_waiting",
        "filled",
        "received",
    )

    def __init__(self, patience: int, silence: int) -> None:
        self.received = self.filled = 0
        self._patience, self._silence = patience, silence
        self._source: int | None = None
        self._position = 0  # the time stamp that is heard next
        self._waiting: dict[int, bytes] = {}
        self._waited = self._inserted = 0

    def add(self, packet: Packet) -> None:
        """Take a packet. A new source, or a jump of the time stamps, begins anew; repeated and very late ones are
        nothing."""
        ahead = _signed(packet.timestamp - self._position)
        if packet.source != self._source or not -_LONGEST < ahead < _LONGEST:
            self._source, self._position, ahead = packet.source, packet.timestamp, 0
            self._waiting.clear()
            self._inserted = 0
        if ahead >= 0 and packet.payload and len(self._waiting) < _MOST:
            self.received += 1
            self._waiting.setdefault(self._position + ahead, packet.payload)

    def take(self, count: int = PACKET) -> bytes:
        """What can be heard now, ``count`` samples after the last time: nothing while something is waited for."""
        heard = self._in_order()
        if heard:
            self._waited = self._inserted = 0
            return heard
        self._waited += count
        if self._waited <= self._patience and not self._inserted:
            return b""
        if self._waiting:
            return self._over_the_hole()
        self._inserted += count
        return self._quiet(count)

    def _in_order(self) -> bytes:
        parts: list[bytes] = []
        while len(parts) < _AT_ONCE and (part := self._waiting.pop(self._position, None)) is not None:
            parts.append(part)
            self._position += len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _over_the_hole(self) -> bytes:
        """Silence up to the next that came (less what was heard as silence already), and that."""
        following = min(self._waiting)
        hole = following - self._position
        self._position = following
        missing = max(0, hole - self._inserted)
        self.filled += missing
        self._waited = self._inserted = 0
        return self._quiet(missing) + self._in_order()

    def _quiet(self, count: int) -> bytes:
        return bytes((self._silence,)) * count


def _signed(difference: int) -> int:
    """A difference of time stamps, which count modulo 2**32."""
    return (difference + _HALF) % (1 << 32) - _HALF
