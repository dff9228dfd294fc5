"""Addresses of MM4 (3GPP TS 23.140 §8.4.5.1): `+447700900123/TYPE=PLMN`, with or without a domain, or of mail."""

from __future__ import annotations

import re
from typing import NamedTuple

PLMN, IPV4, IPV6, MAIL = "PLMN", "IPv4", "IPv6", ""
_TYPES = {"plmn": PLMN, "ipv4": IPV4, "ipv6": IPV6}
MAX_ADDRESSES = 1000

_TYPED = re.compile(
    r"(?P<value>[^/@]{1,128})/TYPE=(?P<type>[A-Za-z0-9]{1,16})(?:@(?P<domain>[^@\s]{1,255}))?", re.I | re.A
)
_NUMBER = re.compile(r"\+?[0-9]{1,20}", re.A)
_IN_BRACKETS = re.compile(r"<([^<>]*)>")
_NEXT = re.compile(r'[^,"<]+|"(?:[^"\\]|\\.)*"?|<[^<>]*>|<|,')


class Address(NamedTuple):
    """An address by type (MAIL has none); the value of a number with or without `+`, as received."""

    type: str
    value: str
    domain: str = ""

    def __str__(self) -> str:
        typed = f"{self.value}/TYPE={self.type}" if self.type else self.value
        return f"{typed}@{self.domain}" if self.domain else typed


def parse_address(text: str) -> Address:
    """One address, its display name and brackets dropped. Never fails: what has no type is of mail."""
    bracketed = _IN_BRACKETS.search(text)
    text = (bracketed[1] if bracketed else text).strip().strip('"')
    typed = _TYPED.fullmatch(text)
    if typed:
        kind = _TYPES.get(typed["type"].lower(), typed["type"])
        return Address(kind, typed["value"], typed["domain"] or "")
    value, at, domain = text.rpartition("@")
    if _NUMBER.fullmatch(value if at else text):
        # A bare number, with or without the domain of its network, is one of a phone.
        return Address(PLMN, value, domain) if at else Address(PLMN, text)
    return Address(MAIL, value, domain) if at else Address(MAIL, text)


def parse_addresses(text: str) -> tuple[Address, ...]:
    """A list, cut at commas outside quotes and brackets; of over 1000, the first 1000."""
    pieces: list[str] = [""]
    for match in _NEXT.finditer(text):
        if match[0] != ",":
            pieces[-1] += match[0]
        elif len(pieces) > MAX_ADDRESSES:
            break
        else:
            pieces.append("")
    found = (parse_address(piece) for piece in pieces[:MAX_ADDRESSES] if piece.strip())
    return tuple(address for address in found if address.value)
