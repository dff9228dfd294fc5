"""The content rules of SMS: a message as segments, what is lost, or why it cannot go. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import Message
from opencpm.domain.profile import Fit
from opencpm.domain.subscriber import Simplify, Subscriber
from opencpm.protocols.gsm import content
from opencpm.protocols.gsm.content import NoText, NotInAlphabet, Terms, TooLong
from opencpm.protocols.gsm.segmentation import Segment, Segmentation
from opencpm.protocols.mm1 import push
from opencpm.protocols.mm1.errors import Mm1Error
from opencpm.protocols.mm1.pdu import MEDIA_TYPE

from .settings import SmsSettings

_ONE_SEGMENT = Fit()
_TEXT = "text/plain;charset=UTF-8"  # as nearly everybody writes it
_CHARSETS: Mapping[str, Literal["", "latin-1", "ascii"]] = {
    "gsm7": "",
    "gsm7-packed": "",
    "latin1": "latin-1",
    "ascii": "ascii",
}


def terms_of(settings: SmsSettings) -> Terms:
    """The part of the settings that content rules read."""
    charset = _CHARSETS[settings.links[0].default_alphabet]
    return Terms(
        settings.max_segments,
        settings.reference_bits,
        settings.languages,
        settings.transliteration,
        gsm7=settings.alphabets != "ucs2",
        ucs2=settings.alphabets != "gsm7",
        charset=charset,
    )


def terms_for(terms: Terms, sender: Subscriber | None) -> Terms:
    """The terms for what a subscriber sends: what may be simplified is theirs to say."""
    how = Simplify.NETWORK if sender is None else sender.preferences.simplify
    return terms if how is Simplify.NETWORK else content.simplifying(terms, how.value)


def is_push(message: Message) -> bool:
    """Whether this is word of an MMS for a phone, which SMS carries as data to a port and shows to nobody."""
    return len(message.parts) == 1 and message.parts[0].media_type == MEDIA_TYPE


def push_segments(message: Message, terms: Terms, reference: int = 0) -> tuple[Segment, ...]:
    """The segments of a push: 8-bit data (TS 23.040 §9.2.3.24.4). Raises SendError."""
    try:
        segments = push.segments_of(message.parts[0].body, reference)
    except Mm1Error as error:
        raise SendError(Reason.MALFORMED, detail=f"no MMS notification: {error}") from None
    if len(segments) > terms.max_segments:
        raise SendError(Reason.TOO_LARGE, detail=f"the notification needs more than {terms.max_segments} SMS")
    return segments


def text_of(message: Message, terms: Terms) -> str:
    """The text that goes. Raises SendError for what is no text."""
    for part in message.parts:
        if part.content_type != _TEXT and part.media_type != "text/plain":
            detail = f"SMS carries text only, not {part.media_type or 'this content'}"
            raise SendError(Reason.UNSUPPORTED_MEDIA, detail=detail)
    try:
        return content.prepared(message.text, message.subject, terms)
    except NoText as error:
        raise SendError(Reason.MALFORMED, detail=str(error)) from None
    except TooLong as error:
        raise SendError(Reason.TOO_LARGE, detail=str(error)) from None


def segments_of(message: Message, terms: Terms, reference: int = 0, limit: int = 0) -> Segmentation:
    """The segments of a message; ``limit`` (0: none) is the sender's own and the lower limit counts.

    Raises SendError.
    """
    return _cut(text_of(message, terms), terms, reference, limit)


def _cut(text: str, terms: Terms, reference: int = 0, limit: int = 0) -> Segmentation:
    try:
        return content.segments_of(text, terms, reference, limit)
    except TooLong as error:
        raise SendError(Reason.TOO_LARGE, detail=str(error)) from None
    except NotInAlphabet as error:
        raise SendError(Reason.UNSUPPORTED_MEDIA, detail=str(error)) from None


def fit(message: Message, terms: Terms) -> Fit:
    """How a message would go: the same rules, nothing sent."""
    try:
        if is_push(message):
            return Fit(len(push_segments(message, terms)))
        text = text_of(message, terms)
        count = len(_cut(text, terms).segments)
        losses = content.losses(message.text, message.subject, text, terms)
    except SendError as error:
        return Fit(segments=0, error=error)
    return _ONE_SEGMENT if count == 1 and not losses else Fit(count, losses)
