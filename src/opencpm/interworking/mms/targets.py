"""Which content a phone takes: the class of its number, with what the settings say differently. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from opencpm.domain.address import Address
from opencpm.domain.media import Target
from opencpm.media import CLASSES, ContentClass, target

from .settings import MmsSettings

_SMALLER: Final = (
    ContentClass.MEGAPIXEL,
    ContentClass.IMAGE_RICH,
    ContentClass.IMAGE_BASIC,
    ContentClass.TEXT,
)
"""What is tried, in this order, after a centre refused content that should have fitted (MM7 2004, MM4, MM1)."""


class Targets:
    """The targets of one network, each made once."""

    def __init__(self, settings: MmsSettings) -> None:
        self._settings = settings
        self._known: dict[ContentClass, Target] = {}
        self._prefixes = sorted(settings.classes, key=len, reverse=True)

    def class_of(self, number: str) -> ContentClass:
        """The class of phones in the range of a number."""
        for prefix in self._prefixes:
            if number.startswith(prefix):
                return self._settings.classes[prefix]
        return self._settings.content_class

    def of(self, address: Address) -> Target:
        """What the phone behind an address takes."""
        return self.of_class(self.class_of(address.value))

    def least(self, addresses: Iterable[Address]) -> Target:
        """What the most modest of these phones takes; of none that has a number, what phones take in general."""
        found = {self.class_of(address.value) for address in addresses if address.scheme == "tel"}
        found = found or {self._settings.content_class}
        return min(map(self.of_class, found), key=lambda one: (one.max_bytes, one.image_box))

    def of_class(self, content_class: ContentClass) -> Target:
        """A class as this network carries it: with its own limits."""
        known = self._known.get(content_class)
        if known is None:
            known = self._known[content_class] = self._made(content_class)
        return known

    def _made(self, content_class: ContentClass) -> Target:
        settings, base = self._settings, CLASSES[content_class]
        own = content_class is settings.content_class
        limit = settings.max_size or base.max_bytes
        return target(
            content_class,
            max_bytes=limit if own else min(limit, base.max_bytes),
            max_image=settings.max_image if own else None,
            accepts=settings.accepts,
            audio_codecs=settings.audio_codecs if base.audio_codecs else (),
            video_codecs=settings.video_codecs if base.video_codecs else (),
        )


def smaller(refused: Target) -> Target | None:
    """The next more modest target, after the receiving side refused content made for this one; None: there is none."""
    for content_class in _SMALLER:
        base = CLASSES[content_class]
        if base.max_bytes < refused.max_bytes or base.image_box < refused.image_box:
            return replace(base, max_bytes=min(base.max_bytes, refused.max_bytes))
    return None
