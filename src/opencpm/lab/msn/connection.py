"""One server-side connection of the lab: octets in and out, each command in the log, faults applied."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import cast

from opencpm.lab.msn.log import Line, shown
from opencpm.lab.msn.world import World
from opencpm.protocols.msnp.errors import MsnpError
from opencpm.protocols.msnp.framing import Frame, FrameReader, Sender, encode


class ServerConnection(asyncio.Protocol):
    """What the notification server and the switchboard have in common."""

    kind = ""

    def __init__(self, world: World, open_connections: set[ServerConnection]) -> None:
        self.world = world
        self.name = world.serial(self.kind)
        self.address = ""  # of the account, once known
        self._loop = asyncio.get_running_loop()
        self._open = open_connections
        self._reader = FrameReader(Sender.CLIENT)
        self._transport: asyncio.Transport | None = None
        self._not_before = 0.0

    def handle(self, frame: Frame) -> None:
        """Answer one command."""
        raise NotImplementedError

    def gone(self) -> None:
        """The connection is over, whoever ended it."""

    def say(self, verb: str, *args: str | int, payload: bytes | None = None) -> None:
        """Send a command, delayed if the faults say so (order is kept)."""
        if self._transport is None:
            return
        data = encode(verb, *args, payload=payload)
        count = () if payload is None else (str(len(payload)),)
        self.world.log.add(self._line("S", Frame(verb, (*map(str, args), *count), payload)))
        self._later(self._write, data)

    def error(self, code: int, frame: Frame) -> None:
        self.say(f"{code:03d}", frame.trid)

    def close(self) -> None:
        """Close after what was said."""
        self._later(self._close)

    def abort(self) -> None:
        """Break the connection at once."""
        if self._transport is not None:
            self._transport.abort()

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport = cast(asyncio.Transport, transport)  # uvloop's are no subclass of it
        self._transport = transport
        self._open.add(self)

    def data_received(self, data: bytes) -> None:
        try:
            frames = self._reader.feed(data)
        except MsnpError:
            self.abort()  # the recorded server closes without a word
            return
        for frame in frames:
            if self._transport is None or self._transport.is_closing():
                break
            self._one(frame)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._open.discard(self)
        self.gone()

    def _one(self, frame: Frame) -> None:
        self.world.log.add(self._line("C", frame))
        faults = self.world.faults
        if frame.verb in faults.drop:
            self.abort()
            return
        if frame.verb in faults.silent:
            return
        if frame.verb in faults.errors:
            self.error(faults.errors[frame.verb], frame)
            return
        try:
            self.handle(frame)
        except MsnpError:
            self.error(200, frame)

    def _line(self, direction: str, frame: Frame) -> Line:
        return Line(time.time(), self.name, self.address, direction, frame.verb, shown(frame), frame.payload)

    def _later(self, call: Callable[..., None], *args: bytes) -> None:
        now = self._loop.time()
        at = max(now + self.world.faults.delay, self._not_before)
        if at <= now:
            call(*args)
            return
        self._not_before = at + 1e-6
        self._loop.call_at(at, call, *args)

    def _write(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def _close(self) -> None:
        if self._transport is not None:
            self._transport.close()
