"""The content rules of short messages: what text goes, in which segments, and what is lost."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import blake2b
from typing import Literal

from . import segmentation
from .segmentation import Coding, Segmentation, TooManySegments
from .text import Transliteration, normalise, without_controls

MAX_CHARACTERS = 255 * 153
SUBJECT_LOSS = "the subject is put before the text"
SIMPLIFIED = "typographic characters are simplified"


class NoText(ValueError):
    """There is nothing to send."""


class TooLong(ValueError):
    """The text does not fit; the text of the error says why, for its writer."""


class NotInAlphabet(ValueError):
    """A network that has no UCS-2 cannot carry the text; the text of the error says why, for its writer."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a network and its receivers take."""

    max_segments: int = 10
    reference_bits: Literal[8, 16] = 8
    languages: tuple[int, ...] = ()
    transliteration: Transliteration = "typographic"
    gsm7: bool = True  # False: only UCS-2
    ucs2: bool = True  # False: only what 7-bit alphabets hold
    charset: Literal["", "latin-1", "ascii"] = ""  # what stands for GSM 7-bit at a network that has it not


@lru_cache(maxsize=64)
def simplifying(terms: Terms, transliteration: Transliteration) -> Terms:
    """The same terms with what this sender lets become of their text."""
    return replace(terms, transliteration=transliteration)


def prepared(text: str, subject: str, terms: Terms) -> str:
    """The text that goes: subject first, normal form, no control characters; white space is kept.

    Raises NoText, TooLong.
    """
    if subject:
        text = f"{subject}: {text}"
    if not text:
        raise NoText("the message has no text to send")
    if len(text) > MAX_CHARACTERS:
        raise TooLong("the text is too long for SMS")
    return without_controls(normalise(text, terms.transliteration))


def segments_of(text: str, terms: Terms, reference: int = 0, limit: int = 0) -> Segmentation:
    """The segments of a prepared text; ``limit`` (0: none) is the sender's own and the lower limit counts.

    Raises TooLong, NotInAlphabet.
    """
    allowed = min(limit, terms.max_segments) if limit else terms.max_segments
    try:
        cut = segmentation.segment(
            text,
            reference,
            reference_bits=terms.reference_bits,
            languages=() if terms.charset else terms.languages,
            limit=allowed,
            gsm7=terms.gsm7 and (not terms.charset or _has(terms.charset, text)),
        )
    except TooManySegments:
        raise TooLong(f"the text needs more than {allowed} SMS; shorten it") from None
    if cut.coding is Coding.UCS2 and not terms.ucs2:
        raise NotInAlphabet("this SMS network carries plain letters only; write it without other scripts and emoji")
    return cut


def _has(charset: str, text: str) -> bool:
    try:
        text.encode(charset)
    except UnicodeEncodeError:
        return False
    return True


def losses(text: str, subject: str, ready: str, terms: Terms) -> tuple[str, ...]:
    """What of ``text`` the receiver will not see as it was written; ``ready`` is what :func:`prepared` made of it."""
    lost: tuple[str, ...] = (SUBJECT_LOSS,) if subject else ()
    if terms.transliteration != "off" and not text.isascii():
        whole = f"{subject}: {text}" if subject else text
        if without_controls(normalise(whole)) != ready:
            lost += (SIMPLIFIED,)
    return lost


def reference_of(name: str) -> int:
    """A concatenation reference (16 bits) derived from a name: the same for every attempt."""
    return int.from_bytes(blake2b(name.encode(), digest_size=2).digest(), "big")
