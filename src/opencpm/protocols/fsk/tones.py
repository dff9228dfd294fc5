"""The numbers of ITU-T V.23 mode 2 at 8000 samples a second, as ETSI ES 201 912 uses it for short messages."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

RATE = 8000
"""Samples a second, of G.711 and of everything here."""
BAUD = 1200
MARK = 1300.0
"""Hz; binary 1 and the idle state."""
SPACE = 2100.0
"""Hz; binary 0."""
BIT = RATE / BAUD
"""Samples of one bit: 6 2/3."""

Samples = NDArray[np.int16]
Floats = NDArray[np.float64]
Complexes = NDArray[np.complex128]
Array = NDArray[Any]


def samples_of(seconds: float) -> int:
    """Seconds as a number of samples."""
    return round(seconds * RATE)


def silence(count: int) -> Samples:
    return np.zeros(count, np.int16)
