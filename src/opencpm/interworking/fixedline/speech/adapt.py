"""The content rules of reading out: what text is read, in which language, at what hour. Pure."""

from __future__ import annotations

import unicodedata
from collections import Counter
from datetime import datetime, timedelta

from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import Message
from opencpm.domain.profile import WHOLE, Fit

from .settings import SpeechSettings

_VOICES = {
    "CYRILLIC": "ru",
    "GREEK": "el",
    "ARABIC": "ar",
    "HEBREW": "he",
    "DEVANAGARI": "hi",
    "HANGUL": "ko",
    "HIRAGANA": "ja",
    "KATAKANA": "ja",
    "CJK": "cmn",
    "GEORGIAN": "ka",
    "ARMENIAN": "hy",
}
"""The voice of a script that mostly one language is written in."""
_PLAIN = "LATIN"


def text_of(message: Message, settings: SpeechSettings) -> str:
    """The text to be read. Raises SendError for what is no text, and for what is too long to listen to."""
    for part in message.parts:
        if part.media_type != "text/plain":
            raise SendError(Reason.UNSUPPORTED_MEDIA, detail=f"{part.media_type or 'this content'} cannot be read out")
    text = f"{message.subject}: {message.text}" if message.subject else message.text
    if not any(c.isalnum() for c in text):
        raise SendError(Reason.MALFORMED, detail="there is nothing to read out")
    if len(text) > settings.max_characters:
        raise SendError(Reason.TOO_LARGE, detail="the text is too long to be read out")
    return "".join(c if c.isprintable() or c.isspace() else " " for c in text)


def fit(message: Message, settings: SpeechSettings) -> Fit:
    try:
        text_of(message, settings)
    except SendError as error:
        return Fit(segments=0, error=error)
    return WHOLE


def voice_for(text: str, number: str, settings: SpeechSettings) -> str:
    """By the script of the text, else by the number that is called, else the operator's."""
    scripts = Counter(unicodedata.name(c, "").partition(" ")[0] for c in text if c.isalpha())
    script = scripts.most_common(1)[0][0] if scripts else _PLAIN
    if script in _VOICES:
        return _VOICES[script]
    known = [prefix for prefix in settings.languages if number.startswith(prefix)]
    return settings.languages[max(known, key=len)] if known else settings.language


def until_open(now: datetime, settings: SpeechSettings) -> float:
    """Seconds until lines may be called; 0: now. ``now`` has the zone of the settings."""
    opens, closes = settings.from_hour, settings.to_hour
    if opens <= now.hour < closes:
        return 0.0
    day = now if now.hour < opens else now + timedelta(days=1)
    return (day.replace(hour=opens, minute=0, second=0, microsecond=0) - now).total_seconds()


def said_number(number: str) -> str:
    """A number as it is said: digit by digit."""
    return " ".join(c for c in number if c.isdigit())
