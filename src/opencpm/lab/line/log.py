"""The calls of the lab's lines: frames, outcome and the very samples, as evidence."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from opencpm.protocols.fsk.events import Trace
from opencpm.protocols.g711 import Samples

MAX_CALLS = 200
_WITH_SOUND = 20
_LONGEST = 8000 * 90
_QUIET = np.zeros(160, np.int16)


@dataclass(slots=True, eq=False)
class CallRecord:
    """One call at a line. ``at`` epoch seconds; ``end`` how it ended, empty while it lasts. ``trace`` are the frames
    the line heard and said, with the second of the call."""

    at: float
    line: str
    caller: str
    called: str
    dialled_by_line: bool = False
    end: str = ""
    trace: list[Trace] = field(default_factory=list)
    protocol: int = 0
    samples: int = 0
    _heard: list[Samples] = field(default_factory=list)
    _said: list[Samples] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """Of audio, in each direction."""
        return self.samples / 8000

    @property
    def frames(self) -> list[str]:
        """The octets of all frames in hex, in order, with who said them."""
        return [f"{'line' if t.what == 'said' else 'far end'}: {t.frame}" for t in self.trace if t.frame]

    def heard(self) -> Samples:
        """What came to the line, as it came (faults included)."""
        return _joined(self._heard)

    def said(self) -> Samples:
        """What the line said."""
        return _joined(self._said)

    def keep(self, heard: Samples, said: Samples | None) -> None:
        """What was heard since the last time, and another 20 ms said."""
        self.samples += len(heard)
        if self.samples <= _LONGEST:
            self._heard.append(heard)
            self._said.append(_QUIET if said is None else said)

    def mute(self) -> None:
        """Forget the sound."""
        self._heard.clear()
        self._said.clear()


def _joined(parts: Sequence[Samples]) -> Samples:
    return np.concatenate(parts) if parts else np.zeros(0, np.int16)


class CallLog:
    """The last calls; the last few of them with their sound."""

    def __init__(self) -> None:
        self.calls: deque[CallRecord] = deque(maxlen=MAX_CALLS)

    def begin(self, record: CallRecord) -> CallRecord:
        self.calls.append(record)
        if len(self.calls) > _WITH_SOUND:
            self.calls[-_WITH_SOUND - 1].mute()
        return record

    def of(self, line: str) -> list[CallRecord]:
        """The calls of one line, oldest first."""
        return [call for call in self.calls if call.line == line]

    def __iter__(self) -> Iterator[CallRecord]:
        return iter(tuple(self.calls))

    def __len__(self) -> int:
        return len(self.calls)
