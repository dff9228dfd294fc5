"""What lines without a handset of ours sound like, and what faults do to sound."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

import numpy as np

from opencpm.protocols.dtmf import tones_of
from opencpm.protocols.g711 import Samples
from opencpm.protocols.rtp import PACKET

from .faults import Faults

_RATE = 8000
_LOUD = 100
_MIDDLE = 6  # the packet of a frame that is spoilt: past the marks before it


class Manner(Enum):
    """How a line without an SMS terminal behaves when it is called."""

    VOICE = "a person answers"
    FAX = "a fax machine answers"
    SILENT = "somebody picks up and says nothing"
    PRESSES = "somebody listens and presses 1 now and then"
    MARKS = "a carrier without end answers"
    BUSY = "busy"
    NO_ANSWER = "rings, nobody answers"
    GONE = "no such line"


def sound_of(manner: Manner) -> Samples:
    """Ten seconds of it."""
    times = np.arange(10 * _RATE) / _RATE
    if manner is Manner.FAX:
        wave = 6000 * np.sin(2 * np.pi * 2100 * times) * (times < 3.3)
    elif manner is Manner.MARKS:
        wave = 5000 * np.sin(2 * np.pi * 1300 * times)
    elif manner is Manner.VOICE:
        wave = _voice(times)
    elif manner is Manner.PRESSES:
        wave = np.zeros(len(times))
        for second in range(2, 10, 2):
            wave[second * _RATE : second * _RATE + 1600] = tones_of("1")
    else:
        wave = np.zeros(len(times))
    return np.asarray(wave, np.int16)


def _voice(times: np.ndarray[tuple[int], np.dtype[np.float64]]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Syllables: a buzz of 120 Hz with moving formants, four a second, pauses between words."""
    buzz = sum(np.sin(2 * np.pi * 120 * n * times + n) / (1 + ((120 * n - 600) / 400) ** 2) for n in range(1, 28))
    syllables = np.clip(np.sin(2 * np.pi * 4 * times), 0, 1) * (np.sin(2 * np.pi * 0.7 * times) > -0.5)
    return np.asarray(3000 * buzz * syllables, np.float64)


class Spoiler:
    """Does to one direction of one call what the faults say."""

    def __init__(self, faults: Faults, count: str) -> None:
        self._faults, self._count = faults, count
        self._random = np.random.default_rng(7)
        self._loud = 0

    def pass_on(self, samples: Samples) -> Samples:
        faults = self._faults
        if not len(samples):
            return samples
        self._loud = self._loud + 1 if int(np.abs(samples).max(initial=0)) > _LOUD else 0
        if self._loud == _MIDDLE and getattr(faults, self._count) > 0:
            setattr(faults, self._count, getattr(faults, self._count) - 1)
            samples = np.zeros(len(samples), np.int16)
        if faults.lose and self._random.random() < faults.lose:
            samples = np.zeros(len(samples), np.int16)
        if faults.noise:
            noisy = samples + self._random.standard_normal(len(samples)) * faults.noise
            samples = np.clip(noisy, -32768, 32767).astype(np.int16)
        return samples


Turn = Callable[[Samples], "Samples | None"]


def player(sound: Samples) -> Turn:
    """A far end that plays this and is deaf."""
    at = 0

    def turn(heard: Samples) -> Samples | None:
        nonlocal at
        part = sound[at : at + PACKET]
        at += PACKET
        return part if len(part) == PACKET else None

    return turn
