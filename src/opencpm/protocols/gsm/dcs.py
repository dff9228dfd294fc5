"""The data coding scheme octet: alphabet and message class (3GPP TS 23.038 §4)."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple


class Content(Enum):
    """What the octets of a message are."""

    GSM7 = "GSM 7-bit"
    DATA = "8-bit data"
    UCS2 = "UCS-2"
    COMPRESSED = "compressed text"  # TS 23.042, which nobody uses


UNREADABLE = "(a compressed message, which cannot be read here)"
"""Stands for the content of a compressed message."""


class Scheme(NamedTuple):
    """``message_class`` 0 (flash) to 3, None where the octet names none."""

    content: Content
    message_class: int | None = None


_ALPHABETS = (Content.GSM7, Content.DATA, Content.UCS2, Content.GSM7)


def scheme_of(octet: int) -> Scheme:
    """What a data coding scheme says; reserved groups mean the GSM 7-bit alphabet (§4)."""
    group = octet >> 4
    if group < 0x8:  # general data coding, and the same for automatic deletion
        if octet & 0x20:
            return Scheme(Content.COMPRESSED, octet & 3 if octet & 0x10 else None)
        return Scheme(_ALPHABETS[octet >> 2 & 3], octet & 3 if octet & 0x10 else None)
    if group == 0xE:  # message waiting, UCS-2
        return Scheme(Content.UCS2)
    if group == 0xF:
        return Scheme(Content.DATA if octet & 0x04 else Content.GSM7, octet & 3)
    return Scheme(Content.GSM7)
