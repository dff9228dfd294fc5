"""Texts as people read them: markup and colours of Yahoo's clients taken out, long ones cut between words."""

from __future__ import annotations

import re
from typing import Final

LONGEST: Final = 800  # characters of one message
LONGEST_OCTETS: Final = 1800
NUDGE: Final = "<ding>"

_TAGS: Final = re.compile(r"</?(?:font|fade|alt|b|i|u|s|snd)\b[^<>]{0,200}>", re.IGNORECASE)
_ESCAPES: Final = re.compile(r"\x1b\[(?:x?[0-9]{1,2}|x?l|#[0-9A-Fa-f]{6}|#)m")


def plain(text: str) -> str:
    """Without the tags and escape sequences that clients know; ``<3`` and other text stay as they are."""
    return _ESCAPES.sub("", _TAGS.sub("", text))


def is_nudge(text: str) -> bool:
    return text.strip().lower() == NUDGE


def pieces(text: str) -> list[str]:
    """Parts that a client takes as one message each, cut after a space where there is one."""
    found: list[str] = []
    rest = text
    while rest:
        piece = _piece(rest)
        found.append(piece)
        rest = rest[len(piece) :]
    return found


def _piece(text: str) -> str:
    piece = text[:LONGEST]
    while len(piece.encode("utf-8", "replace")) > LONGEST_OCTETS:
        piece = piece[: max(1, len(piece) * 9 // 10)]
    if len(piece) == len(text):
        return piece
    space = piece.rfind(" ")
    return piece[: space + 1] if space > len(piece) // 2 else piece
