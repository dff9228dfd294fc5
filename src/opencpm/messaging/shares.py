"""Links to what a message holds, for receivers whose network cannot carry it, and for devices that fetch files.

The token of a link is derived from the server's secret and the delivery's id: nobody can guess it (128 bits), and an
attempt that is repeated names the same link. What it opens is a row of the store, put there before the outcome of the
attempt: units of work are applied in order, so whoever finds the outcome after a crash finds the link, and where there
is no outcome the attempt, and with it the link, is made again. Until the row is committed it is in memory.
"""

from __future__ import annotations

import hmac
import json
import logging
from base64 import b64decode, b64encode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Final

from opencpm.domain.message import Message, Part
from opencpm.interfaces import Changes, Clock, Committed, DeliveryRecord, Fetch, Share, Store, Uploads

log = logging.getLogger("opencpm.messaging")

ROOM: Final = "shares"
PREVIEWS: Final = "shares.previews"
PAGE, FILE, UPLOAD = "/c/", "/ft/d/", "/ft/u/"
TOKEN_LENGTH: Final = 22
REMEMBERED: Final = 30 * 86400.0
"""Seconds for which an expired link still says that it has expired."""
PRUNE_EVERY: Final = 3600.0
"""Seconds between looks at all links."""
_TOKEN_BYTES: Final = 16
_PURPOSE: Final = b"opencpm share "
_MAX_PREVIEW: Final = 64 << 10


@dataclass(frozen=True, slots=True)
class Shown:
    """What is behind a link."""

    delivery: str
    until: float
    page: bool = True  # people without an account may look at it; else only the devices of the two
    views: int = 0

    def row(self) -> bytes:
        value = {"delivery": self.delivery, "until": self.until, "page": self.page, "views": self.views}
        return json.dumps(value, separators=(",", ":")).encode()


class Expired(Exception):
    """There was such a link, and its time is over (or what it showed is gone)."""


class Shares:
    """Implements :class:`opencpm.interfaces.Files`. ``base``: where the web access is reached, once it listens
    ("https://cpm.example.com")."""

    def __init__(
        self, store: Store, clock: Clock, secret: str, base: Callable[[], str], uploads: Uploads | None = None
    ) -> None:
        self._store, self._clock, self._base, self._uploads = store, clock, base, uploads
        self._key = sha256(_PURPOSE + secret.encode()).digest()
        self._fresh: dict[str, Shown] = {}  # handed to the store and not committed yet
        self._small: dict[str, Part] = {}  # the same for small pictures
        self._views: dict[str, int] = {}  # seen and not written down yet
        self._next_prune = 0.0

    # -- Files

    def share(self, delivery_id: str, until: float) -> Share:
        """See :meth:`opencpm.interfaces.Files.share`."""
        self._put(self._token(delivery_id), delivery_id, until, page=True)
        return Share(self.page(delivery_id), until)

    def page(self, delivery_id: str) -> str:
        """The address of the page that shows the message of a delivery."""
        return self._base() + PAGE + self._token(delivery_id)

    def specimen(self) -> str:
        """An address as long as all of them, that leads nowhere."""
        return self._base() + PAGE + "x" * TOKEN_LENGTH

    def row(self, delivery_id: str, until: float) -> tuple[str, str, bytes]:
        """(room, key, value) of the state that makes an address work, for a unit of work."""
        return ROOM, self._token(delivery_id), self._grown(delivery_id, until, page=True).row()

    def fetch(self, delivery_id: str, index: int, until: float, thumbnail: Part | None = None) -> Fetch:
        """See :meth:`opencpm.interfaces.Files.fetch`."""
        token = self._token(delivery_id)
        self._put(token, delivery_id, until, page=False)
        url = f"{self._base()}{FILE}{token}/{index}"
        if thumbnail is None or len(thumbnail.body) > _MAX_PREVIEW:
            return Fetch(url, until)
        key = f"{token}/{index}"
        self._small[key] = thumbnail
        self._store.put_state(PREVIEWS, key, _preview_row(thumbnail), lambda: self._stored(key))
        return Fetch(url, until, f"{url}/thumbnail", thumbnail)

    def uploaded(self, url: str, owner: str) -> Part | None:
        """See :meth:`opencpm.interfaces.Files.uploaded`."""
        prefix = self._base() + UPLOAD
        if self._uploads is None or not url.startswith(prefix):
            return None
        upload = self._uploads.get(url.removeprefix(prefix))
        if upload is None or upload.owner != owner:
            return None
        part = self._uploads.content(upload.id)
        self._uploads.taken(upload.id)
        return part

    def serves(self, url: str) -> bool:
        """See :meth:`opencpm.interfaces.Files.serves`."""
        return any(url.startswith(self._base() + path) for path in (PAGE, FILE, UPLOAD))

    # -- for the web access

    def upload_url(self, upload_id: str) -> str:
        """Where an upload is continued and found again."""
        return self._base() + UPLOAD + upload_id

    def look(self, token: str) -> tuple[DeliveryRecord, Shown]:
        """What a page shows to whoever has its address.

        :raises KeyError: there is no such page. :raises Expired: there was.
        """
        shown = self._shown(token)
        if not shown.page:
            raise KeyError(token)
        return self._opened(shown)

    def file(self, token: str) -> tuple[DeliveryRecord, Shown]:
        """The same for devices: who asks has to be sender or receiver of the delivery."""
        return self._opened(self._shown(token))

    def preview(self, token: str, index: int) -> Part | None:
        """The small picture that was told to the device."""
        key = f"{token}/{index}"
        if key in self._small:
            return self._small[key]
        kept = self._store.get_state(PREVIEWS, key)
        return _preview_of(kept) if kept is not None else None

    def seen(self, token: str) -> None:
        """Somebody looked at the page. This is counted, and is no display report: previews and scanners look too."""
        self._views[token] = self._views.get(token, 0) + 1

    def of(self, delivery_id: str) -> Shown | None:
        """The page that was made for a delivery, and how often somebody looked at it; None: there is none."""
        try:
            shown = self._shown(self._token(delivery_id))
        except KeyError:
            return None
        return shown if shown.page else None

    def opened(self, token: str) -> tuple[Message, float] | None:
        """The message of a page and until when it may be shown; None: no such page, or it has expired."""
        try:
            record, shown = self.look(token)
        except (KeyError, Expired):
            return None
        return record.message, shown.until

    def _opened(self, shown: Shown) -> tuple[DeliveryRecord, Shown]:
        if shown.until <= self._clock.now():
            raise Expired
        record = self._store.delivery(shown.delivery)
        if record is None:
            raise Expired
        return record, shown

    def _shown(self, token: str) -> Shown:
        if len(token) != TOKEN_LENGTH:
            raise KeyError(token)
        fresh = self._fresh.get(token)
        kept = self._store.get_state(ROOM, token) if fresh is None else None
        if fresh is None and kept is None:
            raise KeyError(token)
        shown = fresh or Shown(**json.loads(kept or b"{}"))
        return replace(shown, views=shown.views + self._views.get(token, 0))

    # -- writing down

    def _put(self, token: str, delivery_id: str, until: float, *, page: bool) -> None:
        shown = self._grown(delivery_id, until, page=page)
        self._views.pop(token, None)
        self._commit({token: shown})

    def _grown(self, delivery_id: str, until: float, *, page: bool) -> Shown:
        """What is known of a link already, with the longer time and the wider door."""
        try:
            before = self._shown(self._token(delivery_id))
        except KeyError:
            return Shown(delivery_id, until, page)
        return Shown(delivery_id, max(until, before.until), page or before.page, before.views)

    def _stored(self, key: str) -> None:
        self._small.pop(key, None)

    def _commit(self, rows: dict[str, Shown]) -> None:
        self._fresh.update(rows)

        def committed(result: Committed) -> None:
            if result.error is not None:
                log.error("links cannot be stored and are tried again: %s", result.error)
                return
            for token, shown in rows.items():
                if self._fresh.get(token) is shown:
                    del self._fresh[token]

        state: list[tuple[str, str, bytes | None]] = [(ROOM, token, shown.row()) for token, shown in rows.items()]
        self._store.commit(Changes(state=state), committed)

    # -- housekeeping

    async def tidy(self) -> None:
        """Now and then: what expired goes, and what was counted is written down."""
        self.write_down()
        if self._uploads is not None:
            await self._uploads.prune()
        now = self._clock.now()
        if now >= self._next_prune:
            self._next_prune = now + PRUNE_EVERY
            self.prune()

    def write_down(self) -> None:
        """Counts of views, and what could not be stored before."""
        rows = dict(self._fresh)
        for token in list(self._views):
            try:
                rows[token] = self._shown(token)
            except KeyError:
                pass
        self._views.clear()
        if rows:
            self._commit(rows)

    def prune(self) -> int:
        """Forget links that expired long ago, and the small pictures of all that expired; how many links."""
        now = self._clock.now()
        rows = {token: Shown(**json.loads(kept)) for token, kept in self._store.all_state(ROOM).items()}
        over = {token for token, shown in rows.items() if shown.until <= now}
        old = [token for token in over if rows[token].until + REMEMBERED <= now]
        changes = Changes(state=[(ROOM, token, None) for token in old])
        for key in self._store.all_state(PREVIEWS) if over else ():
            if (token := key.partition("/")[0]) in over or token not in rows:
                changes.state.append((PREVIEWS, key, None))
        if changes.state:
            self._store.commit(changes)
        return len(old)

    def _token(self, delivery_id: str) -> str:
        digest = hmac.digest(self._key, delivery_id.encode(), "sha256")[:_TOKEN_BYTES]
        return urlsafe_b64encode(digest).rstrip(b"=").decode()


def _preview_row(part: Part) -> bytes:
    return json.dumps({"type": part.content_type, "body": b64encode(part.body).decode()}).encode()


def _preview_of(row: bytes) -> Part:
    value = json.loads(row)
    return Part(value["type"], b64decode(value["body"]))
