"""Septets packed into octets, low bits first (3GPP TS 23.038 §6.1.2.1.1)."""

from __future__ import annotations


def fill_bits(header_octets: int) -> int:
    """Zero bits between a user data header (its length octet included) and the first septet (TS 23.040
    §9.2.3.24).
    """
    return -8 * header_octets % 7


def pack(septets: bytes, fill: int = 0) -> bytes:
    """Pack septets given one an octet; ``fill`` zero bits go before the first."""
    bits = 0
    for position, septet in enumerate(septets):
        bits |= (septet & 0x7F) << (7 * position)
    return (bits << fill).to_bytes((7 * len(septets) + fill + 7) // 8, "little")


def unpack(octets: bytes, count: int, fill: int = 0) -> bytes:
    """The first ``count`` septets after ``fill`` bits, one an octet; fewer if the octets end before."""
    count = max(0, min(count, (8 * len(octets) - fill) // 7))
    bits = int.from_bytes(octets, "little") >> fill
    return bytes((bits >> (7 * position)) & 0x7F for position in range(count))
