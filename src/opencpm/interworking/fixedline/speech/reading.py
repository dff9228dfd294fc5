"""One call in which a text is read: a machine, sound in and out; time is counted in samples."""

from __future__ import annotations

import numpy as np

from opencpm.protocols.dtmf import Ear
from opencpm.protocols.g711 import Samples
from opencpm.protocols.rtp import PACKET

_RATE = 8000
_BEFORE = round(1.2 * _RATE)
"""Silence before we speak: people say hello first."""
_BETWEEN = round(0.6 * _RATE)
_LISTEN = 5 * _RATE
_AGAIN = "1"


class Reading:
    """``complete``: the text was read to its end while somebody was on the line; ``times`` how often; ``key``: a person
    pressed one."""

    def __init__(self, introduction: Samples, text: Samples, prompt: Samples, repeats: int) -> None:
        self.over = self.key = False
        self.times = 0
        self.samples = 0
        self._ear = Ear()
        self._repeats = repeats
        quiet = np.zeros(_BETWEEN, np.int16)
        self._sound = np.concatenate((introduction, quiet, text, quiet, prompt))
        self._end_of_text = len(introduction) + len(quiet) + len(text)
        self._at = -_BEFORE
        self._listening = 0

    @property
    def complete(self) -> bool:
        return self.times > 0

    @property
    def seconds(self) -> float:
        return self.samples / _RATE

    def turn(self, heard: Samples) -> Samples | None:
        """20 ms of the call."""
        self.samples += PACKET
        if _AGAIN in (keys := self._ear.feed(heard)):
            self._again()
        self.key = self.key or bool(keys)
        if self._at >= len(self._sound):
            self._listening += PACKET
            self.over = self.over or self._listening > _LISTEN or self.times >= self._repeats
            return None
        before, self._at = self._at, self._at + PACKET
        if before < self._end_of_text <= self._at:
            self.times += 1
        if before < 0:
            return None
        part = self._sound[before : self._at]
        return part if len(part) == PACKET else np.concatenate((part, np.zeros(PACKET - len(part), np.int16)))

    def _again(self) -> None:
        """Only what has been read once is read again."""
        if self._at >= self._end_of_text and self.times < self._repeats:
            self._at, self._listening = -_BETWEEN, 0
