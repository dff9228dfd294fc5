"""Addresses of MMS (3GPP TS 23.140 §8.4.5.1, OMA MMS ENC §8) in our terms and back: as MM4 and MM1 write them. Pure."""

from __future__ import annotations

from typing import Final

from opencpm.domain.address import Address, AddressError
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.numbering import NumberPlan
from opencpm.protocols.mm4.address import MAIL, PLMN
from opencpm.protocols.mm4.address import Address as MmsAddress

HIDDEN: Final = Address("alpha", "anonymous")
"""Who a sender is that does not want to be shown."""
_FEWEST_OF_E164: Final = 7


def neutral(found: MmsAddress, plan: NumberPlan) -> Address | None:
    """A number with or without ``+``, a short code (peers put a ``+`` before these, too), or a mail address.

    None: what we have no scheme for (an IP address).
    """
    if found.type == PLMN:
        return plan.to_address(0, _number(found.value))
    if found.type != MAIL or not found.domain:
        return None
    try:
        return Address.parse(f"mailto:{found.value}@{found.domain}")
    except AddressError:
        return None


def _number(value: str) -> str:
    bare = value.removeprefix("+")
    return bare if len(bare) < _FEWEST_OF_E164 else value


def on_mms(address: Address, domain: str = "") -> MmsAddress:
    """``+447700900123/TYPE=PLMN``, with a domain where one is given. Raises SendError for what is no number."""
    digits = address.value.removeprefix("+")
    if address.scheme != "tel" or not (digits.isascii() and digits.isdecimal()):
        raise SendError(Reason.UNKNOWN_ADDRESS, detail=f"{address} is no telephone number")
    return MmsAddress(PLMN, address.value, domain)
