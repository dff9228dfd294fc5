"""Parts in, parts that fit out: the rules of adaptation, in one pass over one message."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from opencpm.domain.errors import Reason, SendError
from opencpm.domain.media import Adapted, Target
from opencpm.domain.message import Part, text_part
from opencpm.media import words
from opencpm.media.formats import inspect
from opencpm.media.formats.sniff import media_type
from opencpm.media.values import Inspection, Kind, Limits, MediaError
from opencpm.media.worker import image
from opencpm.media.worker.kept import kept_sound, kept_video
from opencpm.media.worker.rendition import AsIs, Item, Rendition

CONVERTS_SOUND_AND_VIDEO: Final = importlib.util.find_spec("av") is not None
_NEVER: Final = {
    "image/svg+xml": "may hold scripts and is not sent",
    "application/xml": "may refer to other files and is not sent",
    "application/octet-stream": "is of no kind that is known",
}
_T = TypeVar("_T")


@dataclass(slots=True)
class _Slot:
    """One part of the message on its way."""

    place: int
    part: Part
    seen: Inspection
    item: Item | None = None
    wanted: int = 0
    made: Rendition | None = None
    failure: MediaError | None = None


def adapt(parts: Sequence[Part], target: Target, limits: Limits) -> Adapted:
    """The message as the receiver can take it.

    Texts go first and whole. Media share the rest; the largest is shrunk first. What cannot go is named in the
    losses, and in the message by a line of text. Raises SendError: TOO_LARGE if not even the texts fit,
    UNSUPPORTED_MEDIA or TOO_LARGE if nothing is left to send.
    """
    _check(parts, limits)
    slots = [_slot(place, part) for place, part in enumerate(parts)]
    left = target.budget - sum(len(slot.made.part.body) for slot in slots if slot.made)
    if left < 0:
        raise SendError(Reason.TOO_LARGE, detail=f"the text is longer than {words.size(target.budget)}")
    for slot in slots:
        if slot.made is None and slot.failure is None:
            _prepare(slot, target, limits)
    left = _share(slots, left)
    return _result(slots, target, left)


def _check(parts: Sequence[Part], limits: Limits) -> None:
    if len(parts) > limits.parts:
        raise SendError(Reason.TOO_LARGE, detail=f"the message has more than {limits.parts} parts")
    if sum(len(part.body) for part in parts) > limits.input_bytes:
        raise SendError(Reason.TOO_LARGE, detail=f"the message is larger than {words.size(limits.input_bytes)}")


def _slot(place: int, part: Part) -> _Slot:
    try:
        slot = _Slot(place, part, inspect(part))
    except MediaError as error:
        found = media_type(part.body, part.media_type)
        main = found.partition("/")[0]
        kind = Kind(main) if main in ("image", "audio", "video") else Kind.OTHER
        seen = Inspection(media_type=found, kind=kind, size=len(part.body), frames=0)
        return _Slot(place, part, seen, failure=error)
    if slot.seen.kind is Kind.TEXT:
        slot.made = Rendition(text_part(part.text)._replace(name=part.name, disposition=part.disposition))
    return slot


def _prepare(slot: _Slot, target: Target, limits: Limits) -> None:
    def prepared() -> Item:
        slot.item = _item(slot.part, slot.seen, target, limits)
        slot.wanted = slot.item.wanted
        return slot.item

    _tried(slot, prepared)


def _item(part: Part, seen: Inspection, target: Target, limits: Limits) -> Item:
    if seen.media_type in _NEVER:
        raise MediaError(_NEVER[seen.media_type])
    if seen.media_type.startswith(("multipart/", "message/")):
        raise MediaError("is a message within the message")
    if seen.kind is Kind.IMAGE:
        return image.prepare(part, seen, target, limits)
    if seen.kind in (Kind.AUDIO, Kind.VIDEO):
        return _moving(part, seen, target, limits)
    if not target.takes(seen.media_type):
        raise MediaError("is of a kind that the receiver does not take")
    return AsIs(Rendition(part))


def _moving(part: Part, seen: Inspection, target: Target, limits: Limits) -> Item:
    """FFmpeg is large and optional: it is imported where there is something for it to do."""
    keep = kept_sound if seen.kind is Kind.AUDIO else kept_video
    return KeptOr(keep(part, seen, target), lambda: _converted(part, seen, target, limits))


def _converted(part: Part, seen: Inspection, target: Target, limits: Limits) -> Item:
    if not CONVERTS_SOUND_AND_VIDEO:
        raise MediaError(f"does not fit the receiver, and this server converts no {words.noun(seen)}")
    from opencpm.media.worker import sound, video

    if seen.kind is Kind.AUDIO:
        return sound.prepare(part, seen, target, limits)
    return video.prepare(part, seen, target, limits)


class KeptOr:
    """As it is while it fits, else converted."""

    def __init__(self, kept: AsIs | None, convert: Callable[[], Item]) -> None:
        self._kept, self._convert = kept, convert
        self._converted = None if kept else convert()

    @property
    def wanted(self) -> int:
        return self._kept.wanted if self._kept else self._or_converted().wanted

    def render(self, limit: int) -> Rendition:
        if self._kept and self._kept.wanted <= limit:
            return self._kept.render(limit)
        return self._or_converted().render(limit)

    def _or_converted(self) -> Item:
        self._converted = self._converted or self._convert()
        return self._converted


def _share(slots: Sequence[_Slot], left: int) -> int:
    """Smallest wish first: each gets its share of what is left, so the largest is shrunk most. Then once more for
    those that got too little while others took less, or dropped out."""
    waiting = sorted((slot for slot in slots if slot.item and not slot.failure), key=lambda slot: slot.wanted)
    for place, slot in enumerate(waiting):
        left -= _render(slot, left // (len(waiting) - place))
    for slot in waiting:
        if slot.failure and slot.failure.reason is Reason.TOO_LARGE:
            left -= _render(slot, left)
    return left


def _render(slot: _Slot, limit: int) -> int:
    """Bytes taken."""
    item = slot.item
    assert item is not None
    slot.made = _tried(slot, lambda: item.render(limit))
    return len(slot.made.part.body) if slot.made else 0


def _tried(slot: _Slot, work: Callable[[], _T]) -> _T | None:
    slot.failure = None
    try:
        return work()
    except MediaError as error:
        slot.failure = error
    except MemoryError:
        slot.failure = MediaError("needs too much memory", Reason.TOO_LARGE)
    return None


def _result(slots: Sequence[_Slot], target: Target, left: int) -> Adapted:
    failed = [slot for slot in slots if slot.failure]
    if failed and not any(slot.made and slot.made.part.body.strip() for slot in slots):
        _nothing_left(failed, target)
    parts, origins = list[Part](), list[int]()
    for slot in slots:
        part = slot.made.part if slot.made else _stand_in(slot, target)
        if part is None or (slot.made is None and (left := left - len(part.body)) < 0):
            continue
        parts.append(part)
        origins.append(slot.place)
    return Adapted(
        parts=tuple(parts),
        origins=tuple(origins),
        losses=tuple(loss for loss in map(_loss, slots) if loss),
        incomplete=tuple(slot.place for slot in slots if slot.made is None or not slot.made.whole),
    )


def _nothing_left(failed: Sequence[_Slot], target: Target) -> None:
    """Raises, unless something was only too large and a line of text may stand for it."""
    large = [slot for slot in failed if slot.failure and slot.failure.reason is Reason.TOO_LARGE]
    if large and target.stand_in:
        return
    slot = (large or failed)[0]
    assert slot.failure is not None
    raise slot.failure.as_send_error(words.described(slot.seen))


def _stand_in(slot: _Slot, target: Target) -> Part | None:
    if slot.failure is None or not target.stand_in or slot.seen.media_type == "application/smil":
        return None
    return text_part(f"[{words.described(slot.seen)}: not sent, it {slot.failure.detail}]")


def _loss(slot: _Slot) -> str:
    if slot.failure:
        return f"{words.described(slot.seen)} left out: it {slot.failure.detail}"
    return slot.made.loss if slot.made else ""
