"""The content rules of fixed lines: a message as segments, what is lost, or why it cannot go. Pure.

Word of an MMS for a line's terminal goes as data, like in the mobile network, where the settings say that terminals
take it; what no public text says of it is in docs/standards/fixed-mms.md.
"""

from __future__ import annotations

from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import Message
from opencpm.domain.profile import Fit
from opencpm.protocols.gsm import content
from opencpm.protocols.gsm.content import NoText, Terms, TooLong
from opencpm.protocols.gsm.segmentation import Coding, Segment, Segmentation
from opencpm.protocols.mm1 import push
from opencpm.protocols.mm1.errors import Mm1Error
from opencpm.protocols.mm1.pdu import MEDIA_TYPE

from .settings import FixedLineSettings

_ONE_SEGMENT = Fit()


def terms_of(settings: FixedLineSettings) -> Terms:
    """The part of the settings that content rules read."""
    return Terms(settings.max_segments, 8, (), settings.transliteration)


def is_push(message: Message) -> bool:
    """Whether this is word of an MMS for a terminal."""
    return len(message.parts) == 1 and message.parts[0].media_type == MEDIA_TYPE


def push_segments(message: Message, settings: FixedLineSettings, reference: int = 0) -> tuple[Segment, ...]:
    """The segments of a notification: a WAP push as 8-bit data to its port. Raises SendError."""
    if not settings.notifications:
        raise SendError(Reason.UNSUPPORTED_MEDIA, detail="telephone lines here take no word of MMS")
    try:
        segments = push.segments_of(message.parts[0].body, reference)
    except Mm1Error as error:
        raise SendError(Reason.MALFORMED, detail=f"no MMS notification: {error}") from None
    if len(segments) > settings.max_segments:
        raise SendError(Reason.TOO_LARGE, detail=f"the notification needs more than {settings.max_segments} segments")
    return segments


def text_of(message: Message, terms: Terms) -> str:
    """The text that goes. Raises SendError for what is no text."""
    for part in message.parts:
        if part.media_type != "text/plain":
            detail = f"a telephone line carries text only, not {part.media_type or 'this content'}"
            raise SendError(Reason.UNSUPPORTED_MEDIA, detail=detail)
    try:
        return content.prepared(message.text, message.subject, terms)
    except NoText as error:
        raise SendError(Reason.MALFORMED, detail=str(error)) from None
    except TooLong as error:
        raise SendError(Reason.TOO_LARGE, detail=str(error)) from None


def cut(message: Message, settings: FixedLineSettings, reference: int = 0, limit: int = 0) -> Segmentation:
    """The segments of a message; ``limit`` (0: none) is the sender's own and the lower limit counts.

    Raises SendError.
    """
    terms = terms_of(settings)
    try:
        cut = content.segments_of(text_of(message, terms), terms, reference, limit)
    except TooLong as error:
        raise SendError(Reason.TOO_LARGE, detail=str(error)) from None
    if cut.coding is Coding.UCS2 and not settings.unicode:
        raise SendError(
            Reason.UNSUPPORTED_MEDIA, detail="telephone lines here know only the letters of the GSM alphabet"
        )
    return cut


def fit(message: Message, settings: FixedLineSettings) -> Fit:
    """How a message would go: the same rules, nothing sent."""
    terms = terms_of(settings)
    try:
        if is_push(message):
            return Fit(len(push_segments(message, settings)))
        count = len(cut(message, settings).segments)
        losses = content.losses(message.text, message.subject, text_of(message, terms), terms)
    except SendError as error:
        return Fit(segments=0, error=error)
    return _ONE_SEGMENT if count == 1 and not losses else Fit(count, losses)
