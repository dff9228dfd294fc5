"""RTP (RFC 3550) as a telephone call needs it: packets, and a buffer that plays sound when its time stamp says."""

from __future__ import annotations

import struct
from typing import NamedTuple

_HEADER = struct.Struct("!BBHII")
_VERSION_2 = 0x80
_MARKER = 0x80
PACKET = 160
"""Samples, and octets of G.711, in 20 ms."""
_RING = 50 * PACKET
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
    """A fixed delay between what comes and what is heard. No stretching, no concealment: what is lost, or later than
    the delay, is silence. ``delay`` in samples, one second at most; ``silence`` is the octet that stands for it."""

    __slots__ = ("_delay", "_end", "_position", "_ring", "_silence", "_source", "late", "received")

    def __init__(self, delay: int, silence: int) -> None:
        self.received = self.late = 0
        self._delay = min(delay, _RING - 10 * PACKET)
        self._silence = silence
        self._ring = bytearray((silence,)) * _RING
        self._source: int | None = None
        self._position = self._end = 0  # time stamps: what is heard next, and where sound ends

    def add(self, packet: Packet) -> None:
        """Take a packet. A new source, or a jump of the time stamps, begins anew."""
        ahead = _signed(packet.timestamp - self._position)
        count = len(packet.payload)
        if packet.source != self._source or not -_RING < ahead < _RING - count:
            if count > _RING // 2:
                return
            self._begin(packet)
            ahead = self._delay
        self.received += 1
        payload = packet.payload
        if ahead < 0:
            self.late += 1
            payload = payload[-ahead:]
            ahead = 0
        self._write(self._position + ahead, payload)

    def _begin(self, packet: Packet) -> None:
        self._source = packet.source
        self._position = self._end = packet.timestamp - self._delay
        self._ring[:] = bytes((self._silence,)) * _RING

    def _write(self, at: int, payload: bytes) -> None:
        start = at % _RING
        first = min(len(payload), _RING - start)
        self._ring[start : start + first] = payload[:first]
        if first < len(payload):
            self._ring[: len(payload) - first] = payload[first:]
        self._end = max(self._end, at + len(payload))

    def take(self, count: int = PACKET) -> bytes | None:
        """The next so many octets to be heard; None where nothing at all came for them."""
        at = self._position
        self._position = at + count
        if at >= self._end:
            self._end = self._position
            return None
        start = at % _RING
        quiet = bytes((self._silence,)) * count
        if start + count <= _RING:
            heard = bytes(self._ring[start : start + count])
            self._ring[start : start + count] = quiet
            return heard
        first = _RING - start
        heard = bytes(self._ring[start:]) + bytes(self._ring[: count - first])
        self._ring[start:] = quiet[:first]
        self._ring[: count - first] = quiet[first:]
        return heard


def _signed(difference: int) -> int:
    """A difference of time stamps, which count modulo 2**32."""
    return (difference + _HALF) % (1 << 32) - _HALF
