"""One MSRP session over one connection (RFC 4975 §5-7), as a state machine.

Frames that name this session come in through `receive`; what they mean comes out as events. A complete message is
answered only when its taker calls `accept` or `reject`: 200 is a promise.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from .assembly import Assembly
from .errors import MsrpError
from .message import COMPLETE, MORE, ByteRange, Frame, byte_range, fits, request, response
from .uri import session_of

__all__ = ["Aborted", "Event", "Failed", "Limits", "Opened", "Received", "Receipt", "Reported", "Sent", "Session"]


@dataclass(frozen=True, slots=True)
class Limits:
    """What this end allows and how it sends. Sizes in bytes, times in seconds."""

    max_size: int = 10 << 20
    """The largest incoming message (also of all unfinished ones together)."""
    max_unfinished: int = 16
    """Incoming messages being assembled at a time."""
    chunk: int = 16384
    window: int = 64
    """Chunks sent and not yet answered."""
    response_timeout: float = 30.0
    """RFC 4975 §7.1.4: after this a chunk counts as failed with 408."""


class Receipt(NamedTuple):
    """What `accept` and `reject` need to answer a message."""

    tid: str
    message_id: str
    size: int
    return_path: str
    wants_failure: str
    """Failure-Report of the request: yes, no or partial."""
    wants_success: bool


class Opened(NamedTuple):
    """The peer's first request or response arrived: the path stands."""


class Received(NamedTuple):
    """A complete message. Answer it with `accept(receipt)` or `reject(receipt, status)`."""

    message_id: str
    content_type: str
    body: bytes
    receipt: Receipt


class Aborted(NamedTuple):
    """An incoming message was given up by its sender (`#`) or by us; nothing of it is kept."""

    message_id: str


class Sent(NamedTuple):
    """The next hop has the whole message: every chunk was answered 200."""

    message_id: str


class Failed(NamedTuple):
    """An outgoing message failed: the peer's status code, or 408 if it did not answer."""

    message_id: str
    status: int


class Reported(NamedTuple):
    """A REPORT came for an outgoing message; 200 means the far end has it."""

    message_id: str
    status: int


Event = Opened | Received | Aborted | Sent | Failed | Reported


class _Outgoing:
    __slots__ = (
        "acknowledged",
        "body",
        "content_type",
        "failure",
        "message_id",
        "offset",
        "over",
        "success",
        "under_way",
    )

    def __init__(self, message_id: str, content_type: str, body: bytes, failure: str, success: bool) -> None:
        self.message_id, self.content_type, self.body = message_id, content_type, body
        self.failure, self.success = failure, success
        self.offset = 0
        self.acknowledged = 0  # chunks sent and not answered
        self.under_way: dict[str, int] = {}  # where each of them begins, by transaction id
        self.over = False  # failed or aborted: send no more of it


class Session:
    """`local` is our URI, `remote` the peer's path, both as in the SDP; `new_id` makes transaction ids (4 to 31
    characters, unguessable). Times are seconds of one monotonic clock."""

    def __init__(self, local: str, remote: str, new_id: Callable[[], str], limits: Limits | None = None) -> None:
        self.local, self.remote = local, remote
        self.id = session_of(local)
        self.opened = False
        self._peer = session_of(remote, last=True)
        self._new_id = new_id
        self._limits = limits or Limits()
        self._out: list[bytes] = []
        self._queue: deque[_Outgoing] = deque()
        self._pending: dict[str, tuple[_Outgoing, float]] = {}  # by transaction id, in order of deadline
        self._incoming: dict[str, Assembly] = {}
        self._refused: dict[str, None] = {}  # Message-IDs whose remaining chunks are dropped
        self._now = 0.0

    # sending

    def open(self) -> None:
        """As the active side, bind the connection with an empty SEND (RFC 4975 §5.4)."""
        headers = (("Message-ID", self._new_id()), ("Byte-Range", "1-0/0"))
        self._out.append(request(self._new_id(), "SEND", self.remote, self.local, headers))

    def send(
        self,
        message_id: str,
        content_type: str,
        body: bytes,
        now: float,
        *,
        failure: str = "yes",
        success: bool = False,
    ) -> None:
        """Queue a message. `failure` is the Failure-Report asked for: with `yes`, Sent or Failed follows; with
        `partial` at most Failed; with `no` nothing."""
        self._now = now
        self._queue.append(_Outgoing(message_id, content_type, body, failure, success))

    def abandon(self, message_id: str) -> None:
        """Send no more of a message; if chunks have gone out, end it with `#`."""
        for message in tuple(self._queue):
            if message.message_id == message_id:
                self._queue.remove(message)
                if message.offset:
                    self._chunk(message, b"", "#")
                message.over = True

    def take(self) -> bytes:
        """The bytes to send: answers first, then chunks as the window allows, messages taking turns."""
        queue, limit = self._queue, self._limits
        while queue and len(self._pending) < limit.window:
            message = queue.popleft()
            if message.over:
                continue
            end = message.offset + limit.chunk
            piece = message.body[message.offset : end]
            more = end < len(message.body)
            self._chunk(message, piece, MORE if more else COMPLETE)
            if more:
                queue.append(message)
        if not self._out:
            return b""
        data = b"".join(self._out)
        self._out.clear()
        return data

    def _chunk(self, message: _Outgoing, piece: bytes, flag: str) -> None:
        tid = self._new_id()
        while not fits(tid, piece):
            tid = self._new_id()
        start, end = message.offset + 1, message.offset + len(piece)
        headers = (
            ("Message-ID", message.message_id),
            ("Byte-Range", f"{start}-{end}/{len(message.body)}"),
            ("Success-Report", "yes" if message.success else "no"),
            ("Failure-Report", message.failure),
            ("Content-Type", message.content_type),
        )
        self._out.append(request(tid, "SEND", self.remote, self.local, headers, piece, flag))
        message.offset = end
        if message.failure == "yes":
            message.acknowledged += 1
            message.under_way[tid] = start - 1
        if message.failure != "no":
            self._pending[tid] = (message, self._now + self._limits.response_timeout)

    # receiving

    def receive(self, frame: Frame, now: float) -> list[Event]:
        """A frame of this session. Never raises: what is wrong with it is answered."""
        self._now = now
        events: list[Event] = []
        if not self.opened:
            self.opened = True
            events.append(Opened())
        if not frame.method:
            events += self._response(frame)
        elif frame.method == "SEND":
            events += self._send_frame(frame)
        elif frame.method == "REPORT":
            events += self._report(frame)
        elif frame.flag:
            self._answer(frame, 501)
        return events

    def wrong_peer(self, frame: Frame) -> bool:
        """Whether a request claims to come from another session than the one agreed on."""
        return session_of(frame.headers.get("from-path", ""), last=True) != self._peer

    def _send_frame(self, frame: Frame) -> list[Event]:
        message_id = frame.headers.get("message-id", "")
        try:
            span = byte_range(frame.headers.get("byte-range"))
        except MsrpError:
            message_id, span = "", ByteRange(1, None, None)
        if not message_id or len(message_id) > 128 or (frame.body and span.start < 1):
            if frame.flag:
                self._answer(frame, 400)
            return []
        if message_id in self._refused:
            return self._drop(frame, message_id)
        if not frame.body and frame.flag and message_id not in self._incoming:
            self._answer(frame, 200)  # an empty SEND binds the path and says nothing
            return []
        return self._assemble(frame, message_id, span)

    def _assemble(self, frame: Frame, message_id: str, span: ByteRange) -> list[Event]:
        place = max(0, span.start - 1) + frame.offset
        if self._too_large(place + len(frame.body), span, len(frame.body)):
            return self._refuse(frame, message_id, 413)
        assembly = self._incoming.get(message_id)
        if assembly is None:
            content_type = frame.headers.get("content-type", "")
            if not content_type:
                return self._refuse(frame, message_id, 415)
            if len(self._incoming) >= self._limits.max_unfinished:
                return self._refuse(frame, message_id, 413)
            assembly = self._incoming[message_id] = Assembly(content_type)
        if not assembly.add(place, frame.body):
            return self._refuse(frame, message_id, 413)
        if not frame.flag:
            return []
        if assembly.finish(span, place + len(frame.body), frame.flag):
            return self._complete(frame, message_id)
        if frame.flag == "#":
            del self._incoming[message_id]
            self._answer(frame, 200)
            return [Aborted(message_id)]
        self._answer(frame, 200)
        return []

    def _too_large(self, end: int, span: ByteRange, more: int) -> bool:
        held = sum([assembly.size for assembly in self._incoming.values()])
        return max(end, span.total or 0, held + more) > self._limits.max_size

    def _complete(self, frame: Frame, message_id: str) -> list[Event]:
        assembly = self._incoming.pop(message_id)
        body = assembly.content()
        headers = frame.headers
        receipt = Receipt(
            frame.tid,
            message_id,
            len(body),
            headers.get("from-path", ""),
            headers.get("failure-report", "yes").lower(),
            headers.get("success-report", "no").lower() == "yes",
        )
        return [Received(message_id, assembly.content_type, body, receipt)]

    def _refuse(self, frame: Frame, message_id: str, status: int) -> list[Event]:
        """Answer at once, also in the middle of a chunk, and drop what still comes of this message."""
        known = self._incoming.pop(message_id, None) is not None
        self._answer(frame, status)
        if frame.flag in (MORE, ""):
            self._refused[message_id] = None
            if len(self._refused) > 64:
                del self._refused[next(iter(self._refused))]
        return [Aborted(message_id)] if known else []

    def _drop(self, frame: Frame, message_id: str) -> list[Event]:
        if frame.flag and frame.offset == 0:  # a new chunk: its sender has not seen our 413 yet
            self._answer(frame, 413)
        if frame.flag in (COMPLETE, "#"):
            del self._refused[message_id]
        return []

    def unfinished(self) -> bytes:
        """What came so far of the message that is longest under way, without holes: all of it was answered 200."""
        return max((assembly.prefix for assembly in self._incoming.values()), key=len, default=b"")

    def reached(self) -> int:
        """How many bytes, from the start on, the peer has answered 200 of the message that is longest under way (sent
        with failure reports)."""
        found = [message for message, _ in self._pending.values()] + list(self._queue)
        if not found:
            return 0
        return min(found[0].under_way.values(), default=found[0].offset)

    # answering

    def accept(self, receipt: Receipt) -> None:
        """The message is safe: 200, and a REPORT if the sender wants one."""
        self._respond(receipt.tid, 200, receipt.return_path, receipt.wants_failure)
        if receipt.wants_success:
            headers = (
                ("Message-ID", receipt.message_id),
                ("Byte-Range", f"1-{receipt.size}/{receipt.size}"),
                ("Status", "000 200 OK"),
            )
            self._out.append(request(self._new_id(), "REPORT", receipt.return_path, self.local, headers))

    def reject(self, receipt: Receipt, status: int) -> None:
        """The message is not taken: 403, 413, 415, ..."""
        self._respond(receipt.tid, status, receipt.return_path, receipt.wants_failure)

    def _answer(self, frame: Frame, status: int) -> None:
        wants = frame.headers.get("failure-report", "yes").lower()
        self._respond(frame.tid, status, frame.headers.get("from-path", ""), wants)

    def _respond(self, tid: str, status: int, return_path: str, wants_failure: str) -> None:
        """RFC 4975 §7.2: `no` wants no answer, `partial` only errors."""
        if wants_failure == "no" or (wants_failure == "partial" and status == 200):
            return
        self._out.append(response(tid, status, return_path.partition(" ")[0], self.local))

    # what the peer says of our messages

    def _response(self, frame: Frame) -> list[Event]:
        pending = self._pending.pop(frame.tid, None)
        if pending is None or not frame.flag:
            return []
        message, _ = pending
        if frame.status != 200:
            return self._fail(message, frame.status)
        message.acknowledged -= 1
        message.under_way.pop(frame.tid, None)
        return self._if_sent(message)

    def _if_sent(self, message: _Outgoing) -> list[Event]:
        if message.over or message.acknowledged > 0 or message.offset < len(message.body):
            return []
        message.over = True
        return [Sent(message.message_id)]

    def _fail(self, message: _Outgoing, status: int) -> list[Event]:
        if message.over:
            return []
        self.abandon(message.message_id)
        message.over = True
        return [Failed(message.message_id, status)]

    def _report(self, frame: Frame) -> list[Event]:
        """A REPORT is never answered (RFC 4975 §7.1.2)."""
        parts = frame.headers.get("status", "").split(" ", 2)
        message_id = frame.headers.get("message-id", "")
        if not frame.flag or len(parts) < 2 or parts[0] != "000" or not message_id:
            return []
        code = parts[1]
        return [Reported(message_id, int(code))] if len(code) == 3 and code.isascii() and code.isdigit() else []

    # time

    def next_timeout(self) -> float | None:
        """When the oldest unanswered chunk fails."""
        for _, deadline in self._pending.values():
            return deadline
        return None

    def poll(self, now: float) -> list[Event]:
        """Fail what was not answered in time. Without an answer, Failure-Report partial means it went well."""
        self._now = now
        events: list[Event] = []
        late = []
        for tid, (message, deadline) in self._pending.items():
            if deadline > now:
                break
            late.append((tid, message))
        for tid, message in late:
            del self._pending[tid]
            if message.failure == "yes":
                events += self._fail(message, 408)
        return events

    def unsettled(self) -> list[str]:
        """Message-IDs neither Sent nor Failed, oldest first: what is lost if the connection goes now."""
        found = dict.fromkeys(m.message_id for m, _ in self._pending.values() if not m.over)
        found.update(dict.fromkeys(m.message_id for m in self._queue if not m.over))
        return list(found)
