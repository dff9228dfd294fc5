"""Addresses of MM7 and ours. Pure."""

from __future__ import annotations

from opencpm.domain.address import Address
from opencpm.domain.numbering import NumberPlan, NumberType
from opencpm.protocols.mm7.values import MAIL, NUMBER, SHORT_CODE
from opencpm.protocols.mm7.values import Address as Mm7Address

_LONGEST = 20


def written(address: Address) -> Mm7Address:
    """A number in E.164 as Number, mail as mail, short codes and names as ShortCode."""
    if address.scheme == "mailto":
        return Mm7Address(MAIL, address.value)
    return Mm7Address(NUMBER if address.value.startswith("+") else SHORT_CODE, address.value)


def sender(text: str) -> Mm7Address:
    """A configured sender: a number, a short code, a name or a mail address."""
    return written(Address("mailto" if "@" in text else "tel", text.strip()))


def read(plan: NumberPlan, address: Mm7Address) -> Address:
    """Whom an address means; never fails. One that is opaque to us (encrypted) is a name that nobody can answer."""
    value = address.value.partition("/TYPE=")[0].strip()
    if address.coding:
        return Address("alpha", "hidden")
    if address.kind == MAIL and "@" in value:
        return Address("mailto", value.lower()[:512])
    if address.kind == SHORT_CODE and value.isascii() and value.isdecimal() and len(value) <= _LONGEST:
        return Address("tel", value)
    return plan.to_address(NumberType.UNKNOWN, value[: _LONGEST + 1])
