"""Files that users upload, on disk: bounded for each person and in all, kept over breaks and crashes, pruned in time.

Each is two files named by its id: the bytes, and a JSON card that says what is certain. The card is written anew
(temporary file, fsync, rename) at every checkpoint; after a crash the bytes are cut to what the card says, so that a
sender who goes on from there has lost nothing it was told is here.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import Part
from opencpm.interfaces import Clock, Ids, Upload

log = logging.getLogger("opencpm.storage")

CHECKPOINT: Final = 1 << 20
"""Bytes after which what came is made certain, also amid an upload."""
TAKEN_TOO: Final = 10
"""How many times a person's bound their files may take up together with those that are in messages already."""
VERSION: Final = 1
_CARD, _BYTES, _PREVIEW = ".json", ".bin", ".preview"


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadLimits:
    """Sizes in bytes, times in seconds."""

    file: int = 10 << 20
    preview: int = 256 << 10
    per_user: int = 100  # files
    per_user_bytes: int = 100 << 20
    all_bytes: int = 10 << 30
    keep: float = 7 * 86400.0  # a complete one
    keep_partial: float = 86400.0
    keep_taken: float = 86400.0  # one that is in a message: its sender may repeat the message


@dataclass(slots=True)
class _Card:
    """What is written down of an upload."""

    id: str
    owner: str
    tid: str
    name: str
    content_type: str
    received: int
    total: int | None
    complete: bool
    until: float
    preview_type: str = ""
    v: int = VERSION


@dataclass(slots=True)
class _Held:
    card: _Card
    written: int  # bytes in the file, of which card.received are certain
    taken: bool = False  # in a message: no longer its owner's to count
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def takes_up(self) -> int:
        return max(self.written, self.card.total or 0)

    def upload(self) -> Upload:
        card = self.card
        fields = (card.id, card.owner, card.tid, card.name, card.content_type, card.received, card.total)
        return Upload(*fields, card.complete, card.until, card.preview_type)


class DiskUploads:
    """Implements :class:`opencpm.interfaces.Uploads` in one folder. One process at a time may use a folder."""

    def __init__(self, folder: Path, clock: Clock, ids: Ids, limits: UploadLimits | None = None) -> None:
        """Look at what is there. :raises OSError: the folder cannot be used."""
        self._folder, self._clock, self._ids = folder, clock, ids
        self._limits = limits or UploadLimits()
        self._held: dict[str, _Held] = {}
        self._by_tid: dict[tuple[str, str], str] = {}
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._load()

    # -- asking

    def get(self, upload_id: str) -> Upload | None:
        held = self._living(upload_id)
        return held.upload() if held is not None else None

    def of(self, owner: str, tid: str) -> Upload | None:
        return self.get(self._by_tid.get((owner, tid), ""))

    def content(self, upload_id: str) -> Part | None:
        held = self._living(upload_id)
        if held is None or not held.card.complete:
            return None
        body = self._read(upload_id, _BYTES)
        return None if body is None else Part(held.card.content_type, body, held.card.name, "attachment")

    def preview(self, upload_id: str) -> Part | None:
        held = self._living(upload_id)
        if held is None or not held.card.preview_type:
            return None
        body = self._read(upload_id, _PREVIEW)
        return None if body is None else Part(held.card.preview_type, body)

    def taken(self, upload_id: str) -> None:
        held = self._living(upload_id)
        if held is not None and held.card.complete and not held.taken:
            held.taken = True
            held.card.until = min(held.card.until, self._clock.now() + self._limits.keep_taken)

    def _living(self, upload_id: str) -> _Held | None:
        held = self._held.get(upload_id)
        return held if held is not None and held.card.until > self._clock.now() else None

    def _read(self, upload_id: str, kind: str) -> bytes | None:
        try:
            return self._path(upload_id, kind).read_bytes()
        except OSError as error:
            log.error("the upload %s cannot be read: %s", upload_id, error)
            return None

    # -- bringing

    async def begin(self, owner: str, tid: str, *, name: str, content_type: str, total: int | None = None) -> Upload:
        known = self._held.get(self._by_tid.get((owner, tid), ""))
        if known is not None and known.card.complete and known.card.until > self._clock.now():
            return known.upload()
        if known is not None:
            await self.remove(known.card.id)
        self._room_for(owner, total or 0, files=1)
        until = self._clock.now() + self._limits.keep_partial
        card = _Card(self._ids.new(), owner, tid, name, content_type, 0, total, False, until)
        held = self._held[card.id] = _Held(card, 0)
        self._by_tid[owner, tid] = card.id
        await self._off_loop(lambda: self._checkpoint(held))
        return held.upload()

    async def append(self, upload_id: str, at: int, data: bytes, *, total: int | None = None) -> int:
        held = self._open(upload_id)
        async with held.lock:
            card = held.card
            if card.complete:
                return card.received
            if at > held.written:
                raise SendError(Reason.MALFORMED, detail=f"{held.written} bytes are here; go on from there")
            self._agree(held, total)
            fresh = data[held.written - at :]
            end = held.written + len(fresh)
            if card.total is not None and end > card.total:
                raise SendError(Reason.MALFORMED, detail=f"more than the {card.total} bytes announced")
            self._room_for(card.owner, end - held.takes_up, size=end)
            if fresh:
                await self._off_loop(lambda: self._write(held, fresh))
            return held.written

    def _agree(self, held: _Held, total: int | None) -> None:
        card = held.card
        if total is None or total == card.total:
            return
        if card.total is not None or total < held.written:
            raise SendError(Reason.MALFORMED, detail=f"the file had {card.total or held.written} bytes before")
        self._room_for(card.owner, total - held.takes_up, size=total)
        card.total = total

    async def keep(self, upload_id: str) -> Upload | None:
        held = self._living(upload_id)
        if held is None:
            return None
        async with held.lock:
            if not held.card.complete and held.card.received < held.written:
                await self._off_loop(lambda: self._checkpoint(held))
        return held.upload()

    async def thumbnail(self, upload_id: str, content_type: str, data: bytes) -> None:
        held = self._open(upload_id)
        if len(data) > self._limits.preview:
            raise SendError(Reason.TOO_LARGE, detail=f"a thumbnail may have {self._limits.preview} bytes at most")
        async with held.lock:
            await self._off_loop(lambda: self._durable(self._path(upload_id, _PREVIEW), data))
            held.card.preview_type = content_type

    async def finish(self, upload_id: str) -> Upload:
        held = self._open(upload_id)
        async with held.lock:
            card = held.card
            if not card.complete:
                if card.total is not None and held.written < card.total:
                    raise SendError(Reason.MALFORMED, detail=f"{held.written} of {card.total} bytes came")
                until = self._clock.now() + self._limits.keep
                await self._off_loop(lambda: self._checkpoint(held, complete=True, until=until))
            return held.upload()

    # -- removing

    async def remove(self, upload_id: str) -> None:
        held = self._held.pop(upload_id, None)
        if held is None:
            return
        if self._by_tid.get((held.card.owner, held.card.tid)) == upload_id:
            del self._by_tid[held.card.owner, held.card.tid]
        async with held.lock:
            await asyncio.to_thread(self._unlink, upload_id)

    async def prune(self) -> int:
        now = self._clock.now()
        gone = [upload_id for upload_id, held in self._held.items() if held.card.until <= now]
        for upload_id in gone:
            await self.remove(upload_id)
        return len(gone)

    # -- bounds

    def _open(self, upload_id: str) -> _Held:
        held = self._living(upload_id)
        if held is None:
            raise SendError(Reason.EXPIRED, detail="there is no such upload any more; begin anew")
        return held

    def _room_for(self, owner: str, more: int, *, size: int = 0, files: int = 0) -> None:
        limits = self._limits
        if max(more, size) > limits.file:
            raise SendError(Reason.TOO_LARGE, detail=f"a file may have {limits.file} bytes at most")
        theirs = [held for held in self._held.values() if held.card.owner == owner]
        own = [held.takes_up for held in theirs if not held.taken]
        if len(own) + files > limits.per_user:
            raise _full(f"you have {len(own)} uploaded files; the oldest expire by and by")
        if more > 0 and sum(held.takes_up for held in theirs) + more > limits.per_user_bytes * TAKEN_TOO:
            raise _full("you have sent much today; the files you sent make room by and by")
        if more > 0 and sum(own) + more > limits.per_user_bytes:
            raise _full(f"your uploaded files may take up {limits.per_user_bytes} bytes; the oldest expire by and by")
        if more > 0 and sum(held.takes_up for held in self._held.values()) + more > limits.all_bytes:
            raise _full("the server has no room for files now")

    # -- the disk (in threads)

    async def _off_loop(self, work: Callable[[], None]) -> None:
        try:
            await asyncio.to_thread(work)
        except OSError as error:
            log.error("an upload cannot be stored: %s", error)
            detail = "the server could not store the file; try again"
            raise SendError(Reason.INTERNAL, retryable=True, retry_after=5.0, detail=detail) from error

    def _write(self, held: _Held, data: bytes) -> None:
        descriptor = os.open(self._path(held.card.id, _BYTES), os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            view, at = memoryview(data), held.written
            while view:
                count = os.pwrite(descriptor, view, at)
                view, at = view[count:], at + count
        finally:
            os.close(descriptor)
        held.written = at
        if at - held.card.received >= CHECKPOINT:
            self._checkpoint(held)

    def _checkpoint(self, held: _Held, **changed: Any) -> None:
        """The bytes first, then the card that vouches for them."""
        card, path = held.card, self._path(held.card.id, _BYTES)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        facts = {**asdict(card), "received": held.written, **changed}
        if changed:
            facts["total"] = held.written
        self._durable(self._path(card.id, _CARD), json.dumps(facts).encode())
        held.card = _Card(**facts)

    def _durable(self, path: Path, data: bytes) -> None:
        temporary = path.with_suffix(path.suffix + ".new")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        temporary.replace(path)
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _unlink(self, upload_id: str) -> None:
        for kind in (_CARD, _PREVIEW, _BYTES):  # the card first: bytes without one are swept at the next start
            with contextlib.suppress(OSError):
                self._path(upload_id, kind).unlink()

    def _path(self, upload_id: str, kind: str) -> Path:
        return self._folder / f"{upload_id}{kind}"

    # -- at start

    def _load(self) -> None:
        for path in self._folder.glob(f"*{_CARD}"):
            held = self._restored(path)
            if held is not None:
                self._held[held.card.id] = held
                self._by_tid[held.card.owner, held.card.tid] = held.card.id
        for path in self._folder.iterdir():
            if path.name.partition(".")[0] not in self._held or path.suffix == ".new":
                with contextlib.suppress(OSError):
                    path.unlink()

    def _restored(self, path: Path) -> _Held | None:
        """What the card vouches for; nothing where it is damaged, or its bytes are not there."""
        try:
            card = _Card(**json.loads(path.read_bytes()))
            data = self._path(card.id, _BYTES)
            if card.v != VERSION or path.stem != card.id or data.stat().st_size < card.received:
                raise ValueError("not what it says")
            os.truncate(data, card.received)
        except (OSError, ValueError, TypeError) as error:
            log.warning("the upload %s is dropped: %s", path.stem, error)
            return None
        return _Held(card, card.received)


def _full(detail: str) -> SendError:
    return SendError(Reason.CONGESTION, retryable=True, retry_after=3600.0, detail=detail)
