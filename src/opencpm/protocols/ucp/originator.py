"""OAdC with OTOA: a number, or a name packed in GSM 7-bit (UCP 4.0, OTOA 5039)."""

from __future__ import annotations

from opencpm.protocols.gsm import alphabet, packing

from . import hexadecimal
from .errors import UcpError

INTERNATIONAL = "1139"
ALPHANUMERIC = "5039"
MAX_NAME = 11


def encode_name(name: str) -> str:
    """The OAdC of a name of up to 11 characters. Raises UcpError if it is longer or has others than GSM characters."""
    septets = alphabet.encode(name)
    if septets is None or not 0 < len(septets) <= MAX_NAME:
        raise UcpError(f"{name[:20]!r} is no name of 1 to {MAX_NAME} GSM characters")
    semi_octets = (7 * len(septets) + 3) // 4
    return f"{semi_octets:02X}{hexadecimal.encode(packing.pack(septets))}"


def decode_name(oadc: str) -> str:
    """The name in an OAdC. Raises UcpError."""
    octets = hexadecimal.decode(oadc)
    if not octets:
        raise UcpError("a name without its length")
    return alphabet.decode(packing.unpack(octets[1:], 4 * octets[0] // 7))
