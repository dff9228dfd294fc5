"""One driver for any sans-IO machine over a byte stream (TCP or TLS).

A *machine* takes bytes and the time, gives events, bytes to send and its next deadline; a *link* owns the
socket and knows nothing else. There is one timer handle per link and at most one write per loop turn.

    link = await dial(machine, "127.0.0.1", 2775, on_events=handle, on_lost=lost)
    machine.submit(...)          # anything that makes the machine want to send
    link.wake()                  # once per turn is enough: many wakes in a turn make one write
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Callable, Sequence
from typing import Any, Generic, Protocol, TypeVar, cast

log = logging.getLogger("opencpm.transport")

Event = TypeVar("Event", covariant=True)
OwnEvent = TypeVar("OwnEvent")

TLS_BUFFER = 32 * 1024
"""Receive buffer of a TLS connection in bytes; asyncio's own, 256 KiB for each, is for few, fat streams."""
HIGH_WATER = 1 << 20
"""Unsent bytes above which a link is not `writable`."""


class Machine(Protocol[Event]):
    """What a sans-IO protocol machine offers to its driver. Times are seconds of one monotonic clock."""

    def receive(self, data: bytes, now: float) -> Sequence[Event]:
        """Digest bytes from the peer. Raise ValueError when the peer broke the protocol beyond repair: the
        driver first sends what `take` gives, then closes."""
        ...

    def poll(self, now: float) -> Sequence[Event]:
        """Do what is due at `now`; called at or after `next_timeout`."""
        ...

    def next_timeout(self) -> float | None:
        """The time of the next duty, or None."""
        ...

    def take(self) -> bytes:
        """All bytes to send now, joined; b"" when there are none. They are the driver's from here on."""
        ...

    def closing(self) -> bool:
        """True once nothing more will be sent: the driver writes what is left and closes."""
        ...


class Link(asyncio.Protocol, Generic[OwnEvent]):
    """The socket side of one machine.

    `on_events(link, events)` gets every non-empty batch of events; then the machine's bytes are written.
    `on_lost(link, error)` is called once, when the connection has gone (None: closed in an orderly way).
    `on_ready(link)` is called when connected, before the first byte; the machine's first bytes follow.
    """

    def __init__(
        self,
        machine: Machine[OwnEvent],
        *,
        on_events: Callable[[Link[OwnEvent], Sequence[OwnEvent]], None],
        on_lost: Callable[[Link[OwnEvent], Exception | None], None] | None = None,
        on_ready: Callable[[Link[OwnEvent]], None] | None = None,
        on_writable: Callable[[Link[OwnEvent]], None] | None = None,
    ) -> None:
        self.machine = machine
        self.writable = True
        self.peer: tuple[str, int] = ("", 0)
        self.local: tuple[str, int] = ("", 0)
        self._on_events, self._on_lost = on_events, on_lost
        self._on_ready, self._on_writable = on_ready, on_writable
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._awake = False
        self._error: Exception | None = None

    @property
    def open(self) -> bool:
        """True between connection and loss or `close`."""
        return self._transport is not None and not self._transport.is_closing()

    @property
    def unsent(self) -> int:
        """Octets given to the system that the peer has not taken yet."""
        return self._transport.get_write_buffer_size() if self._transport is not None else 0

    def wake(self) -> None:
        """The machine has something to send or a new deadline: look at it at the end of this loop turn."""
        if not self._awake and self._transport is not None:
            self._awake = True
            self._loop.call_soon(self._woken)

    def close(self, error: Exception | None = None) -> None:
        """Write what is left and close; `error` is what `on_lost` will be told."""
        self._error = self._error or error
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(self.machine.take())
            self._transport.close()

    def abort(self, error: Exception | None = None) -> None:
        """Close at once, dropping unsent bytes."""
        self._error = self._error or error
        if self._transport is not None:
            self._transport.abort()

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport = cast(asyncio.Transport, transport)  # uvloop's are no subclass of it
        self._transport = transport
        transport.set_write_buffer_limits(high=HIGH_WATER)
        _lower_tls_buffer(transport)
        self.peer = _address(transport.get_extra_info("peername"))
        self.local = _address(transport.get_extra_info("sockname"))
        if self._on_ready is not None:
            self._on_ready(self)
        self._settle()

    def data_received(self, data: bytes) -> None:
        try:
            events = self.machine.receive(data, self._loop.time())
        except ValueError as error:
            log.warning("%s:%d broke the protocol: %s", *self.peer, error)
            self._settle()
            self.close(error)
            return
        self._hand_over(events)

    def pause_writing(self) -> None:
        self.writable = False

    def resume_writing(self) -> None:
        self.writable = True
        if self._on_writable is not None:
            self._on_writable(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if self._timer is not None:
            self._timer.cancel()
        if self._on_lost is not None:
            self._on_lost(self, self._error or exc)

    # one turn

    def _woken(self) -> None:
        self._awake = False
        self._settle()

    def _due(self) -> None:
        self._timer = None
        self._hand_over(self.machine.poll(self._loop.time()))

    def _hand_over(self, events: Sequence[OwnEvent]) -> None:
        if events:
            self._on_events(self, events)
        self._settle()

    def _settle(self) -> None:
        """Write the machine's bytes, move the timer, close when it is done."""
        if self._transport is None:
            return
        data = self.machine.take()
        if data:
            self._transport.write(data)
        if self.machine.closing():
            self.close()
        else:
            self._arm(self.machine.next_timeout())

    def _arm(self, deadline: float | None) -> None:
        """Move the timer only when the deadline is earlier: waking early costs less than two heap moves."""
        if deadline is None:
            return
        if self._timer is not None:
            if self._timer.when() <= deadline:
                return
            self._timer.cancel()
        self._timer = self._loop.call_at(deadline, self._due)


async def dial(
    machine: Machine[OwnEvent],
    host: str,
    port: int,
    *,
    on_events: Callable[[Link[OwnEvent], Sequence[OwnEvent]], None],
    on_lost: Callable[[Link[OwnEvent], Exception | None], None] | None = None,
    on_ready: Callable[[Link[OwnEvent]], None] | None = None,
    on_writable: Callable[[Link[OwnEvent]], None] | None = None,
    tls: ssl.SSLContext | None = None,
    server_name: str = "",
    patience: float = 10.0,
) -> Link[OwnEvent]:
    """Connect a machine to a server within `patience` seconds. Raises OSError (or ssl.SSLError).

    `server_name` is the name that its certificate must have, if that is not `host`.
    """

    def build() -> Link[OwnEvent]:
        return Link(machine, on_events=on_events, on_lost=on_lost, on_ready=on_ready, on_writable=on_writable)

    loop = asyncio.get_running_loop()
    async with asyncio.timeout(patience):
        _, link = await loop.create_connection(
            build, host, port, ssl=tls, server_hostname=(server_name or host) if tls is not None else None
        )
    return link


async def listen(
    accept: Callable[[], asyncio.Protocol],
    host: str,
    port: int,
    *,
    tls: ssl.SSLContext | None = None,
    backlog: int = 1024,
) -> asyncio.Server:
    """Serve on an address; `accept()` makes the `Link` (with a fresh machine) of each new connection.

    Port 0 takes a free port; `address_of(server)` tells which. Raises OSError.
    """
    loop = asyncio.get_running_loop()
    return await loop.create_server(accept, host, port, ssl=tls, backlog=backlog)


def address_of(server: asyncio.Server) -> tuple[str, int]:
    """Host and port a server listens on (the first of its sockets)."""
    return _address(server.sockets[0].getsockname())


def _address(name: Any) -> tuple[str, int]:
    return (str(name[0]), int(name[1])) if isinstance(name, tuple) else ("", 0)


def _lower_tls_buffer(transport: asyncio.Transport) -> None:
    """Give a TLS connection a small receive buffer (asyncio allots 256 KiB to each; uvloop's is not touched
    until used). Done after the handshake, when nothing is in it; without these attributes nothing happens."""
    protocol: Any = getattr(transport, "_ssl_protocol", None)
    if hasattr(protocol, "max_size") and hasattr(protocol, "_ssl_buffer_view"):
        protocol.max_size = TLS_BUFFER
        protocol._ssl_buffer = bytearray(TLS_BUFFER)
        protocol._ssl_buffer_view = memoryview(protocol._ssl_buffer)
