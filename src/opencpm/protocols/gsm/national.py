"""National language tables of 3GPP TS 23.038 annex A, by the language code of the user data header (IE
24h, 25h).

Turkish, Spanish and Portuguese are the default tables with the codes that differ; those of South Asia (4 to 13) stand
whole in :mod:`south_asian`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from . import south_asian
from .alphabet import DEFAULT, DEFAULT_EXTENSION, DEFAULT_TABLE, ESCAPE, Alphabet

TURKISH, SPANISH, PORTUGUESE = 1, 2, 3


def _codes(pairs: str) -> dict[int, str]:
    return {int(pair[:2], 16): pair[2:] for pair in pairs.split()}


_LOCKING: Mapping[int, Mapping[int, str]] = {
    TURKISH: _codes("04€ 07ı 0BĞ 0Cğ 1CŞ 1Dş 40İ 60ç"),
    PORTUGUESE: _codes(
        "04ê 06ú 07í 08ó 09ç 0BÔ 0Cô 0EÁ 0Fá 12ª 13Ç 14À 15∞ 16^ 17\\ 18€ 19Ó 1A| 1CÂ 1Dâ 1EÊ 24º 40Í "
        "5BÃ 5CÕ 5DÚ 60~ 7Bã 7Cõ 7D`"
    ),
}
_SINGLE: Mapping[int, Mapping[int, str]] = {
    TURKISH: _codes("47Ğ 49İ 53Ş 63ç 67ğ 69ı 73ş"),
    SPANISH: _codes("09ç 41Á 49Í 4FÓ 55Ú 61á 69í 6Fó 75ú"),
    PORTUGUESE: _codes(
        "05ê 09ç 0BÔ 0Cô 0EÁ 0Fá 12Φ 13Γ 15Ω 16Π 17Ψ 18Σ 19Θ 1FÊ 41À 49Í 4FÓ 55Ú 5BÃ 5CÕ 61Â 69í 6Fó 75ú 7Bã 7Cõ 7Fâ"
    ),
}


_UNDEFINED = "\ufffd"


def has_locking(language: int) -> bool:
    """Whether the language has a locking shift table (Spanish has none)."""
    return language in _LOCKING or language in south_asian.LOCKING


def has_single(language: int) -> bool:
    """Whether the language has a single shift table."""
    return language in _SINGLE or language in south_asian.SINGLE


@cache
def alphabet(single_shift: int = 0, locking_shift: int = 0) -> Alphabet:
    """The alphabet of two language codes; 0 and codes without a table mean the default table (§6.2.1.2)."""
    if not has_single(single_shift) and not has_locking(locking_shift):
        return DEFAULT
    return Alphabet(_locking(locking_shift), _single(single_shift))


def _locking(language: int) -> str:
    whole = south_asian.LOCKING.get(language)
    if whole is not None:
        return "".join(chr(ESCAPE) if code == ESCAPE else whole.get(code, _UNDEFINED) for code in range(128))
    changes = _LOCKING.get(language, {})
    return "".join(changes.get(code, c) for code, c in enumerate(DEFAULT_TABLE))


def _single(language: int) -> Mapping[int, str]:
    return south_asian.SINGLE.get(language) or {**DEFAULT_EXTENSION, **_SINGLE.get(language, {})}
