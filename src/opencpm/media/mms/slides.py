"""Long texts in pieces that a slide can show. Pure."""

from __future__ import annotations

from typing import Final

import regex

SLIDE: Final = 1000
"""Characters of a text that one slide shows."""
_BREAKS: Final = ("\n\n", "\n", ". ", " ")
_GRAPHEME: Final = regex.compile(r"\X")


def slides_of(text: str, most: int = SLIDE) -> tuple[str, ...]:
    """The text in pieces of at most ``most`` characters; joined they are the text again.

    Cut behind a paragraph, line, sentence or word in the last third of a piece, else between graphemes.
    """
    pieces: list[str] = []
    start = 0
    while len(text) - start > most:
        end = start + _cut(text[start : start + most])
        pieces.append(text[start:end])
        start = end
    return (*pieces, text[start:])


def _cut(piece: str) -> int:
    least = len(piece) * 2 // 3
    for mark in _BREAKS:
        at = piece.rfind(mark, least)
        if at >= 0:
            return at + len(mark)
    last = 0
    for match in _GRAPHEME.finditer(piece, least):
        last = match.start()
    return last if last > least else len(piece)
