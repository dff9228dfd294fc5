"""Octets to samples: continuous phase, bit boundaries wherever they fall between samples (V.23 mode 2)."""

from __future__ import annotations

import numpy as np

from .tones import BAUD, MARK, RATE, SPACE, Array, Samples

AMPLITUDE = 5000.0
"""Of a sine, in 16-bit terms: about -13 dBm0, what a terminal sends."""
TRAILING_MARKS = 10
"""Mark bits after the last stop bit; real equipment sends them."""
SEIZURE = 300
"""Bits of the channel seizure of protocol 2: 0 1 0 1 …, 250 ms."""
MARKS = 80
"""Mark bits before every message, 67 ms."""


def bits_of(frame: bytes, *, seizure: int = 0, marks: int = MARKS, trailing: int = TRAILING_MARKS) -> Array:
    """Everything that is sent for a frame, a bit an element: seizure, marks, octets with start and stop bit (low
    bits first), trailing marks."""
    octets = np.unpackbits(np.frombuffer(frame, np.uint8), bitorder="little").reshape(-1, 8)
    framed = np.ones((len(octets), 10), np.uint8)
    framed[:, 0] = 0
    framed[:, 1:9] = octets
    head = np.ones(seizure + marks, np.uint8)
    head[:seizure:2] = 0
    return np.concatenate((head, framed.reshape(-1), np.ones(trailing, np.uint8)))


def modulate(
    bits: Array,
    *,
    amplitude: float = AMPLITUDE,
    baud: float = BAUD,
    mark: float = MARK,
    space: float = SPACE,
    space_gain: float = 1.0,
    phase: float = 0.0,
) -> Samples:
    """The samples of these bits. The phase is a line between bit boundaries and never jumps.

    ``space_gain`` multiplies the space tone (twist); tones in Hz; ``phase`` in cycles at the first sample.
    """
    edges = np.arange(len(bits) + 1) * (RATE / baud)
    steps = np.where(bits != 0, mark, space) / baud
    turns = np.concatenate(((phase,), phase + np.cumsum(steps)))
    times = np.arange(int(edges[-1]))
    wave = amplitude * np.sin(2 * np.pi * np.interp(times, edges, turns))
    if space_gain != 1.0:
        which = np.minimum((times * (baud / RATE)).astype(np.int64), len(bits) - 1)
        wave *= np.where(bits[which] != 0, 1.0, space_gain)
    return np.clip(np.rint(wave), -32768, 32767).astype(np.int16)


def burst(
    frame: bytes,
    *,
    seizure: int = 0,
    marks: int = MARKS,
    trailing: int = TRAILING_MARKS,
    amplitude: float = AMPLITUDE,
) -> Samples:
    """The samples of one message on the line."""
    return modulate(bits_of(frame, seizure=seizure, marks=marks, trailing=trailing), amplitude=amplitude)
