"""Samples of one burst to octets. A burst is on the line for at most seconds, so it is looked at as a whole:

1. Correlation with both tones over one bit, at every sample, gives a soft bit.
2. The square of the soft bit swings with the bit clock: the peak of its spectrum near 1200 Hz is the sender's rate,
   the angle there its phase; angles of short windows follow a clock that wanders or jumps.
3. First decisions, one bit each, give level and frequency of each tone (twist, offset).
4. Second decisions look at each bit together with its neighbours: as the phase never jumps, every sequence of bits
   has one waveform, and the likeliest one counts. That is worth several dB over bit by bit.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from .tones import BAUD, BIT, MARK, RATE, SPACE, Array, Complexes, Floats

LEAST_MARKS = 25
"""Mark bits in a row that must come before the first start bit; as many later begin a new frame."""
_CLOCK_TOLERANCE = 0.03
_NEIGHBOURS = 2
"""Bits on either side that are looked at together."""
_WINDOW = 32
"""Bits over which the phase of the clock is averaged."""
_OMEGA = 2 * np.pi * np.array([SPACE, MARK]) / RATE
"""Radians a sample, by the bit they stand for."""
_CLEAR = 0.3
"""Of the strongest swing: windows with less have no say in the clock."""
_AUDIBLE = 0.3
"""Of the usual size: bits with less are silence and tell nothing of the tones."""
_LEAST = 60
"""Samples below which there is nothing to see."""


class Reading(NamedTuple):
    """What a burst holds. ``octets`` of each run of octets after enough marks; ``broken`` tells whether it ended in a
    missing stop bit; ``marks`` before the first (or all there were), ``seizure`` alternating bits before them."""

    octets: tuple[bytes, ...] = ()
    broken: tuple[bool, ...] = ()
    marks: int = 0
    seizure: int = 0
    rate: float = float(BAUD)


class Bits(NamedTuple):
    """The bits of a burst, as decided: ``values`` (1: mark), ``edges`` where they begin and the last one ends, in
    samples; ``rate`` of the sender, bit/s."""

    values: Array
    edges: Floats
    rate: float


class _Tones(NamedTuple):
    levels: Floats  # of space and mark: correlation over one bit, divided by its length
    offsets: Floats  # radians a sample


def demodulate(samples: Array) -> Reading:
    """Read a burst, some silence before and after it included."""
    found = bits_in(samples)
    return Reading() if found is None else _read(found.values, found.rate)


def bits_in(samples: Array) -> Bits | None:
    """Every bit of a burst and where it lies; None where there is too little to see."""
    if len(samples) < _LEAST:
        return None
    sums = _sums(np.asarray(samples, np.float64))
    edges, rate = _edges(sums)
    if len(edges) < 12:
        return None
    return Bits(_decide(sums, edges), edges, rate)


def _sums(samples: Floats) -> Complexes:
    """Running sums of the samples turned by each tone: any window's correlation is a difference of two."""
    sums = np.zeros((2, len(samples) + 1), np.complex128)
    np.cumsum(samples * _carriers(len(samples)), axis=1, out=sums[:, 1:])
    return sums


def _carriers(count: int) -> Complexes:
    size = 1 << max(10, (count - 1).bit_length())
    return _table(size)[:, :count]


@lru_cache(maxsize=16)
def _table(size: int) -> Complexes:
    return np.asarray(np.exp(-1j * _OMEGA[:, None] * np.arange(size)))


def _soft(sums: Complexes) -> Floats:
    """Mark minus space over one bit (6 2/3 samples) that begins at each sample."""
    late = sums[:, 7:] * (2 / 3) + sums[:, 6:-1] * (1 / 3)
    early = sums[:, : sums.shape[1] - 7]
    space, mark = np.abs(late - early)
    return np.asarray(mark - space)


def _edges(sums: Complexes) -> tuple[Floats, float]:
    """The bit boundaries, in samples from the start, and the sender's bit rate."""
    soft = _soft(sums)
    swing = soft * soft
    swing -= swing.mean()
    size = 1 << (2 * len(swing) - 1).bit_length()
    spectrum = np.abs(np.fft.rfft(swing, size))
    low = int(BAUD * (1 - _CLOCK_TOLERANCE) * size / RATE)
    high = int(BAUD * (1 + _CLOCK_TOLERANCE) * size / RATE) + 2
    peak = low + int(np.argmax(spectrum[low:high]))
    before, at, after = spectrum[peak - 1 : peak + 2]
    curve = before - 2 * at + after
    rate = (peak + (0.5 * (before - after) / curve if curve else 0.0)) * RATE / size
    return _boundaries(swing, rate), rate


def _boundaries(swing: Floats, rate: float) -> Floats:
    """Where bits begin, by the phase of the swing at this rate, followed over windows of it."""
    turned = swing * np.exp((-2j * np.pi * rate / RATE) * np.arange(len(swing)))
    width = int(_WINDOW * BIT)
    starts = np.arange(0, max(1, len(turned) - width // 2), width)
    windows = np.convolve(np.add.reduceat(turned, starts), (0.5, 1.0, 0.5))[1:-1]
    sizes = np.abs(windows)
    clear = sizes >= _CLEAR * sizes.max()  # marks and silence have no clock
    phases = np.unwrap(np.angle(windows[clear])) / (-2 * np.pi)
    bit = RATE / rate
    first = phases[0]
    nominal = (np.arange(int(len(swing) / bit) - 1) + first % 1.0 + 0.5) * bit  # half a bit after the swing's middle
    drift = np.interp(nominal, starts[clear] + width / 2, phases - first) * bit
    return np.asarray(nominal + drift + BIT / 2)


def _decide(sums: Complexes, edges: Floats) -> Array:
    """The bits between the edges."""
    whole = edges.astype(np.int64)
    whole = np.minimum(whole, sums.shape[1] - 2)
    part = edges - whole
    at = sums[:, whole] + (sums[:, whole + 1] - sums[:, whole]) * part
    correlation = np.diff(at, axis=1)
    lengths = np.diff(edges)
    size = np.abs(correlation)
    first = size[1] > size[0]
    tones = _tones(correlation, size, first, lengths)
    return _sequences(correlation, edges[:-1], lengths, tones)


def _tones(correlation: Complexes, size: Floats, bits: Array, lengths: Floats) -> _Tones:
    """Level and frequency offset of each tone, from bits already decided."""
    levels, offsets = np.zeros(2), np.full(2, np.nan)
    loud = size.max(axis=0)
    there = loud > _AUDIBLE * np.median(loud)
    for tone, chosen in enumerate((~bits, bits)):
        mine = chosen & there
        if mine.any():
            levels[tone] = float(np.median(size[tone, mine] / lengths[mine]))
        pairs = mine[1:] & mine[:-1]
        if np.count_nonzero(pairs) > 4:
            turned = correlation[tone, 1:][pairs] * correlation[tone, :-1][pairs].conj()
            offsets[tone] = float(np.angle(turned.sum())) / BIT
    levels[levels == 0.0] = levels.max() or 1.0
    known = offsets[~np.isnan(offsets)]
    offsets[np.isnan(offsets)] = known[0] if len(known) else 0.0
    return _Tones(levels, offsets)


@lru_cache(maxsize=4)
def _hypotheses(length: int) -> Array:
    """All sequences of bits, one a row."""
    return (np.arange(1 << length)[:, None] >> np.arange(length)) & 1


def _sequences(correlation: Complexes, starts: Floats, lengths: Floats, tones: _Tones) -> Array:
    """The likelier value of each bit, seen with its neighbours.

    For a sequence the correlations of its bits are turned to the phase at its beginning and added; that sum's size,
    less half the energy such a sequence has, is its likelihood (phase unknown, levels known).
    """
    omega = _OMEGA + tones.offsets
    phase = _OMEGA[:, None] * starts - (tones.offsets * BIT / 2)[:, None]
    aligned = correlation * np.exp(1j * phase) * tones.levels[:, None]
    length = 2 * _NEIGHBOURS + 1
    count = aligned.shape[1]
    padded = np.zeros((2, count + length - 1), np.complex128)
    padded[:, _NEIGHBOURS : _NEIGHBOURS + count] = aligned
    rows = _hypotheses(length)
    energies = (tones.levels**2)[rows].sum(axis=1) * (BIT / 2)
    advance = omega[rows] * BIT
    turns = np.exp(-1j * (np.cumsum(advance, axis=1) - advance))
    best = np.full((2, count), -np.inf)
    for row, energy, turn in zip(rows, energies, turns, strict=True):
        total = np.zeros(count, np.complex128)
        for place in range(length):
            total += padded[row[place], place : place + count] * turn[place]
        value = best[row[_NEIGHBOURS]]
        np.maximum(value, np.abs(total) - energy, out=value)
    return np.asarray(best[1] > best[0])


def _read(bits: Array, rate: float) -> Reading:
    """Octets from bits (start bit 0, eight bits, stop bit 1)."""
    line = bits.astype(np.uint8).tobytes()
    runs: list[bytes] = []
    broken: list[bool] = []
    marks = seizure = 0
    at = line.find(b"\1" * LEAST_MARKS)
    if at >= 0:
        start = line.find(b"\0", at)
        marks = (start if start >= 0 else len(line)) - at
        seizure = _alternating(line, at)
    while at >= 0:
        octets, bad, after = _octets(line, at)
        if octets or bad:
            runs.append(octets)
            broken.append(bad)
        at = line.find(b"\1" * LEAST_MARKS, after) if after >= 0 else -1
    return Reading(tuple(runs), tuple(broken), marks, seizure, rate)


def _octets(line: bytes, at: int) -> tuple[bytes, bool, int]:
    """The octets that follow marks at ``at``; whether a stop bit was missing; where to look for the next marks (-1:
    nothing is left)."""
    out = bytearray()
    start = line.find(b"\0", at)
    while start >= 0 and start + 9 < len(line):
        if not line[start + 9]:
            return bytes(out), True, start + 1
        value = 0
        for place in range(8, 0, -1):
            value = value << 1 | line[start + place]
        out.append(value)
        end = start + 10
        start = line.find(b"\0", end)
        if start < 0 or start - end >= LEAST_MARKS:
            return bytes(out), False, end if start >= 0 else -1
    return bytes(out), False, -1


def _alternating(line: bytes, end: int) -> int:
    """How many bits before ``end`` alternate."""
    at = end
    while at > 0 and line[at - 1] != line[at]:
        at -= 1
    return end - at
