"""A picture on its way into a message."""

from __future__ import annotations

from functools import cached_property
from typing import Final

from PIL import Image

from opencpm.domain.errors import Reason
from opencpm.domain.media import Target
from opencpm.domain.message import Part
from opencpm.media import words
from opencpm.media.formats import stripped
from opencpm.media.values import Inspection, Limits, MediaError
from opencpm.media.worker import coding, picture
from opencpm.media.worker.coding import Coded
from opencpm.media.worker.rendition import AsIs, Item, Rendition

_PREFERRED: Final = ("image/jpeg", "image/png", "image/gif", "image/webp")


def prepare(part: Part, seen: Inspection, target: Target, limits: Limits) -> Item:
    """What the receiver takes is kept to the last pixel; anything else is decoded, once. Raises MediaError."""
    if not target.image_box[0]:
        raise MediaError("cannot be shown by the receiver")
    picture.check_pixels(seen.width, seen.height, limits)
    if seen.frames > limits.frames:
        raise MediaError(f"has too many frames ({seen.frames})", Reason.TOO_LARGE)
    kept = _kept(part, seen, target)
    shrinkable = Shrinkable(part, seen, target, limits)
    return KeptOr(kept, shrinkable) if kept else shrinkable


def _kept(part: Part, seen: Inspection, target: Target) -> AsIs | None:
    if not (target.takes(seen.media_type) and seen.simple and seen.orientation == 1):
        return None
    if picture.fitting((seen.width, seen.height), target.image_box) != (seen.width, seen.height):
        return None
    body = stripped(seen.media_type, part.body)
    if body is None:
        return None
    name = words.renamed(part.name, seen.media_type)
    return AsIs(Rendition(part._replace(content_type=seen.media_type, body=body, name=name)))


class KeptOr:
    """As it is while it fits, else shrunk."""

    def __init__(self, kept: AsIs, shrinkable: Shrinkable) -> None:
        self._kept, self._shrinkable = kept, shrinkable
        self.wanted = kept.wanted

    def render(self, limit: int) -> Rendition:
        return self._kept.render(limit) if self.wanted <= limit else self._shrinkable.render(limit)


class Shrinkable:
    """A picture that is decoded and coded anew."""

    def __init__(self, part: Part, seen: Inspection, target: Target, limits: Limits) -> None:
        self._part, self._seen, self._target, self._limits = part, seen, target, limits
        self.media_type = next((known for known in _PREFERRED if target.takes(known)), "")
        if not self.media_type:
            raise MediaError("cannot be shown by the receiver")

    @property
    def wanted(self) -> int:
        return len(self._best.body)

    def render(self, limit: int) -> Rendition:
        best = self._best
        if len(best.body) > limit:
            best = coding.within(self._picture, self.media_type, limit, self._target)
        name = words.renamed(self._part.name, best.media_type)
        part = self._part._replace(content_type=best.media_type, body=best.body, name=name)
        return Rendition(part, self._loss(best))

    @cached_property
    def _picture(self) -> Image.Image:
        return picture.decode(self._part.body, self._seen, self._target.image_box, self._limits)

    @cached_property
    def _best(self) -> Coded:
        """PNG stays PNG where the receiver takes it and it fits; JPEG has no transparency."""
        if self._seen.alpha and self._picture.mode == "RGBA" and self._target.takes("image/png"):
            kept = coding.encode(self._picture, "image/png", 0)
            if len(kept.body) <= self._target.budget:
                return kept
        return coding.encode(self._picture, self.media_type, self._target.best_quality)

    def _loss(self, coded: Coded) -> str:
        seen, changes = self._seen, list[str]()
        before = words.upright(seen)
        if coded.size != before:
            changes.append(f"reduced to {words.pixels(*coded.size)}")
        if coded.media_type != seen.media_type:
            changes.append(f"made {_SHORT.get(coded.media_type, coded.media_type)}")
        if seen.frames > 1:
            changes.append("only its first frame")
        if self._picture.mode == "RGBA" and coded.media_type in ("image/jpeg", "image/gif"):
            changes.append("transparency made white")
        if not changes or (coded.quality < self._target.best_quality and coded.media_type == "image/jpeg"):
            changes.append("quality lowered")
        return f"{words.noun(seen)} {words.pixels(*before)} {', '.join(changes)}, {words.size(len(coded.body))}"


_SHORT: Final = {"image/jpeg": "JPEG", "image/png": "PNG", "image/gif": "GIF", "image/webp": "WebP"}
