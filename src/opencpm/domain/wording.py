"""Words by which people who only have texts take part in sessions: "YES", "stop.", " Ok! "."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

_LONGEST = 20  # characters; anything longer is a message


def says(text: str, words: tuple[str, ...]) -> bool:
    """Whether a text is one of these words and nothing else; case, punctuation and space do not count."""
    return len(text) <= _LONGEST and _bare(text) in _known(words)


@lru_cache(maxsize=64)
def _known(words: tuple[str, ...]) -> frozenset[str]:
    return frozenset(map(_bare, words))


def _bare(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(c for c in folded if unicodedata.category(c)[0] in "LNM")
