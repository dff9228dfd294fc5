"""One part on its way into a message: how large it would like to be, and what it becomes within a limit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from opencpm.domain.errors import Reason
from opencpm.domain.message import Part
from opencpm.media.values import MediaError


@dataclass(frozen=True, slots=True)
class Rendition:
    """``whole`` is false where only a stand-in is left (the first picture of a video)."""

    part: Part
    loss: str = ""
    whole: bool = True


class Item(Protocol):
    @property
    def wanted(self) -> int:
        """Bytes at the best quality that the receiver takes."""

    def render(self, limit: int) -> Rendition:
        """The best within ``limit`` bytes. Raises MediaError (TOO_LARGE where less quality is not worth having)."""


@dataclass(frozen=True, slots=True)
class AsIs:
    """A part that needs no change but the removal of what is private."""

    rendition: Rendition

    @property
    def wanted(self) -> int:
        return len(self.rendition.part.body)

    def render(self, limit: int) -> Rendition:
        if self.wanted > limit:
            raise too_large()
        return self.rendition


def too_large() -> MediaError:
    return MediaError("is too large for the receiver", Reason.TOO_LARGE)
