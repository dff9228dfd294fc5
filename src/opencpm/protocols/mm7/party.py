"""Who an MM7 address means, and how people are written: either side of the interface needs both."""

from __future__ import annotations

from typing import NamedTuple

from .values import MAIL, NUMBER, SHORT_CODE, Address

_LONGEST = 20


class Party(NamedTuple):
    """One end. ``kind``: "number" (in the peer's own writing), "code" (digits), "name", "mail", or "hidden": opaque to
    all but the peer (addressCoding), so that nobody can answer it."""

    kind: str
    value: str


def party_of(address: Address) -> Party:
    """Never fails; what is no address of its kind is a name."""
    value = address.value.partition("/TYPE=")[0].strip()
    if address.coding:
        return Party("hidden", value)
    if address.kind == MAIL and "@" in value:
        return Party("mail", value.lower()[:512])
    if address.kind == SHORT_CODE:
        digits = value.isascii() and value.isdecimal() and len(value) <= _LONGEST
        return Party("code" if digits else "name", value)
    return Party("number", value[: _LONGEST + 1])


def address_of(text: str) -> Address:
    """A number with its +, a mail address, else a short code or name."""
    if "@" in text:
        return Address(MAIL, text)
    return Address(NUMBER if text.startswith("+") else SHORT_CODE, text)
