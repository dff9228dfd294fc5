"""Numbers as telephone networks write them: a type of number and digits, and the address that is meant."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from opencpm.domain.address import Address

_MOST_OF_A_SHORT_CODE = 8
_FEWEST_OF_A_NUMBER = 10


class NumberType(IntEnum):
    """Type of number (3GPP TS 23.040 §9.1.2.5); SMPP and UCP count alike."""

    UNKNOWN = 0
    INTERNATIONAL = 1
    NATIONAL = 2
    NETWORK = 3  # specific to the network: short codes
    SUBSCRIBER = 4
    ALPHANUMERIC = 5
    ABBREVIATED = 6


@dataclass(frozen=True, slots=True)
class NumberPlan:
    """How a peer writes numbers."""

    country_code: str = ""
    trunk_prefix: str = "0"
    plain_is_international: bool = True

    def to_address(self, ton: int, digits: str) -> Address:
        """Our address of a short message's end; never fails. What is no number is an alphanumeric sender."""
        bare = digits.strip()
        if ton == NumberType.ALPHANUMERIC or not bare.removeprefix("+").isdecimal() or not bare.isascii():
            return Address("alpha", bare[:11] or "unknown")
        if bare.startswith("+"):
            return Address("tel", bare)
        if bare.startswith("00") and len(bare) > _FEWEST_OF_A_NUMBER:
            return Address("tel", "+" + bare[2:])
        if ton == NumberType.INTERNATIONAL:
            return Address("tel", "+" + bare)
        return Address("tel", self._without_type(ton, bare))

    def _without_type(self, ton: int, bare: str) -> str:
        trunk = bool(self.trunk_prefix) and bare.startswith(self.trunk_prefix)
        national = ton in (NumberType.NATIONAL, NumberType.SUBSCRIBER) or (trunk and len(bare) > _MOST_OF_A_SHORT_CODE)
        if national and self.country_code:
            return f"+{self.country_code}{bare[len(self.trunk_prefix) if trunk else 0 :]}"
        plain = ton == NumberType.UNKNOWN and self.plain_is_international and not trunk
        return "+" + bare if plain and len(bare) >= _FEWEST_OF_A_NUMBER else bare
