"""The content rules of mail: nearly everything goes; what is too large is reduced. Pure."""

from __future__ import annotations

from opencpm.domain.errors import Reason, SendError
from opencpm.domain.media import Target
from opencpm.domain.message import Message, Part, text_part
from opencpm.domain.profile import WHOLE, Fit
from opencpm.interworking.mms.adapt import in_order
from opencpm.media import words
from opencpm.protocols import mime
from opencpm.protocols.mail.content import leaves

from .settings import Mm3Settings

_LARGEST_PICTURE = 8192


def target_of(settings: Mm3Settings) -> Target:
    """Everything as it is, as long as it is not too large."""
    return Target(
        max_bytes=settings.max_size,
        accepts=("*/*",),
        image_box=(_LARGEST_PICTURE, _LARGEST_PICTURE),
        audio_codecs=("aac", "amr"),
        video_codecs=("h264-baseline", "h263"),
        video_box=(1920, 1080),
        video_fps=30,
        video_rate=4_000_000,
    )


def fit(message: Message, settings: Mm3Settings) -> Fit:
    """How a message would go: nothing is lost below the limit."""
    limit = settings.max_size
    if message.size <= limit:
        return WHOLE
    if all(part.media_type == "text/plain" for part in message.parts):
        error = SendError(Reason.TOO_LARGE, detail=f"mail takes texts of at most {words.size(limit)} here")
        return Fit(error=error)
    return Fit(losses=(f"media are reduced to {words.size(limit)} in all, or left out",))


def received(content: mime.Part, subject: str = "") -> tuple[Part, ...]:
    """What a mail says, as neutral parts; of one that is empty, its subject. Raises SendError (MALFORMED)."""
    try:
        flat = leaves(content)
    except mime.MimeError as error:
        raise SendError(Reason.MALFORMED, detail=f"the mail cannot be read: {error}") from None
    if subject.strip() and not any(part.body.strip() for part in flat):
        return (text_part(subject),)
    return tuple(_trimmed(part) for part in in_order(flat, None))


def _trimmed(part: Part) -> Part:
    """Lines at the end of a text are the mail's, not the writer's."""
    text = part.media_type == "text/plain" and not part.name
    return part._replace(body=part.body.rstrip(b"\r\n")) if text else part
