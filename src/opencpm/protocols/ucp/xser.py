"""XSer, the extra services: type, length and data of each, in hexadecimal digits."""

from __future__ import annotations

from collections.abc import Iterable

from . import hexadecimal
from .errors import UcpError

UDH = 0x01
DCS = 0x02
BILLING = 0x0C
SINGLE_SHOT = 0x0D

Service = tuple[int, bytes]


def encode(services: Iterable[Service]) -> str:
    """The field. Raises UcpError for more than 255 octets of data."""
    out = []
    for kind, data in services:
        if len(data) > 0xFF:
            raise UcpError("an extra service that is too long")
        out.append(f"{kind:02X}{len(data):02X}{hexadecimal.encode(data)}")
    return "".join(out)


def decode(field: str) -> tuple[Service, ...]:
    """All services, known or not, in order. Raises UcpError."""
    octets = hexadecimal.decode(field)
    services = []
    at = 0
    while at < len(octets):
        end = at + 2 + (octets[at + 1] if at + 1 < len(octets) else len(octets))
        if end > len(octets):
            raise UcpError("an extra service that is cut off")
        services.append((octets[at], octets[at + 2 : end]))
        at = end
    return tuple(services)


def value_of(services: Iterable[Service], kind: int) -> bytes | None:
    """The data of the first service of a type."""
    return next((data for found, data in services if found == kind), None)
