"""The user data header of a short message (3GPP TS 23.040 §9.2.3.24)."""

from __future__ import annotations

from typing import NamedTuple

CONCAT_8 = 0x00
PORTS_8 = 0x04
PORTS_16 = 0x05
CONCAT_16 = 0x08
SINGLE_SHIFT = 0x24
LOCKING_SHIFT = 0x25


class Concat(NamedTuple):
    """A segment's place: reference and its width in bits (8 or 16), number of segments, its own number
    from 1.
    """

    reference: int
    total: int
    number: int
    bits: int = 8


class Header(NamedTuple):
    """What a user data header says; ``elements`` has every information element, in order."""

    elements: tuple[tuple[int, bytes], ...] = ()
    concat: Concat | None = None
    destination_port: int | None = None
    single_shift: int = 0
    locking_shift: int = 0


EMPTY = Header()


def split(user_data: bytes) -> tuple[Header, bytes]:
    """Header and content of user data whose UDHI is set; never fails.

    A header that overruns its length, or the data, is skipped and read as empty; unknown elements are
    kept, of a repeated one the last counts.
    """
    if not user_data:
        return EMPTY, b""
    end = 1 + user_data[0]
    elements = _elements(user_data[1:end]) if end <= len(user_data) else None
    return (_read(elements) if elements else EMPTY), user_data[end:]


def _elements(octets: bytes) -> tuple[tuple[int, bytes], ...] | None:
    elements = []
    position = 0
    while position < len(octets):
        start = position + 2
        if start > len(octets):
            return None
        position = start + octets[start - 1]
        if position > len(octets):
            return None
        elements.append((octets[start - 2], octets[start:position]))
    return tuple(elements)


def _read(elements: tuple[tuple[int, bytes], ...]) -> Header:
    concat, port, single, locking = None, None, 0, 0
    for identifier, data in elements:
        if identifier == CONCAT_8 and len(data) == 3:
            concat = _concat(data[0], data[1], data[2], 8)
        elif identifier == CONCAT_16 and len(data) == 4:
            concat = _concat(data[0] << 8 | data[1], data[2], data[3], 16)
        elif identifier == PORTS_16 and len(data) == 4:
            port = data[0] << 8 | data[1]
        elif identifier == PORTS_8 and len(data) == 2:
            port = data[0]
        elif identifier == SINGLE_SHIFT and len(data) == 1:
            single = data[0]
        elif identifier == LOCKING_SHIFT and len(data) == 1:
            locking = data[0]
    return Header(elements, concat, port, single, locking)


def _concat(reference: int, total: int, number: int, bits: int) -> Concat | None:
    """None for a number out of range: then the message is read as a single one (§9.2.3.24.1)."""
    return Concat(reference, total, number, bits) if 0 < number <= total else None


def build(concat: Concat | None = None, single_shift: int = 0, locking_shift: int = 0) -> bytes:
    """A header with its length octet, or nothing if there is nothing to say."""
    body = b""
    if concat is not None and concat.bits == 16:
        body = bytes((CONCAT_16, 4, concat.reference >> 8, concat.reference & 0xFF, concat.total, concat.number))
    elif concat is not None:
        body = bytes((CONCAT_8, 3, concat.reference, concat.total, concat.number))
    if single_shift:
        body += bytes((SINGLE_SHIFT, 1, single_shift))
    if locking_shift:
        body += bytes((LOCKING_SHIFT, 1, locking_shift))
    return bytes((len(body),)) + body if body else b""
