"""Sound of telephone calls on the wire: RTP in both directions, paced by one timer for all calls.

Every 20 ms each call reads what came, plays it to its ear, and sends what the ear's owner says; silence is sent like
anything else (a modem's far end counts on a constant stream). A loop that was held up catches up at once.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable

import numpy as np

from opencpm.protocols.g711 import LAWS, Samples
from opencpm.protocols.rtp import PACKET, Packet, PlayOut, RtpError, decode
from opencpm.transport.flow import Address

log = logging.getLogger("opencpm.transport")

BEAT = 0.02
PATIENCE = 10 * PACKET
"""Samples for which a late packet is waited for: 200 ms."""
_CATCH_UP = 25
_DATAGRAM = 2048
_BURST = 60
"""Datagrams read in one beat at most: a flood costs the flooded call its sound, not the others theirs."""

Turn = Callable[[Samples], "Samples | None"]
"""Gets what was heard since the last time (nothing, while a late packet is waited for), returns 20 ms to say; None is
silence."""


class Voice:
    """The sound of one call. ``port`` is ours; :meth:`start` once both ends have said where they hear."""

    __slots__ = (
        "_law",
        "_marker",
        "_peer",
        "_playout",
        "_quiet",
        "_sequence",
        "_sock",
        "_source",
        "_timestamp",
        "_turn",
        "foreign",
        "open",
        "port",
        "sent",
    )

    def __init__(self, host: str, port: int, source: int) -> None:
        """Raises OSError when the port is taken."""
        self._sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._sock.setblocking(False)
            self._sock.bind((host, port))
        except OSError:
            self._sock.close()
            raise
        self.port: int = self._sock.getsockname()[1]
        self.open = True
        self.sent = self.foreign = 0
        self._source = source
        self._sequence, self._timestamp = source & 0x7FFF, source >> 8
        self._marker = True
        self._peer: Address = ("", 0)
        self._law = LAWS[8]
        self._quiet = b""
        self._playout = PlayOut(PATIENCE, 0)
        self._turn: Turn | None = None

    def start(self, peer: Address, law: int, turn: Turn, patience: int = PATIENCE) -> None:
        """Speak to ``peer`` in this law (payload type), and give ``turn`` what it says."""
        self._peer, self._law, self._turn = peer, LAWS[law], turn
        self._quiet = self._law.quiet(PACKET)
        self._playout = PlayOut(patience, self._law.silence)

    @property
    def received(self) -> int:
        return self._playout.received

    @property
    def lost(self) -> int:
        """Packets that never came, or too late."""
        return self._playout.filled // PACKET

    def beat(self) -> None:
        """20 ms: hear, then speak."""
        self._drain()
        if self._turn is None:
            return
        heard = self._playout.take()
        silent = heard.count(self._law.silence) == len(heard)
        said = self._turn(np.zeros(len(heard), np.int16) if silent else self._law.decode(heard))
        if self.open:
            self._send(self._quiet if said is None else self._law.encode(said))

    def close(self) -> None:
        if self.open:
            self.open = False
            self._turn = None
            self._sock.close()

    def _drain(self) -> None:
        receive, host = self._sock.recvfrom, self._peer[0]
        for _ in range(_BURST):
            try:
                datagram, peer = receive(_DATAGRAM)
            except (BlockingIOError, InterruptedError):
                return
            except OSError:  # an ICMP error for something sent earlier
                continue
            if peer[0] != host:
                self.foreign += 1
                continue
            try:
                packet = decode(datagram)
            except RtpError:
                continue
            if packet.payload_type == self._law.payload_type:
                self._playout.add(packet)

    def _send(self, payload: bytes) -> None:
        law = self._law.payload_type
        packet = Packet(law, self._sequence, self._timestamp, self._source, payload, self._marker)
        self._marker = False
        self._sequence = self._sequence + 1 & 0xFFFF
        self._timestamp = self._timestamp + PACKET & 0xFFFFFFFF
        try:
            self._sock.sendto(packet.encode(), self._peer)
            self.sent += 1
        except OSError:  # as lost as any datagram may be
            pass


class Pacer:
    """The one timer. ``late`` counts beats that came 40 ms or more after their time, ``skipped`` those left out."""

    def __init__(self) -> None:
        self.late = self.skipped = 0
        self._loop = asyncio.get_running_loop()
        self._voices: dict[Voice, None] = {}
        self._next = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._voices)

    def add(self, voice: Voice) -> None:
        self._voices[voice] = None
        if self._timer is None:
            self._next = self._loop.time() + BEAT
            self._timer = self._loop.call_at(self._next, self._beat)

    def remove(self, voice: Voice) -> None:
        """Close it, and beat for it no more."""
        voice.close()
        self._voices.pop(voice, None)

    def close(self) -> None:
        for voice in list(self._voices):
            self.remove(voice)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _beat(self) -> None:
        behind = int((self._loop.time() - self._next) / BEAT)
        self.late += behind > 1
        beats = min(1 + behind, _CATCH_UP)
        self.skipped += 1 + behind - beats
        self._next += (1 + behind) * BEAT
        for voice in list(self._voices):
            try:
                for _ in range(beats):
                    if voice.open:
                        voice.beat()
            except Exception:  # a fault in one call must not silence the others
                log.exception("the sound of a call failed")
                self.remove(voice)
        self._timer = self._loop.call_at(self._next, self._beat) if self._voices else None
