"""A flow: the way to one peer, whatever carries it (RFC 5626 §1: a connection, or a pair of UDP addresses)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

Address = tuple[str, int]


@dataclass(slots=True, eq=False)
class Flow:
    """One way to a peer. `kind` is the transport as Via spells it: UDP, TCP, TLS, WS or WSS.

    `key` is the same for every datagram between two UDP addresses and unique to each connection; it can be an
    index key and tells whether a later request came the same way.
    """

    key: str
    kind: str
    peer: Address
    local: Address
    write: Callable[[bytes], None]
    shut: Callable[[], None] = field(default=lambda: None)
    open: bool = True

    @property
    def reliable(self) -> bool:
        return self.kind != "UDP"

    @property
    def secure(self) -> bool:
        return self.kind in ("TLS", "WSS")

    def send(self, data: bytes) -> None:
        """Send one message; what is sent within a loop turn leaves together. Nothing happens on a closed flow."""
        if self.open:
            self.write(data)

    def close(self) -> None:
        """Close the connection under it; UDP has none."""
        self.shut()


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of listeners. Sizes in octets, times in seconds."""

    message: int = 1 << 20
    head: int = 32 * 1024
    connections: int = 20_000
    idle: float = 3700.0
    """A connection with no byte for so long is closed; longer than the registrations that live on it."""
    handshake: float = 30.0
    """So long may the first message, and the rest of one that was begun, keep us waiting."""
    unsent: int = 4 << 20
    """A peer that does not read so many octets is cut off."""


DEFAULT_LIMITS = Limits()
