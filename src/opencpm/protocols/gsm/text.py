"""Text made ready for a short message: normal form, line ends, optional transliteration."""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

from .alphabet import DEFAULT

Transliteration = Literal["off", "typographic", "latin"]

_URL = re.compile(r"(\b(?:https?://|www\.)\S+)", re.IGNORECASE)
_TYPOGRAPHIC = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u201a\u201b\u2032", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u201f\u2033", '"'),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"),
        **dict.fromkeys("\u00a0\u2007\u2009\u200a\u202f\t", " "),
        **dict.fromkeys("\u200b\ufeff\u00ad\ufe0e", None),
        "\u2026": "...",
    }
)
_UNWANTED = re.compile("[\x00-\x09\x0b\x0d-\x1f\x7f]")


def normalise(text: str, transliteration: Transliteration = "off") -> str:
    """NFC with LF line ends, then the transliteration asked for (never inside a URL).

    ``typographic`` makes curly quotes, dashes, special spaces and the ellipsis plain; ``latin`` also drops
    diacritics that the GSM alphabet lacks.
    """
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if transliteration == "off" or (text.isascii() and "\t" not in text):
        return text
    pieces = _URL.split(text)
    pieces[::2] = [_transliterate(piece, transliteration) for piece in pieces[::2]]
    return "".join(pieces)


def _transliterate(text: str, transliteration: Transliteration) -> str:
    text = text.translate(_TYPOGRAPHIC)
    if transliteration != "latin" or text.isascii():
        return text
    return "".join(map(_plain_letter, text))


def _plain_letter(character: str) -> str:
    if character.isascii() or DEFAULT.encode(character) is not None:
        return character
    base = unicodedata.normalize("NFD", character)[0]
    return base if DEFAULT.encode(base) is not None else character


def without_controls(text: str) -> str:
    """The text without control characters; LF and form feed stay."""
    return text if text.isprintable() else _UNWANTED.sub("", text)
