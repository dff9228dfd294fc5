"""One telephone call with a modem in it: what the agent, the voice and the line machine tell each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from opencpm.protocols.fsk.call import LineCall
from opencpm.protocols.fsk.events import Event
from opencpm.protocols.g711 import Samples
from opencpm.protocols.rtp import PACKET
from opencpm.protocols.telephone.events import Call, Stage
from opencpm.transport.telephone import Telephone
from opencpm.transport.voice import Voice

from .outbox import Job
from .settings import TrunkSettings

Heard = Callable[["Visit", Sequence[Event]], None]


class Visit:
    """A call under way. ``line`` is the number at the far end, ``ours`` the number that it knows us by."""

    __slots__ = (
        "_heard",
        "_phone",
        "call",
        "established",
        "jobs",
        "line",
        "machine",
        "ours",
        "outgoing",
        "since",
        "subaddress",
        "trunk",
        "voice",
    )

    def __init__(
        self,
        phone: Telephone,
        trunk: TrunkSettings,
        line: str,
        ours: str,
        machine: LineCall,
        voice: Voice,
        heard: Heard,
        since: float,
    ) -> None:
        self._phone, self._heard = phone, heard
        self.trunk, self.line, self.ours = trunk, line, ours
        self.machine, self.voice = machine, voice
        self.since = since
        self.subaddress = ""
        self.outgoing = self.established = False
        self.jobs: Sequence[Job] = ()
        self.call: Call | None = None

    @property
    def answered(self) -> bool:
        return self.call is not None and self.call.stage is Stage.UP

    def talk(self) -> None:
        """Both ends know where the other hears: let the modem speak."""
        assert self.call is not None
        self._phone.talk(self.call, self.voice, self._turn, round(self.trunk.jitter * 8000))

    def _turn(self, heard: Samples) -> Samples | None:
        """What was heard since the last time; 20 ms to say."""
        events = self.machine.feed(heard)
        if events:
            self._heard(self, events)
        return None if self.machine.over else self.machine.play(PACKET)

    def gone(self) -> Sequence[Event]:
        """The far end hung up, or the call never came about."""
        self._phone.pacer.remove(self.voice)
        return self.machine.gone()

    def hang_up(self) -> None:
        self._phone.pacer.remove(self.voice)
        if self.call is not None:
            self._phone.hang_up(self.call)

    def far_end(self) -> str:
        """Who says what a failure says: the line itself where something spoke, else nobody but us."""
        return "the line" if self.machine.seconds else "this server"

    def summary(self) -> str:
        """For the trail: how the call was, without what was said."""
        protocol = f"protocol {self.machine.protocol}" if self.machine.protocol else "no protocol"
        lost = f", {self.voice.lost} packets lost" if self.voice.lost else ""
        return f"{protocol}, call of {self.machine.seconds:.1f} s from {self.ours} over {self.trunk.name}{lost}"
