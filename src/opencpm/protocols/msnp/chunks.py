"""Messages longer than one payload: pieces that share a Message-ID.

The first piece has the usual headers and the number of pieces; the later ones carry only the id, their number and
the next octets. A cut may fall inside a character: the octets are joined before they are decoded.
"""

from collections.abc import Mapping
from typing import NamedTuple

from opencpm.protocols.msnp.errors import MsnpError
from opencpm.protocols.msnp.payload import Payload, build

CHUNK_BODY = 1400  # with the headers safely below 1664 octets
MAX_CHUNKS = 1023
MAX_MESSAGE = 1 << 20  # octets
MAX_OPEN = 16  # messages being put together at a time, per switchboard
STALE = 60.0  # seconds without progress


def split(headers: Mapping[str, str], body: bytes, message_id: str) -> list[bytes]:
    """The payloads that carry `body`, one or several; `message_id` looks like `{GUID}`. Raises MsnpError."""
    pieces = [body[at : at + CHUNK_BODY] for at in range(0, len(body), CHUNK_BODY)] or [b""]
    if len(pieces) == 1:
        return [build(headers, body)]
    if len(pieces) > MAX_CHUNKS:
        raise MsnpError("too many chunks")
    first = build({**headers, "Message-ID": message_id, "Chunks": str(len(pieces))}, pieces[0])
    rest = [
        build({"Message-ID": message_id, "Chunk": str(number)}, piece)
        for number, piece in enumerate(pieces[1:], start=1)
    ]
    return [first, *rest]


class _Open(NamedTuple):
    headers: Mapping[str, str]
    pieces: list[bytes]
    total: int
    touched: float


class Assembler:
    """Puts the pieces of one switchboard together; a message with a gap is dropped."""

    def __init__(self) -> None:
        self._open: dict[tuple[str, str], _Open] = {}

    def add(self, sender: str, payload: Payload, now: float) -> Payload | None:
        """Take one payload; return it, or the whole message it completes, or None."""
        message_id = payload.headers.get("message-id", "")
        if "chunks" in payload.headers and message_id:
            return self._start((sender, message_id), payload, now)
        if "chunk" in payload.headers and message_id:
            return self._continue((sender, message_id), payload, now)
        return payload

    def _start(self, key: tuple[str, str], payload: Payload, now: float) -> Payload | None:
        self._forget_stale(now)
        total = _number(payload.headers["chunks"])
        if total == 1:
            return payload
        if 2 <= total <= MAX_CHUNKS and len(self._open) < MAX_OPEN:
            self._open[key] = _Open(payload.headers, [payload.body], total, now)
        return None

    def _continue(self, key: tuple[str, str], payload: Payload, now: float) -> Payload | None:
        started = self._open.pop(key, None)
        if started is None or now - started.touched > STALE:
            return None
        size = sum(map(len, started.pieces)) + len(payload.body)
        if _number(payload.headers["chunk"]) != len(started.pieces) or size > MAX_MESSAGE:
            return None
        started.pieces.append(payload.body)
        if len(started.pieces) == started.total:
            return Payload(started.headers, b"".join(started.pieces))
        self._open[key] = started._replace(touched=now)
        return None

    def _forget_stale(self, now: float) -> None:
        for key in [key for key, item in self._open.items() if now - item.touched > STALE]:
            del self._open[key]


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 4 else -1
