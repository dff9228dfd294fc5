"""How a message would go by MMS, told from headers of its media only: what is reduced, what stays behind. Pure."""

from __future__ import annotations

import importlib.util
from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

from opencpm.domain.errors import Reason, SendError
from opencpm.domain.media import Target
from opencpm.domain.message import Message, Part
from opencpm.domain.profile import WHOLE, Fit
from opencpm.media import Inspection, Kind, MediaError, inspect, words

from .plain import plain
from .targets import Targets

CONVERTS: Final = importlib.util.find_spec("av") is not None
"""Whether sound and video can be converted here (PyAV is the operator's to install)."""
_PICTURES: Final = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp", "image/bmp", "image/avif"})
_MOST_PIXELS: Final = 50_000_000
_REMEMBERED: Final = 2048
_NEVER: Final = ("application/vnd.wap.mms-message", "multipart/", "message/", "image/svg", "application/xml")


class Fits:
    """Fits by message, remembered: selection asks for every attempt, and a message does not change."""

    def __init__(self, targets: Targets) -> None:
        self._targets = targets
        self._known: OrderedDict[tuple[str, int, int], Fit] = OrderedDict()

    def of(self, message: Message) -> Fit:
        """How it would go to the most modest phone among its receivers."""
        parts = message.parts
        if len(parts) == 1 and parts[0].media_type == "text/plain" and len(parts[0].body) < 8192:
            return WHOLE
        key = (message.id, len(parts), message.size)  # in another form (a text with a link) it has the same id
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = fit(parts, self._targets.least(message.recipients))
            if len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return known


def fit(parts: Sequence[Part], target: Target, converts: bool = CONVERTS) -> Fit:
    """The losses by the rules of adaptation (``opencpm.media``), as far as they can be told without decoding."""
    parts = plain(parts)
    texts = sum(len(part.body) for part in parts if part.media_type == "text/plain")
    if texts > target.budget:
        detail = f"the text is longer than the {words.size(target.budget)} that MMS takes"
        return Fit(error=SendError(Reason.TOO_LARGE, detail=detail))
    room = target.budget - texts
    media = [part for part in parts if part.media_type not in ("text/plain", "application/smil")]
    verdicts = [_verdict(part, target, room, converts) for part in media]
    left_out = [loss for loss, goes in verdicts if not goes]
    if media and len(left_out) == len(media) and not texts:
        return Fit(error=SendError(Reason.UNSUPPORTED_MEDIA, detail=f"MMS cannot carry this: {left_out[0]}"))
    losses = tuple(loss for loss, _ in verdicts if loss)
    return Fit(losses=losses) if losses else WHOLE


def _verdict(part: Part, target: Target, room: int, converts: bool) -> tuple[str, bool]:
    """What is lost of a part, and whether something of it goes."""
    try:
        seen = inspect(part)
    except MediaError as error:
        return f"an attachment is left out: it {error.detail}", False
    what = words.described(seen)
    if seen.kind is Kind.IMAGE:
        return _picture(seen, what, target, room)
    if seen.kind in (Kind.AUDIO, Kind.VIDEO):
        return _moving(seen, what, target, room, converts)
    if seen.media_type.startswith(_NEVER) or not target.takes(seen.media_type):
        return f"{what} is left out: phones do not take it", False
    if seen.size > room:
        return f"{what} is left out: it is larger than {words.size(room)}", False
    return "", True


def _picture(seen: Inspection, what: str, target: Target, room: int) -> tuple[str, bool]:
    width, height = target.image_box
    if not width:
        return f"{what} is left out: phones take no pictures", False
    inside = max(seen.width, seen.height) <= max(width, height) and min(seen.width, seen.height) <= min(width, height)
    if inside and target.takes(seen.media_type) and seen.size <= room and seen.simple:
        return "", True
    if seen.media_type not in _PICTURES or seen.pixels > _MOST_PIXELS:
        return f"{what} is left out: it cannot be converted", False
    most = words.pixels(width, height)
    return f"{what} is reduced to at most {most} and {words.size(room)}", True


def _moving(seen: Inspection, what: str, target: Target, room: int, converts: bool) -> tuple[str, bool]:
    codecs = {*target.audio_codecs, *target.video_codecs}
    if target.takes(seen.media_type) and set(seen.codecs) <= codecs and seen.size <= room:
        return "", True
    if not converts or not (target.video_codecs if seen.kind is Kind.VIDEO else target.audio_codecs):
        return f"{what} is left out: phones do not take it, and it cannot be converted here", False
    return f"{what} is converted to at most {words.size(room)}", True
