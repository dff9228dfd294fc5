"""The content of one delivery, adapted to the phone it goes to: the only step that may take time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from opencpm.domain.errors import Reason, SendError
from opencpm.domain.media import Target
from opencpm.domain.message import Part
from opencpm.interfaces import MediaAdapter
from opencpm.media import words

from .plain import plain


class Ready(NamedTuple):
    """Parts that fit, and what was lost on the way."""

    parts: tuple[Part, ...]
    losses: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        return sum(len(part.body) for part in self.parts)


async def adapted(parts: Sequence[Part], target: Target, media: MediaAdapter) -> Ready:
    """Everything but plain text goes through the workers, also what fits: place and camera are cut out of it there.

    Raises SendError.
    """
    parts = plain(parts)
    if all(part.media_type == "text/plain" for part in parts):
        size = sum(len(part.body) for part in parts)
        if size > target.budget:
            detail = f"the text is longer than the {words.size(target.budget)} that MMS takes"
            raise SendError(Reason.TOO_LARGE, detail=detail)
        return Ready(tuple(parts))
    made = await media.adapt(parts, target)
    return Ready(made.parts, made.losses)
