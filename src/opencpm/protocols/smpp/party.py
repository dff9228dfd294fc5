"""Telephone numbers and names as SMPP writes them: TON, NPI and digits (SMPP 3.4 §5.2.5, §5.2.6)."""

from __future__ import annotations

from typing import NamedTuple

from .short_message import (
    NPI_ISDN,
    NPI_UNKNOWN,
    TON_ALPHANUMERIC,
    TON_INTERNATIONAL,
    TON_NATIONAL,
    TON_NETWORK,
)

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
