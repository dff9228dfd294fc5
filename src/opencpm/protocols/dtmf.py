"""Telephone keys in sound (ITU-T Q.23, Q.24): samples in, keys out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

RATE = 8000
LOW = (697, 770, 852, 941)
HIGH = (1209, 1336, 1477, 1633)
KEYS = ("123A", "456B", "789C", "*0#D")
_BLOCK = 205
"""Samples looked at together: 25.6 ms, in which the eight tones are apart."""
_LEAST = 100.0**2
_SHARE = 0.75
"""Of the power that the two tones must have together: a voice has less."""
_TWIST = 10.0
"""The stronger tone has at most so many times the power of the other."""

Samples = NDArray[np.int16]


def _bank() -> NDArray[np.complex128]:
    times = np.arange(_BLOCK) / RATE
    return np.asarray(np.exp(-2j * np.pi * np.array(LOW + HIGH)[:, None] * times) * (2 / _BLOCK))


_BANK = _bank()


class Ear:
    """Hears a key once however long it is pressed; two blocks must agree."""

    def __init__(self) -> None:
        self._rest: Samples = np.zeros(0, np.int16)
        self._last = self._told = ""

    def feed(self, samples: Samples) -> str:
        """The keys that were pressed in these samples, in order."""
        samples = np.concatenate((self._rest, samples))
        keys = ""
        while len(samples) >= _BLOCK:
            keys += self._block(samples[:_BLOCK])
            samples = samples[_BLOCK:]
        self._rest = samples
        return keys

    def _block(self, block: Samples) -> str:
        key = key_of(block)
        pressed = key if key and key == self._last and key != self._told else ""
        if key and key == self._last:
            self._told = key
        elif not key and not self._last:
            self._told = ""
        self._last = key
        return pressed


def key_of(block: Samples) -> str:
    """The key whose two tones are nearly all there is in a block; "" for anything else."""
    real = block.astype(np.float64)
    power = float(np.mean(real * real))
    if power < _LEAST:
        return ""
    tones = np.abs(_BANK @ real) ** 2 / 2
    low, high = int(np.argmax(tones[:4])), int(np.argmax(tones[4:]))
    one, other = float(tones[low]), float(tones[4 + high])
    if one + other < _SHARE * power or max(one, other) > _TWIST * min(one, other):
        return ""
    return KEYS[low][high]


def tones_of(key: str, seconds: float = 0.2, amplitude: float = 4000.0) -> Samples:
    """The sound of a key."""
    row = next(number for number, keys in enumerate(KEYS) if key in keys)
    times = 2 * np.pi * np.arange(round(seconds * RATE)) / RATE
    wave = np.sin(LOW[row] * times) + np.sin(HIGH[KEYS[row].index(key)] * times)
    return np.asarray(amplitude * wave, np.int16)
