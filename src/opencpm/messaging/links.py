"""The form of a message for networks that cannot carry it: a text with a private, expiring link that shows the rest."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from opencpm.domain.message import Message, text_part
from opencpm.domain.profile import Fit
from opencpm.interfaces import Connector, DeliveryRecord
from opencpm.messaging.shares import Shares

SHORT_TEXT: Final = 80
"""Characters of a text that is itself too long, before the link: with the link they are one or two segments."""

_WORDS: Final = {"image": "Picture", "audio": "Sound", "video": "Video"}


class Links:
    """Texts with links, made from messages and the ways to them."""

    def __init__(self, shares: Shares) -> None:
        self._shares = shares

    def fit(self, message: Message, connector: Connector) -> Fit:
        """How the text with the link would go; the link is not made yet, but its length is known."""
        return connector.fit(with_link(message, self._shares.specimen()))

    def message(self, record: DeliveryRecord) -> Message:
        """What the connector is given. The same for every attempt of a delivery."""
        return with_link(record.message, self._shares.page(record.id))

    def row(self, record: DeliveryRecord, lifetime: float) -> tuple[str, str, bytes]:
        """What makes the link work; to be stored with the decision to send it.
        ``lifetime``: seconds from when the message came."""
        return self._shares.row(record.id, record.message.received_at + lifetime)


def with_link(message: Message, page: str) -> Message:
    """The text of a message with the address of the page that shows all of it."""
    text = message.text.strip()
    if not text:
        said = _noun(message)
    elif len(message.parts) == 1:
        said = text[:SHORT_TEXT].rstrip() + "…"  # nothing but text, and too long for the network
    else:
        said = text
    return replace(message, parts=(text_part(f"{said}\n{page}" if text else f"{said}: {page}"),))


def _noun(message: Message) -> str:
    kinds = {part.media_type.partition("/")[0] for part in message.parts} - {"text", "application"}
    return _WORDS.get(kinds.pop(), "Message") if len(kinds) == 1 else "Message"
