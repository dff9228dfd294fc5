"""SIP over TCP and TLS as a machine for `link`: whole messages out, keep-alives answered, idle ones closed."""

from __future__ import annotations

from collections.abc import Sequence

from opencpm.protocols.sip.framing import PONG, StreamFramer
from opencpm.transport.flow import DEFAULT_LIMITS, Limits


class StreamMachine:
    """One connection's framing (RFC 3261 §18.3, RFC 5626 §3.5.1). Its events are messages as bytes."""

    def __init__(self, now: float, limits: Limits = DEFAULT_LIMITS) -> None:
        self._framer = StreamFramer(max_head=limits.head, max_message=limits.message)
        self._limits = limits
        self._out: list[bytes] = []
        self._idle_at = now + limits.handshake
        self._amid = True  # a message is awaited: the first one, or the rest of one
        self._done = False

    def send(self, data: bytes) -> None:
        self._out.append(data)

    def receive(self, data: bytes, now: float) -> Sequence[bytes]:
        messages = self._framer.receive(data)
        self._watch(bool(messages), now)
        if self._framer.pings:
            self._out += [PONG] * self._framer.pings
            self._framer.pings = 0
        return messages

    def _watch(self, whole: bool, now: float) -> None:
        """Silence between messages is usual and may be long; a message that was begun has to come (slowloris)."""
        if self._framer.pending:
            if whole or not self._amid:
                self._idle_at = now + self._limits.handshake
            self._amid = True
        elif whole or not self._amid:
            self._amid = False
            self._idle_at = now + self._limits.idle

    def poll(self, now: float) -> Sequence[bytes]:
        self._done = self._done or now >= self._idle_at
        return ()

    def next_timeout(self) -> float | None:
        return self._idle_at

    def take(self) -> bytes:
        if len(self._out) == 1:
            return self._out.pop()
        joined = b"".join(self._out)
        self._out.clear()
        return joined

    def closing(self) -> bool:
        return self._done
