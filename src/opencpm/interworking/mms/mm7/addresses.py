"""Addresses of MM7 and ours. Pure."""

from __future__ import annotations

from opencpm.domain.address import Address
from opencpm.domain.numbering import NumberPlan, NumberType
from opencpm.protocols.mm7.party import address_of, party_of
from opencpm.protocols.mm7.values import Address as Mm7Address


def written(address: Address) -> Mm7Address:
    """A number in E.164 as Number, mail as mail, short codes and names as ShortCode."""
    return address_of(address.value)


def sender(text: str) -> Mm7Address:
    """A configured sender: a number, a short code, a name or a mail address."""
    return address_of(text.strip())


def read(plan: NumberPlan, address: Mm7Address) -> Address:
    """Whom an address means; never fails. One that is opaque to us (encrypted) is a name that nobody can answer."""
    kind, value = party_of(address)
    if kind == "hidden":
        return Address("alpha", "hidden")
    if kind == "mail":
        return Address("mailto", value)
    return Address("tel", value) if kind == "code" else plan.to_address(NumberType.UNKNOWN, value)
