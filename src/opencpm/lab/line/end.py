"""One end of a line that speaks: a call with a modem in it, recorded, with faults."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from opencpm.protocols.fsk.call import LineCall
from opencpm.protocols.fsk.events import Ended, Event
from opencpm.protocols.g711 import Samples
from opencpm.protocols.rtp import PACKET
from opencpm.protocols.telephone.events import Call
from opencpm.transport.telephone import Telephone
from opencpm.transport.voice import Voice

from .audio import Spoiler
from .faults import Faults
from .log import CallRecord

Heard = Callable[["LabCall", Sequence[Event]], None]


class LabCall:
    """A call at a lab line. ``heard`` gets what its machine says."""

    def __init__(
        self,
        phone: Telephone,
        call: Call,
        voice: Voice,
        machine: LineCall,
        faults: Faults,
        record: CallRecord,
        heard: Heard,
    ) -> None:
        self.call, self.voice, self.machine, self.record = call, voice, machine, record
        self._phone, self._heard = phone, heard
        self._from_far, self._to_far = Spoiler(faults, "spoil_heard"), Spoiler(faults, "spoil_said")
        self._over = False
        record.trace = machine.trace

    def talk(self) -> None:
        self._phone.talk(self.call, self.voice, self._turn)

    def _turn(self, heard: Samples) -> Samples | None:
        heard = self._from_far.pass_on(heard)
        events = self.machine.feed(heard)
        said = None if self.machine.over else self.machine.play(PACKET)
        said = None if said is None else self._to_far.pass_on(said)
        self.record.keep(heard, said)
        self.record.protocol = self.machine.protocol
        self._tell(events)
        return said

    def _tell(self, events: Sequence[Event]) -> None:
        if events:
            self._heard(self, events)
        for event in events:
            if isinstance(event, Ended):
                self.hang_up(event.end.value)

    def gone(self) -> None:
        """The far end hung up, or never answered."""
        events = self.machine.gone()
        self._over = self._over or not events
        self._phone.pacer.remove(self.voice)
        self._tell(events)

    def hang_up(self, why: str) -> None:
        if not self._over:
            self._over = True
            self.record.end = why
            self._phone.pacer.remove(self.voice)
            self._phone.hang_up(self.call)


class Prank:
    """A caller that is no terminal: it plays its sound for as long as it is let."""

    def __init__(self, phone: Telephone, call: Call, voice: Voice, record: CallRecord, sound: Samples) -> None:
        self.record = record
        self._phone, self._call, self._voice = phone, call, voice
        self._sound, self._at = sound, 0

    def talk(self) -> None:
        self._phone.talk(self._call, self._voice, self._turn)

    def _turn(self, heard: Samples) -> Samples | None:
        places = np.arange(self._at, self._at + PACKET) % max(1, len(self._sound))
        self._at += PACKET
        said = self._sound[places] if len(self._sound) else None
        self.record.keep(heard, said)
        return said

    def gone(self) -> None:
        self.record.end = "hung up by the server"
        self._phone.pacer.remove(self._voice)
