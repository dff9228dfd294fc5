"""The content rules of SMS over UCP: a message as segments, what is lost, or why it cannot go. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import Message
from opencpm.domain.profile import Fit
from opencpm.domain.subscriber import Simplify, Subscriber
from opencpm.protocols.gsm import content
from opencpm.protocols.gsm.content import NoText, NotInAlphabet, Terms, TooLong
from opencpm.protocols.gsm.segmentation import Coding, Segment, Segmentation
from opencpm.protocols.mm1 import push
from opencpm.protocols.mm1.errors import Mm1Error
from opencpm.protocols.mm1.pdu import MEDIA_TYPE
from opencpm.protocols.ucp.content import is_ira

from .settings import UcpSettings


@dataclass(frozen=True, slots=True)
class UcpTerms:
    """``ira``: the centre reads codes of a text as ASCII, so that only what both alphabets share may go as text."""

    sms: Terms
    ira: bool = False

    @classmethod
    def of(cls, settings: UcpSettings) -> UcpTerms:
        sms = Terms(
            settings.max_segments,
            settings.reference_bits,
            settings.languages,
            settings.transliteration,
            gsm7=settings.alphabets != "ucs2",
            ucs2=settings.alphabets != "gsm7",
        )
        return cls(sms, settings.amsg == "ira")


def terms_for(terms: UcpTerms, sender: Subscriber | None) -> UcpTerms:
    """The terms for what a subscriber sends: what may be simplified is theirs to say."""
    how = Simplify.NETWORK if sender is None else sender.preferences.simplify
    return terms if how is Simplify.NETWORK else replace(terms, sms=content.simplifying(terms.sms, how.value))


def is_push(message: Message) -> bool:
    """Whether this is word of an MMS for a phone, which SMS carries as data to a port and shows to nobody."""
    return len(message.parts) == 1 and message.parts[0].media_type == MEDIA_TYPE


def push_segments(message: Message, terms: UcpTerms, reference: int = 0) -> tuple[Segment, ...]:
    """The segments of a push: 8-bit data (TS 23.040 §9.2.3.24.4). Raises SendError."""
    try:
        segments = push.segments_of(message.parts[0].body, reference)
    except Mm1Error as error:
        raise SendError(Reason.MALFORMED, detail=f"no MMS notification: {error}") from None
    if len(segments) > terms.sms.max_segments:
        raise SendError(Reason.TOO_LARGE, detail=f"the notification needs more than {terms.sms.max_segments} SMS")
    return segments


def cut(message: Message, terms: UcpTerms, reference: int = 0, limit: int = 0) -> Segmentation:
    """The segments of a message; ``limit`` (0: none) is the sender's own and the lower limit counts.

    Raises SendError.
    """
    try:
        return _cut(_text(message, terms), terms, reference, limit)
    except NoText as error:
        raise SendError(Reason.MALFORMED, detail=str(error)) from None
    except TooLong as error:
        raise SendError(Reason.TOO_LARGE, detail=str(error)) from None
    except NotInAlphabet as error:
        raise SendError(Reason.UNSUPPORTED_MEDIA, detail=str(error)) from None


def fit(message: Message, terms: UcpTerms) -> Fit:
    """How a message would go: the same rules, nothing sent."""
    try:
        if is_push(message):
            return Fit(len(push_segments(message, terms)))
        count = len(cut(message, terms).segments)
    except SendError as error:
        return Fit(segments=0, error=error)
    return Fit(count, content.losses(message.text, message.subject, _text(message, terms), terms.sms))


def _text(message: Message, terms: UcpTerms) -> str:
    for part in message.parts:
        if part.media_type != "text/plain":
            detail = f"SMS carries text only, not {part.media_type or 'this content'}"
            raise SendError(Reason.UNSUPPORTED_MEDIA, detail=detail)
    return content.prepared(message.text, message.subject, terms.sms)


def _cut(text: str, terms: UcpTerms, reference: int, limit: int) -> Segmentation:
    segments = content.segments_of(text, terms.sms, reference, limit)
    if terms.ira and segments.coding is Coding.GSM7 and not all(is_ira(one.content) for one in segments.segments):
        return content.segments_of(text, replace(terms.sms, gsm7=False), reference, limit)
    return segments
