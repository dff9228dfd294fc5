"""How a message is submitted, and what changes after an answer that asks for a change. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from opencpm.domain.media import Target
from opencpm.interworking.mms.targets import smaller
from opencpm.protocols.mm7 import Release
from opencpm.protocols.mm7.schema import other
from opencpm.protocols.mm7.status import Retry

MOST_TRIES: Final = 4
"""Submissions of one attempt: as it is, and once for each kind of change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """``number`` counts the submissions of one attempt; ``media``: there is something that could be made smaller; the
    other flags say what has been changed already."""

    release: Release
    linked: str
    target: Target
    media: bool = False
    number: int = 0
    reduced: bool = False
    released: bool = False

    def transaction(self, delivery_id: str) -> str:
        """TransactionID: the same whenever the same submission is made again."""
        return f"{delivery_id}-{self.number}" if self.number else delivery_id


def changed(terms: Terms, retry: Retry) -> Terms | None:
    """The terms of the next submission; None where nothing is left to change (3GPP TS 23.140 §8.7.8.2)."""
    following = replace(terms, number=terms.number + 1)
    if following.number >= MOST_TRIES:
        return None
    if retry is Retry.UNLINKED and terms.linked:
        return replace(following, linked="")
    if retry is Retry.OTHER_RELEASE and not terms.released:
        return replace(following, release=other(terms.release), released=True)
    if retry is Retry.ADAPT and terms.media and not terms.reduced:
        less = smaller(terms.target)
        return replace(following, target=less, reduced=True) if less is not None else None
    return None
