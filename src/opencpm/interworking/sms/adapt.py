"""The content rules of SMS: a message as segments, what is lost, or why it cannot go. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import Message
from opencpm.domain.profile import Fit
from opencpm.protocols.gsm import segmentation
from opencpm.protocols.gsm.segmentation import Segmentation, TooManySegments
from opencpm.protocols.gsm.text import Transliteration, normalise, without_controls

from .settings import SmsSettings

MAX_CHARACTERS = 255 * 153
_EMPTY = SendError(Reason.MALFORMED, detail="the message has no text to send")
_HUGE = SendError(Reason.TOO_LARGE, detail="the text is too long for SMS")
_SUBJECT_LOSS = ("the subject is put before the text",)
_SIMPLIFIED = ("typographic characters are simplified",)
_ONE_SEGMENT = Fit()


@dataclass(frozen=True, slots=True)
class Terms:
    """The part of the settings that content rules read."""

    max_segments: int = 10
    reference_bits: Literal[8, 16] = 8
    languages: tuple[int, ...] = ()
    transliteration: Transliteration = "typographic"

    @classmethod
    def of(cls, settings: SmsSettings) -> Terms:
        return cls(settings.max_segments, settings.reference_bits, settings.languages, settings.transliteration)


def text_of(message: Message, terms: Terms) -> str:
    """The text that goes: subject first, normal form, no control characters; white space is kept.

    Raises SendError for what is no text.
    """
    for part in message.parts:
        if part.media_type != "text/plain":
            detail = f"SMS carries text only, not {part.media_type or 'this content'}"
            raise SendError(Reason.UNSUPPORTED_MEDIA, detail=detail)
    text = message.text
    if message.subject:
        text = f"{message.subject}: {text}"
    if not text:
        raise _EMPTY
    if len(text) > MAX_CHARACTERS:
        raise _HUGE
    return without_controls(normalise(text, terms.transliteration))


def segments_of(message: Message, terms: Terms, reference: int = 0, limit: int = 0) -> Segmentation:
    """The segments of a message; ``limit`` (0: none) is the sender's own and the lower limit counts.

    Raises SendError.
    """
    text = text_of(message, terms)
    allowed = min(limit, terms.max_segments) if limit else terms.max_segments
    try:
        return segmentation.segment(
            text,
            reference,
            reference_bits=terms.reference_bits,
            languages=terms.languages,
            limit=allowed,
        )
    except TooManySegments:
        raise SendError(Reason.TOO_LARGE, detail=f"the text needs more than {allowed} SMS; shorten it") from None


def fit(message: Message, terms: Terms) -> Fit:
    """How a message would go: the same rules, nothing sent."""
    try:
        count = len(segments_of(message, terms).segments)
    except SendError as error:
        return Fit(segments=0, error=error)
    losses = _losses(message, terms)
    return _ONE_SEGMENT if count == 1 and not losses else Fit(count, losses)


def _losses(message: Message, terms: Terms) -> tuple[str, ...]:
    losses: tuple[str, ...] = _SUBJECT_LOSS if message.subject else ()
    text = message.text
    if terms.transliteration != "off" and not text.isascii() and normalise(text) != text_of(message, terms):
        losses += _SIMPLIFIED
    return losses
