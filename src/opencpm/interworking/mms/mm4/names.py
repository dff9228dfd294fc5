"""Addresses and ids of MM4 in our terms, and back. Pure."""

from __future__ import annotations

from typing import Final

from opencpm.domain.address import Address, AddressError
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.numbering import NumberPlan
from opencpm.protocols.mm4.address import MAIL, PLMN
from opencpm.protocols.mm4.address import Address as Mm4Address
from opencpm.protocols.mms.content import bare_id

HIDDEN: Final = Address("alpha", "anonymous")
"""Who a sender is that does not want to be shown."""
_FEWEST_OF_E164: Final = 7


def neutral(found: Mm4Address, plan: NumberPlan) -> Address | None:
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


def on_mm4(address: Address, domain: str = "") -> Mm4Address:
    """``+447700900123/TYPE=PLMN``, with a domain where one is given. Raises SendError for what is no number."""
    digits = address.value.removeprefix("+")
    if address.scheme != "tel" or not (digits.isascii() and digits.isdecimal()):
        raise SendError(Reason.UNKNOWN_ADDRESS, detail=f"{address} is no telephone number")
    return Mm4Address(PLMN, address.value, domain)


def reference(peer: str, ident: str) -> str:
    """The key of a report: what one peer says of an id does not touch the messages of another."""
    return f"{peer}/{bare_id(ident)}"
