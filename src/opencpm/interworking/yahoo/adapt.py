"""Yahoo's content rules, pure: plain text in UTF-8, in pieces that a client takes as one message each."""

from __future__ import annotations

from opencpm.domain import presence as neutral
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import Message
from opencpm.domain.profile import WHOLE, Availability, Fit
from opencpm.protocols.ymsg import services
from opencpm.protocols.ymsg.presence import Presence
from opencpm.protocols.ymsg.text import pieces

BLANK = "\u200b"
"""Put before a text that would be taken for a buzz."""

_AWAY_FLAG = {0: Availability.AVAILABLE, 1: Availability.BUSY}
_FLAG = {Availability.AVAILABLE: 0, Availability.BUSY: 1}
_AVAILABILITY = {
    services.AVAILABLE: Availability.AVAILABLE,
    services.BUSY: Availability.BUSY,
    6: Availability.BUSY,  # on the phone
}
_SHOWN = {
    Availability.AVAILABLE: services.AVAILABLE,
    Availability.BUSY: services.BUSY,
    Availability.AWAY: services.BE_RIGHT_BACK,
    Availability.OFFLINE: services.INVISIBLE,
}


def fit(message: Message, max_bytes: int) -> Fit:
    """How a message would go through."""
    try:
        cut = split(text_of(message, max_bytes))
    except SendError as error:
        return Fit(error=error)
    losses = ("the subject is put before the text",) if message.subject else ()
    if len(cut) > 1:
        losses = (*losses, f"the text is cut into {len(cut)} messages")
    return Fit(len(cut), losses) if losses else WHOLE


def text_of(message: Message, max_bytes: int) -> str:
    """The text that goes out, the subject before it. Raises SendError for what Yahoo cannot carry."""
    for part in message.parts:
        if part.media_type != "text/plain":
            kind = part.media_type[:60] or "this"
            raise SendError(Reason.UNSUPPORTED_MEDIA, detail=f"Yahoo carries plain text only, not {kind}.")
    text = message.text.replace("\x00", "")
    if not text.strip():
        raise SendError(Reason.NOT_ACCEPTABLE, detail="There is no text in the message.")
    text = f"{message.subject}: {text}" if message.subject else text
    if len(text.encode("utf-8", "replace")) > max_bytes:
        raise SendError(Reason.TOO_LARGE, detail=f"A text on Yahoo may have {max_bytes} bytes at most.")
    return text.encode("utf-8", "replace").decode()


def split(text: str) -> list[str]:
    """The pieces, in order; joined they are the text. A text that means a buzz there is kept from being one."""
    return [BLANK + piece if piece.strip().lower() == "<ding>" else piece for piece in pieces(text)]


# ------------------------------------------------------------------------------------------------- presence


def availability(seen: Presence) -> Availability:
    """What a record of presence means."""
    if not seen.online:
        return Availability.OFFLINE
    if seen.state == services.CUSTOM:
        return _AWAY_FLAG.get(seen.away, Availability.AWAY)
    return _AVAILABILITY.get(seen.state, Availability.AWAY)


def presence(seen: Presence) -> neutral.Presence:
    """What people are shown."""
    return neutral.Presence(availability(seen), neutral.note_of(seen.note))


def shown(mine: neutral.Presence) -> tuple[int, str, int]:
    """How a subscriber appears: state, note, and the flag (key 47) that goes with a note."""
    state = _SHOWN.get(mine.availability, services.AVAILABLE)
    if state == services.INVISIBLE:
        return state, "", 0
    return state, neutral.note_of(mine.note), _FLAG.get(mine.availability, 2)
