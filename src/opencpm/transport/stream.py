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
        self._done = False

    def send(self, data: bytes) -> None:
        self._out.append(data)

    def receive(self, data: bytes, now: float) -> Sequence[bytes]:
        self._idle_at = now + self._limits.idle
        messages = self._framer.receive(data)
        if self._framer.pings:
            self._out += [PONG] * self._framer.pings
            self._framer.pings = 0
        return messages

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
