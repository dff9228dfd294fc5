"""Peer-to-peer data in a switchboard (MSNP2P, first kind): packets with a binary header, put together to messages.

A message of session 0 is MSNSLP text (`slp`); others are a session's data. Every whole message is acknowledged by a
packet of its own. Values here are documented, not recorded.
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from opencpm.protocols.msnp import payload
from opencpm.protocols.msnp.errors import MsnpError

MAX_PIECE = 1202  # octets of data in one packet
ACKNOWLEDGEMENT = 0x02
OBJECT_DATA = 0x20
FILE_DATA = 0x1000030
MAX_OPEN = 8  # messages being put together at a time, per switchboard
_ERRORS = 0x08 | 0x40 | 0x80  # binary error, and a transfer cut off by either side

_HEADER = struct.Struct("<IIQQIIIIQ")
_FOOTER = struct.Struct(">I")


class Packet(NamedTuple):
    """One packet. `offset` and `total` are those of its message, in octets."""

    session: int
    ident: int
    offset: int
    total: int
    flags: int
    ack_ident: int
    ack_unique: int
    ack_size: int
    data: bytes = b""
    footer: int = 0

    @property
    def acknowledges(self) -> bool:
        return bool(self.flags & ACKNOWLEDGEMENT)

    @property
    def broken(self) -> bool:
        """The other side gives a transfer up."""
        return bool(self.flags & _ERRORS)


def parse(body: bytes) -> Packet:
    """Read a packet, the body of an `application/x-msnmsgrp2p` payload. Raises MsnpError."""
    if len(body) < _HEADER.size:
        raise MsnpError("peer-to-peer packet too short")
    session, ident, offset, total, length, flags, ack, unique, size = _HEADER.unpack_from(body)
    data = body[_HEADER.size : _HEADER.size + length]
    if len(data) != length or length > MAX_PIECE or offset + length > total:
        raise MsnpError("peer-to-peer packet of a wrong size")
    rest = body[_HEADER.size + length :]
    footer = _FOOTER.unpack(rest)[0] if len(rest) == _FOOTER.size else 0
    return Packet(session, ident, offset, total, flags, ack, unique, size, data, footer)


def build(packet: Packet, dest: str, source: str = "") -> bytes:
    """The whole payload for `MSG t D`. `dest` and `source` are addresses, with `;{guid}` from version 16 on."""
    head = {"MIME-Version": "1.0", "Content-Type": payload.PEER_TO_PEER, "P2P-Dest": dest}
    if source:
        head["P2P-Src"] = source
    ack = (packet.ack_ident, packet.ack_unique, packet.ack_size)
    fields = (packet.session, packet.ident, packet.offset, packet.total, len(packet.data), packet.flags, *ack)
    return payload.build(head, _HEADER.pack(*fields) + packet.data + _FOOTER.pack(packet.footer))


def pieces(session: int, ident: int, unique: int, data: bytes, flags: int, footer: int) -> Iterator[Packet]:
    """The packets of one message."""
    for at in range(0, len(data), MAX_PIECE):
        piece = data[at : at + MAX_PIECE]
        yield Packet(session, ident, at, len(data), flags, unique, 0, 0, piece, footer)


def acknowledgement(of: Packet, ident: int) -> Packet:
    """The packet that says that the whole message came."""
    return Packet(of.session, ident, 0, of.total, ACKNOWLEDGEMENT, of.ident, of.ack_ident, of.total)


class Assembler:
    """Puts packets together to messages; what does not follow on what came before is dropped. `limit` in octets."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._open: dict[tuple[int, int], bytearray] = {}

    def add(self, packet: Packet) -> bytes | None:
        """The whole message that this packet completes, else None. Raises MsnpError for one that is too large."""
        key = packet.session, packet.ident
        if packet.total > self._limit:
            raise MsnpError("peer-to-peer message too large")
        if packet.offset == 0:
            if len(self._open) >= MAX_OPEN:
                self._open.pop(next(iter(self._open)))
            self._open[key] = bytearray()
        so_far = self._open.get(key)
        if so_far is None or len(so_far) != packet.offset:
            self._open.pop(key, None)
            return None
        so_far += packet.data
        if len(so_far) < packet.total:
            return None
        return bytes(self._open.pop(key))
