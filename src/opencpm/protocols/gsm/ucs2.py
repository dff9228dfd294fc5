"""UCS-2 text of short messages, in practice UTF-16 big-endian (3GPP TS 23.038 §6.2.3)."""

from __future__ import annotations


def encode(text: str) -> bytes:
    """UTF-16BE without a byte order mark; a lone surrogate becomes ``?``."""
    return text.encode("utf-16-be", "replace")


def decode(octets: bytes, *, little_endian: bool = False) -> str:
    """Text of the joined octets of all segments; never fails.

    A byte order mark is dropped (FFFEh swaps), an odd last octet too, and a lone surrogate becomes U+FFFD.
    """
    if octets[:2] == b"\xfe\xff":
        octets, little_endian = octets[2:], False
    elif octets[:2] == b"\xff\xfe":
        octets, little_endian = octets[2:], True
    octets = octets[: len(octets) & ~1]
    return octets.decode("utf-16-le" if little_endian else "utf-16-be", "replace")
