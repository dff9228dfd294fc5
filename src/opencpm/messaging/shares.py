"""Links to what a message holds, for receivers whose network cannot carry it, and for devices that fetch files.

The token of a link is derived from the server's secret and the delivery's id: nobody can guess it (128 bits), and an
attempt that is repeated names the same link.
"""

from __future__ import annotations

import hmac
import json
from base64 import urlsafe_b64encode
from collections.abc import Callable
from hashlib import sha256
from typing import Final

from opencpm.domain.message import Message
from opencpm.interfaces import Clock, Share, Store

ROOM: Final = "shares"
PATH: Final = "/c/"
_TOKEN_BYTES: Final = 16
TOKEN_LENGTH: Final = 22
_PURPOSE: Final = b"opencpm share "


class Shares:
    """The half of :class:`opencpm.interfaces.Files` that shows. ``base``: where the web access is reached, once it
    listens ("https://cpm.example.com")."""

    def __init__(self, store: Store, clock: Clock, secret: str, base: Callable[[], str]) -> None:
        self._store, self._clock, self._base = store, clock, base
        self._key = sha256(_PURPOSE + secret.encode()).digest()

    def share(self, delivery_id: str, until: float) -> Share:
        """See :meth:`opencpm.interfaces.Files.share`."""
        self._store.put_state(*self.row(delivery_id, until))
        return Share(self.page(delivery_id), until)

    def page(self, delivery_id: str) -> str:
        """The address of the page that shows the message of a delivery."""
        return self._base() + PATH + self._token(delivery_id)

    def specimen(self) -> str:
        """An address as long as all of them, that leads nowhere."""
        return self._base() + PATH + "x" * TOKEN_LENGTH

    def row(self, delivery_id: str, until: float) -> tuple[str, str, bytes]:
        """(room, key, value) of the state that makes an address work, for a unit of work."""
        value = json.dumps({"delivery": delivery_id, "until": until}, separators=(",", ":"))
        return ROOM, self._token(delivery_id), value.encode()

    def opened(self, token: str) -> tuple[Message, float] | None:
        """The message behind a token and until when it may be shown; None: no such link, or it has expired."""
        kept = self._store.get_state(ROOM, token) if len(token) == TOKEN_LENGTH else None
        if kept is None:
            return None
        value = json.loads(kept)
        if value["until"] <= self._clock.now():
            return None
        record = self._store.delivery(value["delivery"])
        return (record.message, value["until"]) if record is not None else None

    def _token(self, delivery_id: str) -> str:
        digest = hmac.digest(self._key, delivery_id.encode(), "sha256")[:_TOKEN_BYTES]
        return urlsafe_b64encode(digest).rstrip(b"=").decode()
