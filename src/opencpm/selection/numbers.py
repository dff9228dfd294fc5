"""Telephone numbers: E.164 form, number type, short codes.

The library's answers cost tens of microseconds, so all of them are remembered, and nothing here is asked for a
number on which the operator's table already decides.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

import phonenumbers

from opencpm.domain.address import Address

MOBILE: Final = "mobile"
FIXED: Final = "fixed"
UNKNOWN: Final = "unknown"

_E164 = re.compile(r"\+[1-9][0-9]{6,14}\Z")  # ITU-T E.164 §6.2.1: at most 15 digits
_SHORT = re.compile(r"[0-9*#]{2,8}\Z")
_EMERGENCY = frozenset({"112", "911", "999", "000"})
_TYPES: Final = {
    phonenumbers.PhoneNumberType.MOBILE: MOBILE,
    phonenumbers.PhoneNumberType.PAGER: MOBILE,
    phonenumbers.PhoneNumberType.FIXED_LINE: FIXED,
}


def is_e164(number: str) -> bool:
    """Whether this has the form of an international number; says nothing of its existence."""
    return _E164.match(number) is not None


def is_short_code(number: str) -> bool:
    """A service number that only means something inside one network: ``"66777"``."""
    return _SHORT.match(number) is not None and not number.startswith("0")


@lru_cache(maxsize=65536)
def canonical(number: str, home_region: str) -> str | None:
    """The number in E.164 form (``"+447700900123"``), or as it is for a short code.

    :param home_region: the ISO 3166 region in which national numbers are read; empty: they are not understood.
    :returns: None where no network could know who is meant.
    """
    if number.startswith("+"):
        return number if is_e164(number) else None
    if home_region and (national := _national(number, home_region)) and is_e164(national):
        return national
    return number if is_short_code(number) else None


def canonical_address(address: Address, home_region: str) -> Address:
    """The same person's address in canonical form; what is not a number, or cannot be read, is left alone."""
    if address.scheme != "tel" or address.value[:1] == "+":
        return address
    number = canonical(address.value, home_region)
    return address if number is None or number == address.value else Address("tel", number)


@lru_cache(maxsize=65536)
def is_possible(number: str) -> bool:
    """Whether the numbering plan has numbers of this country code and length."""
    try:
        return phonenumbers.is_possible_number(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        return False


@lru_cache(maxsize=65536)
def number_type(number: str) -> str:
    """``"mobile"``, ``"fixed"``, or ``"unknown"`` where the numbering plan does not tell them apart (as in +1)."""
    if not number.startswith("+"):
        return UNKNOWN
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return UNKNOWN
    return _TYPES.get(phonenumbers.number_type(parsed), UNKNOWN)


@lru_cache(maxsize=4096)
def is_emergency(number: str, home_region: str) -> bool:
    """Whether this number calls help; no message may pretend to have done so."""
    if number.startswith("+") or len(number) > 6:
        return False
    return number in _EMERGENCY or bool(home_region and phonenumbers.is_emergency_number(number, home_region))


def _national(number: str, region: str) -> str | None:
    try:
        parsed = phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(parsed) or is_short_code(number):
        return None
    text: str = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    return text if is_e164(text) else None
