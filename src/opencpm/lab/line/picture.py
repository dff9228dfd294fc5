"""The real samples of a call as something that can be drawn: envelope, bursts, and the bits within a burst."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from opencpm.protocols.fsk.demodulator import LEAST_MARKS, bits_in, demodulate
from opencpm.protocols.fsk.receiver import Kind, judge
from opencpm.protocols.fsk.tones import Array, Samples

from .log import CallRecord

_BLOCK = 80  # samples over which loudness is judged: 10 ms
_LOUD = 150  # 16-bit terms; what is below is the silence of the line
_BRIDGE = 5  # blocks of silence within one burst: a lost packet and more
_LEAST_BLOCKS = 4
_AROUND = _BLOCK
"""Samples of silence that are shown, and read, before and after a burst."""


@dataclass(frozen=True, slots=True)
class Burst:
    """One stretch of sound, ``start`` to ``end`` in samples of the call. ``kind`` and ``frame`` are read from the
    samples again, and owe nothing to what the two ends took it for."""

    by_line: bool
    start: int
    end: int
    kind: Kind
    frame: bytes


@dataclass(frozen=True, slots=True)
class Detail:
    """A burst from near: its samples, the bits, where each begins (and the last ends), in samples from ``start``; and
    the octets as (number of the start bit, value)."""

    start: int
    samples: list[int]
    bits: str
    edges: list[float]
    octets: list[tuple[int, int]]
    rate: float


def envelope(samples: Samples, columns: int) -> list[tuple[int, int]]:
    """Lowest and highest sample of at most so many equal stretches."""
    step = max(1, -(-len(samples) // columns))
    starts = np.arange(0, len(samples), step)
    if not len(starts):
        return []
    low, high = np.minimum.reduceat(samples, starts), np.maximum.reduceat(samples, starts)
    return list(zip(low.tolist(), high.tolist(), strict=True))


def bursts(call: CallRecord) -> list[Burst]:
    """What was said in a call, both sides, in order of time."""
    sides = ((False, call.heard()), (True, call.said()))
    found = [_read(samples, span, by_line) for by_line, samples in sides for span in _spans(samples)]
    return sorted(found, key=lambda burst: burst.start)


def detail(call: CallRecord, burst: Burst) -> Detail:
    """A burst from near."""
    samples = (call.said() if burst.by_line else call.heard())[burst.start : burst.end]
    found = bits_in(samples)
    if found is None:
        return Detail(burst.start, samples.tolist(), "", [], [], 0.0)
    bits = "".join("1" if bit else "0" for bit in found.values)
    edges = [round(float(edge), 1) for edge in found.edges]
    octets = list(_octets(bits, len(burst.frame)))
    return Detail(burst.start, samples.tolist(), bits, edges, octets, round(found.rate, 1))


def _spans(samples: Array) -> Iterator[tuple[int, int]]:
    """Where it is loud."""
    whole = len(samples) // _BLOCK
    loud = np.flatnonzero(np.abs(samples[: whole * _BLOCK].astype(np.int32)).reshape(whole, _BLOCK).max(axis=1) > _LOUD)
    if not len(loud):
        return
    for group in np.split(loud, np.flatnonzero(np.diff(loud) > _BRIDGE) + 1):
        if len(group) >= _LEAST_BLOCKS:
            first, last = int(group[0]) * _BLOCK, (int(group[-1]) + 1) * _BLOCK
            yield max(0, first - _AROUND), min(len(samples), last + _AROUND)


def _read(samples: Samples, span: tuple[int, int], by_line: bool) -> Burst:
    start, end = span
    read = judge(demodulate(samples[start:end]))
    return Burst(by_line, start, end, read.kind, read.frame)


def _octets(bits: str, count: int) -> Iterator[tuple[int, int]]:
    """Octets after the first long run of marks: start bit 0, eight bits, low ones first, stop bit 1."""
    at = bits.find("1" * LEAST_MARKS)
    at = bits.find("0", at) if at >= 0 else -1
    while count and at >= 0 and at + 9 < len(bits) and bits[at + 9] == "1":
        yield at, int(bits[at + 8 : at : -1], 2)
        count -= 1
        at = bits.find("0", at + 10)
