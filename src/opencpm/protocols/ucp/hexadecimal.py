"""Octets as pairs of hexadecimal digits ("IRA hex"): how free text travels."""

from __future__ import annotations

import re

from .errors import UcpError

_HEX = re.compile(r"(?:[0-9A-Fa-f]{2})*\Z", re.ASCII)


def encode(octets: bytes) -> str:
    return octets.hex().upper()


def decode(text: str) -> bytes:
    """Raises UcpError for what is no pair of digits."""
    if not _HEX.match(text):
        raise UcpError("no hexadecimal digits")
    return bytes.fromhex(text)
