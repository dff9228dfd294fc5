"""A telephone line for tests: two ends joined by delay, with things done to what passes; and the recorded calls."""

import re
import wave
from collections import deque
from pathlib import Path

import numpy as np

from opencpm.protocols.fsk.call import LineCall
from opencpm.protocols.fsk.events import Arrived

FIXTURES = Path(__file__).parents[2] / "fixtures" / "line"
PACKET = 160
QUIET = np.zeros(PACKET, np.int16)


def samples(name):
    """The samples of a recording."""
    with wave.open(str(FIXTURES / f"{name}.wav")) as file:
        return np.frombuffer(file.readframes(file.getnframes()), np.int16)


def listed(call, side):
    """The frames that its protocol lists for one side."""
    text = (FIXTURES / f"{call}.txt").read_text()
    return re.findall(rf"^{side} +frame.*: ([0-9a-f]+)$", text, re.MULTILINE)


class Far:
    """A far end that plays samples and is deaf; hangs up when they end if asked to."""

    def __init__(self, wave, hangs_up=False):
        self._wave, self._at, self._hangs_up = wave, 0, hangs_up
        self.over = False

    def feed(self, heard):
        return []

    def play(self, count):
        part = self._wave[self._at : self._at + count]
        self._at += count
        if len(part) < count:
            self.over = self._hangs_up
            return np.concatenate((part, np.zeros(count - len(part), np.int16)))
        return part

    def gone(self):
        self.over = True
        return []


class Wire:
    """Joins two ends. ``spoil(direction, packet number, samples)`` may change or silence what passes; direction "→" is
    from the first end to the second."""

    def __init__(self, first, second, *, delay=2, spoil=None, decide=None):
        self.ends = (first, second)
        self.events = ([], [])
        self._ways = (deque([QUIET] * delay), deque([QUIET] * delay))
        self._spoil = spoil or (lambda direction, number, part: part)
        self._decide = decide or (lambda end, event: end.accept())
        self.packets = 0

    def run(self, seconds=90.0):
        """Until both are over, or so many seconds of audio have passed."""
        while not all(end.over for end in self.ends) and self.packets * 0.02 < seconds:
            self.step()
            for mine, other in ((0, 1), (1, 0)):
                if self.ends[mine].over and not self.ends[other].over:
                    self.events[other].extend(self.ends[other].gone())
        for end, events in zip(self.ends, self.events, strict=True):
            events.extend(end.feed(QUIET[:0]))
        return self

    def step(self):
        for mine, other in ((0, 1), (1, 0)):
            end = self.ends[mine]
            for event in end.feed(self._ways[other].popleft()):
                self.events[mine].append(event)
                if isinstance(event, Arrived):
                    self._decide(end, event)
            part = end.play(PACKET)
            part = QUIET if part is None else part
            self._ways[mine].append(self._spoil("→" if mine == 0 else "←", self.packets, part))
        self.packets += 1

    def of(self, end, kind):
        return [event for event in self.events[end] if isinstance(event, kind)]


def caller(*items, **options):
    return LineCall(caller=True, centre=options.pop("centre", True), items=items, **options)


def answerer(**options):
    return LineCall(caller=False, centre=options.pop("centre", False), **options)
