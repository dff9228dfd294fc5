"""Telephone numbers and names between our addresses and SMPP's TON, NPI and digits (SMPP 3.4 §5.2.5, §5.2.6)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from opencpm.domain.address import Address
from opencpm.protocols.smpp.short_message import (
    NPI_ISDN,
    NPI_UNKNOWN,
    TON_ALPHANUMERIC,
    TON_INTERNATIONAL,
    TON_NATIONAL,
    TON_NETWORK,
    TON_SUBSCRIBER,
    TON_UNKNOWN,
)

from .settings import SmsSettings

_MOST_OF_A_SHORT_CODE = 8
_FEWEST_OF_A_NUMBER = 10


class Party(NamedTuple):
    """One end of a short message."""

    ton: int
    npi: int
    digits: str


def to_party(text: str) -> Party:
    """``+447700900123``, ``60606`` or ``CPM Test``: international, short code or alphanumeric by its form."""
    if text.startswith("+"):
        return Party(TON_INTERNATIONAL, NPI_ISDN, text[1:])
    if not text.isdecimal():
        return Party(TON_ALPHANUMERIC, NPI_UNKNOWN, text)
    if len(text) <= _MOST_OF_A_SHORT_CODE:
        return Party(TON_NETWORK, NPI_UNKNOWN, text)
    return Party(TON_INTERNATIONAL if len(text) >= _FEWEST_OF_A_NUMBER else TON_NATIONAL, NPI_ISDN, text)


@dataclass(frozen=True, slots=True)
class Plan:
    """How a peer writes numbers."""

    country_code: str = ""
    trunk_prefix: str = "0"
    plain_is_international: bool = True

    @classmethod
    def of(cls, settings: SmsSettings) -> Plan:
        return cls(settings.country_code, settings.trunk_prefix, settings.plain_is_international)

    def to_address(self, ton: int, npi: int, digits: str) -> Address:
        """Our address of a short message's end; never fails. What is no number is an alphanumeric sender."""
        bare = digits.strip()
        if ton == TON_ALPHANUMERIC or not bare.removeprefix("+").isdecimal() or not bare.isascii():
            return Address("alpha", bare[:11] or "unknown")
        if bare.startswith("+"):
            return Address("tel", bare)
        if bare.startswith("00") and len(bare) > _FEWEST_OF_A_NUMBER:
            return Address("tel", "+" + bare[2:])
        if ton == TON_INTERNATIONAL:
            return Address("tel", "+" + bare)
        return Address("tel", self._without_type(ton, bare))

    def _without_type(self, ton: int, bare: str) -> str:
        trunk = bool(self.trunk_prefix) and bare.startswith(self.trunk_prefix)
        national = ton in (TON_NATIONAL, TON_SUBSCRIBER) or (trunk and len(bare) > _MOST_OF_A_SHORT_CODE)
        if national and self.country_code:
            return f"+{self.country_code}{bare[len(self.trunk_prefix) if trunk else 0 :]}"
        plain = ton == TON_UNKNOWN and self.plain_is_international and not trunk
        return "+" + bare if plain and len(bare) >= _FEWEST_OF_A_NUMBER else bare
