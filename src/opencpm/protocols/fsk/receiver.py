"""Samples as they come from the line to bursts: carrier detection, then one look at the whole burst.

A burst is read when its carrier ends, and once while it lasts, at the time when the frame that it announces must be
over, so that a carrier that never ends hides nothing. A gap as long as two lost packets does not end a
burst, unless its frame is whole.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

import numpy as np

from .carrier import BLOCK, Carrier, measure
from .demodulator import LEAST_MARKS, Reading, demodulate
from .tones import BIT, Array, Samples, samples_of

LEAST_SEIZURE = 100
"""Alternating bits that make a channel seizure."""
_FIRST_LOOK = samples_of(0.4)
_NEXT_LOOK = samples_of(0.8)
_LONGEST = samples_of(8.0)
"""Of a burst: the longest frame with seizure takes 2.5 s."""
_BRIDGE = samples_of(0.06)
_BEFORE = 3 * BLOCK
_QUIET = np.zeros(2 * BLOCK, np.int16)


class Kind(Enum):
    """What a burst was."""

    FRAME = "frame"  # a whole frame, checksum right
    SPOILT = "spoilt"  # a frame with a wrong checksum or a missing stop bit
    SHORT = "short"  # a frame that ended too early
    SEIZURE = "seizure"  # channel seizure and marks, no octets: protocol 2's establish
    NOISE = "noise"  # a carrier without marks or without octets: no short message terminal speaks like this


class Burst(NamedTuple):
    """One burst. ``frame`` has the octets of the frame (those that came, where it is no whole one); ``seizure``
    tells that a channel seizure came first, as in protocol 2."""

    kind: Kind
    frame: bytes = b""
    seizure: bool = False
    marks: int = 0


def total(octets: bytes) -> int:
    """Length of a frame, by its second octet; the same in both protocols. 0: not yet known."""
    return octets[1] + 3 if len(octets) > 1 else 0


def judge(reading: Reading) -> Burst:
    """The best that a reading holds: a whole frame before a spoilt one."""
    seizure = reading.seizure >= LEAST_SEIZURE
    worst: Burst | None = None
    for octets, broken in zip(reading.octets, reading.broken, strict=True):
        length = total(octets)
        if length and len(octets) >= length:
            frame = octets[:length]
            if sum(frame) & 0xFF == 0:
                return Burst(Kind.FRAME, frame, seizure, reading.marks)
            worst = worst or Burst(Kind.SPOILT, frame, seizure, reading.marks)
        elif octets:
            kind = Kind.SPOILT if broken and not length else Kind.SHORT
            worst = worst or Burst(kind, octets, seizure, reading.marks)
    if worst is not None:
        return worst
    if seizure and reading.marks >= LEAST_MARKS:
        return Burst(Kind.SEIZURE, b"", True, reading.marks)
    return Burst(Kind.NOISE, b"", seizure, reading.marks)


class Receiver:
    """``feed`` samples, get bursts. ``carrier``: the far end is sending now; ``quiet``: for how many samples it has
    not been."""

    def __init__(self) -> None:
        self.quiet = 0
        self._carrier = Carrier()
        self._rest: Samples = np.zeros(0, np.int16)
        self._blocks: list[Samples] = [_QUIET[:BLOCK]] * 3  # a little of what came before, while there is no burst
        self._burst: list[Samples] | None = None
        self._length = 0
        self._next_look = 0
        self._told = False  # this burst has been reported; only its end is waited for

    @property
    def carrier(self) -> bool:
        return self._carrier.on

    def feed(self, samples: Samples) -> list[Burst]:
        """Take any number of samples; the bursts they complete."""
        if len(self._rest):
            samples = np.concatenate((self._rest, samples))
        count = len(samples) // BLOCK
        self._rest = samples[count * BLOCK :]
        if not count:
            return []
        blocks = samples[: count * BLOCK].reshape(count, BLOCK)
        if self._burst is None and not self._carrier.on and not blocks.any():
            self._silence(count)
            return []
        bursts: list[Burst] = []
        for block, tones, power in zip(blocks, *measure(blocks), strict=True):
            burst = self._block(block, tones, power)
            if burst is not None:
                bursts.append(burst)
        return bursts

    def _silence(self, count: int) -> None:
        self.quiet += count * BLOCK
        self._carrier.block(0.0, 0.0)
        self._blocks = [_QUIET[:BLOCK]] * 3

    def _block(self, block: Samples, tones: float, power: float) -> Burst | None:
        on = self._carrier.block(tones, power)
        self.quiet = 0 if on else self.quiet + BLOCK
        if self._burst is None:
            self._blocks = [*self._blocks[1:], block]
            if on:
                self._burst = list(self._blocks)
                self._length, self._next_look, self._told = 3 * BLOCK, _FIRST_LOOK, False
            return None
        self._burst.append(block)
        self._length += BLOCK
        return self._during() if on else self._after()

    def _during(self) -> Burst | None:
        """Look at a burst that goes on, when its frame ought to be over."""
        if self._told:
            self._burst = []
            return None
        if self._length < self._next_look:
            return None
        burst = self._look()
        if burst.kind is Kind.FRAME or self._length > _LONGEST:
            self._told = True
            return burst
        self._next_look = self._length + _NEXT_LOOK
        length = total(burst.frame)
        if burst.kind is Kind.SHORT and length:
            self._next_look = self._length + int((length - len(burst.frame) + 1) * 10 * BIT) + BLOCK
        return None

    def _after(self) -> Burst | None:
        """The carrier has gone: at once when the frame is whole, else when the gap is too long to be a lost packet."""
        if self._told:
            self._end()
            return None
        last = self.quiet >= _BRIDGE
        if self.quiet > BLOCK and not last:
            return None
        burst = self._look()
        if burst.kind in (Kind.FRAME, Kind.SEIZURE) or last:
            self._end()
            return burst
        return None

    def _look(self) -> Burst:
        return judge(demodulate(np.concatenate((*(self._burst or ()), _QUIET))))

    def _end(self) -> None:
        self._burst = None
        self._blocks = [_QUIET[:BLOCK]] * 3

    def tail(self) -> Array:
        """What is kept of a burst under way, for a diagnosis."""
        return np.concatenate(self._burst) if self._burst else _QUIET
