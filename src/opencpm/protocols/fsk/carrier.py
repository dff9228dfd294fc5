"""Is there a carrier? Judged every 10 ms by what share of the power lies at the two tones.

Data of V.23 has a share of about 2.3 (in the units here), white noise 1.15, voice and network tones less than 1: a
line may be noisy, loud or faint and still be told from one that carries data.
"""

from __future__ import annotations

import numpy as np

from .tones import MARK, RATE, SPACE, Array, Floats

BLOCK = 80
"""Samples judged together: 10 ms."""
_WINDOW = 7
_HOP = 10
_LEAST = 150.0**2
"""Square of the smallest amplitude that counts."""
_ON = 1.85
_OFF = 1.55
_FADED = 0.15
"""Of the level so far: less is the end, whatever is left."""


def _bank() -> Floats:
    """Correlations of a block with both tones in windows of one bit, as one matrix."""
    samples = np.arange(BLOCK)
    columns = []
    for begin in range(0, BLOCK - _WINDOW, _HOP):
        window = (samples >= begin) & (samples < begin + _WINDOW)
        for tone in (MARK, SPACE):
            angle = 2 * np.pi * tone / RATE * samples
            columns += [np.cos(angle) * window, np.sin(angle) * window]
    count = len(columns) // 4
    return np.asarray(np.stack(columns, axis=1) * (2 / _WINDOW / np.sqrt(count)))


_BANK = _bank()


def measure(blocks: Array) -> tuple[list[float], list[float]]:
    """Power at the tones and power in all, of each block (a row)."""
    real = blocks.astype(np.float64)
    tones = real @ _BANK
    return np.einsum("ij,ij->i", tones, tones).tolist(), (np.einsum("ij,ij->i", real, real) / BLOCK).tolist()


class Carrier:
    """Hysteresis over blocks. ``on`` after two blocks with enough; ``off`` after one with too little."""

    __slots__ = ("_level", "_share", "on")

    def __init__(self) -> None:
        self.on = False
        self._level = 0.0
        self._share = 0.0

    def block(self, tones: float, power: float) -> bool:
        """Take the next block; whether there is a carrier now."""
        share = tones / power if power > 1.0 else 0.0
        both, self._share = (share + self._share) / 2, share
        if not self.on:
            self.on = tones > _LEAST and both > _ON
            self._level = tones
        elif tones < _FADED * self._level or tones < _LEAST / 4 or both < _OFF:
            self.on = False
            self._share = 0.0
        else:
            self._level += 0.1 * (tones - self._level)
        return self.on
