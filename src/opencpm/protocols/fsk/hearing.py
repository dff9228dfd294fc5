"""What is on a line where no short message terminal speaks, in words: silence, a voice, a steady tone, keys."""

from __future__ import annotations

import numpy as np

from .tones import RATE, Floats, Samples

_KEPT = RATE * 2
_LOUD = 200.0
"""Root mean square over which something is heard: -44 dB under the largest."""
_STEADY = 0.8
"""Share of the power in one or two narrow peaks that makes it tones rather than a voice."""
_KEYS = ((697, 770, 852, 941), (1209, 1336, 1477, 1633))
_WIDTH = 25.0


class Hearing:
    """Keeps the last two seconds in which there was anything to hear."""

    def __init__(self) -> None:
        self._loud: list[Samples] = []
        self._kept = 0
        self.samples = 0

    def feed(self, samples: Samples) -> None:
        self.samples += len(samples)
        if not len(samples) or float(np.abs(samples).max()) < _LOUD:
            return
        self._loud.append(samples)
        self._kept += len(samples)
        while self._kept > _KEPT and len(self._loud) > 1:
            self._kept -= len(self._loud.pop(0))

    def verdict(self) -> str:
        """What was heard, for people."""
        if self._kept < RATE // 20:
            return "silence"
        wave = np.concatenate(self._loud).astype(np.float64)
        spectrum = np.abs(np.fft.rfft(wave * np.hanning(len(wave)))) ** 2
        hertz = np.asarray(np.fft.rfftfreq(len(wave), 1 / RATE), np.float64)
        spectrum[hertz < 200] = 0.0
        first, share = _peak(spectrum, hertz)
        if share > _STEADY:
            return _tone(first)
        second, more = _peak(np.where(np.abs(hertz - first) < _WIDTH, 0.0, spectrum), hertz, spectrum.sum())
        if share + more > _STEADY:
            low, high = sorted((first, second))
            if _near(low, _KEYS[0]) and _near(high, _KEYS[1]):
                return "telephone keys"
            return "the tones of a network or a machine"
        return "a voice or music"


def _peak(spectrum: Floats, hertz: Floats, whole: float = 0.0) -> tuple[float, float]:
    """The strongest frequency and the share of power around it."""
    whole = whole or float(spectrum.sum()) or 1.0
    at = float(hertz[int(np.argmax(spectrum))])
    return at, float(spectrum[np.abs(hertz - at) < _WIDTH].sum()) / whole


def _tone(hertz: float) -> str:
    if abs(hertz - 2100) < 30:
        return "the answer tone of a fax machine or a modem"
    if abs(hertz - 1100) < 40:
        return "the calling tone of a fax machine"
    return f"a steady tone of {round(hertz, -1):.0f} Hz"


def _near(hertz: float, tones: tuple[int, ...]) -> bool:
    return any(abs(hertz - tone) < 20 for tone in tones)
