"""The telephone exchange: a SIP gateway with lines behind it, which can call and be called."""

from __future__ import annotations

import time
from collections.abc import Sequence
from types import TracebackType

from opencpm.lab.smsc.happenings import Happening, Happenings
from opencpm.protocols.fsk.call import LineCall
from opencpm.protocols.fsk.events import Arrived, Event, Item, Terms
from opencpm.protocols.g711 import Samples
from opencpm.protocols.telephone.caller import same_number
from opencpm.protocols.telephone.events import (
    Answered,
    Call,
    HungUp,
    Offered,
    Refused,
)
from opencpm.protocols.telephone.events import Event as PhoneEvent
from opencpm.transport.telephone import Telephone
from opencpm.transport.voice import Voice

from .audio import Manner, player, sound_of
from .centre import LabCentre
from .end import LabCall, Prank
from .faults import Faults
from .handset import Handset
from .log import CallLog, CallRecord

_LOOPBACK = ("127.0.0.1", "::1", "localhost")
Speaker = Handset | LabCentre


class LabExchange:
    """One gateway. Numbers without a line do not exist."""

    def __init__(self, host: str = "127.0.0.1", port: int = 0, *, terms: Terms | None = None) -> None:
        if host not in _LOOPBACK:
            raise ValueError("the lab listens on loopback only")
        self.faults = Faults()
        self.log = CallLog()
        self.happenings = Happenings()
        self.handsets: dict[str, Handset] = {}
        self.centres: dict[str, LabCentre] = {}
        self.manners: dict[str, Manner] = {}
        self._host, self._port = host, port
        self._terms = terms or Terms(strict=False)
        self._phone: Telephone | None = None
        self._server: tuple[str, int] | None = None

    async def __aenter__(self) -> LabExchange:
        self._phone = Telephone(self._host, self._port, self._event, name="OpenCPM lab exchange")
        self._port = self._phone.address[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.phone.close()
        self._phone = None

    @property
    def phone(self) -> Telephone:
        assert self._phone is not None, "the exchange is not running"
        return self._phone

    @property
    def address(self) -> tuple[str, int]:
        return self.phone.address

    def connect(self, server: tuple[str, int]) -> None:
        """Where calls of the lines go: the trunk's other end."""
        self._server = server

    # -- lines

    def handset(self, number: str, centre: str, **options: object) -> Handset:
        """A line with an SMS telephone on it, which knows this centre."""
        found = Handset(number, centre, self.happenings, self._handset_dials, **options)  # type: ignore[arg-type]
        self.handsets[number + found.digit] = found
        return found

    def centre(self, number: str) -> LabCentre:
        """A line with a foreign SMS centre."""
        return self.centres.setdefault(number, LabCentre(number, self.happenings, self._centre_dials))

    def line(self, number: str, manner: Manner) -> None:
        """A line with something else."""
        self.manners[number] = manner

    # -- calls of lines

    def _handset_dials(self, handset: Handset, items: Sequence[Item]) -> None:
        self._dial(handset, handset.number, handset.centre + handset.digit, items)

    def _centre_dials(self, centre: LabCentre, line: str, items: Sequence[Item]) -> None:
        self._dial(centre, centre.number, line, items)

    def _dial(self, speaker: Speaker, line: str, number: str, items: Sequence[Item]) -> None:
        if self._server is None:
            speaker.failed(items, "no trunk")
            return
        host, port = self._server
        machine = LineCall(
            caller=True,
            centre=isinstance(speaker, LabCentre),
            items=items,
            protocols=speaker.protocols,
            terms=self._terms,
        )
        voice = self.phone.voice()
        flow = self.phone.flow_to((host, port))
        call = self.phone.dial(flow, number, line, f"{host}:{port}", voice)
        record = self.log.begin(CallRecord(time.time(), line, line, number, dialled_by_line=True))
        call.context = self._join(speaker, call, voice, machine, record)

    def prank(self, number: str, caller: str, sound: Samples) -> CallRecord:
        """Call a number of the server and play this, over and over, without ever hanging up."""
        assert self._server is not None, "connect first"
        host, port = self._server
        voice = self.phone.voice()
        call = self.phone.dial(self.phone.flow_to((host, port)), number, caller, f"{host}:{port}", voice)
        record = self.log.begin(CallRecord(time.time(), caller, caller, number, dialled_by_line=True))
        call.context = Prank(self.phone, call, voice, record, sound)
        return record

    # -- calls to lines

    def _event(self, event: PhoneEvent) -> None:
        if isinstance(event, Offered):
            self._offered(event.call)
        elif isinstance(event, Answered):
            if isinstance(event.call.context, LabCall | Prank):
                event.call.context.talk()
        elif isinstance(event, Refused):
            if isinstance(event.call.context, LabCall | Prank):
                event.call.context.gone()
                event.call.context.record.end = f"{event.status} {event.reason}"
        elif isinstance(event, HungUp):
            self._gone(event.call)

    def _gone(self, call: Call) -> None:
        if isinstance(call.context, LabCall | Prank):
            call.context.gone()
        elif isinstance(call.context, Voice):
            self.phone.pacer.remove(call.context)

    def _offered(self, call: Call) -> None:
        self._happen("ringing", call.called, call.caller)
        if self.faults.gateway:
            self.phone.refuse(call, self.faults.gateway)
            return
        manner = self._manner_of(call.called)
        if manner is not None:
            self._behave(call, manner)
            return
        speaker = self._speaker_for(call)
        if speaker is None:
            self.phone.refuse(call, 404)
        elif isinstance(speaker, Handset) and not speaker.answers(call.caller):
            self.phone.ring(call)  # a call for people: it rings
        else:
            self._answer(speaker, call)

    def _manner_of(self, number: str) -> Manner | None:
        for busy, manner in ((self.faults.busy, Manner.BUSY), (self.faults.no_answer, Manner.NO_ANSWER)):
            if any(same_number(number, one) for one in busy):
                return manner
        return next((manner for one, manner in self.manners.items() if same_number(number, one)), None)

    def _speaker_for(self, call: Call) -> Speaker | None:
        """The terminal of the line that the call is for; else any terminal on it."""
        here = [one for one in self.handsets.values() if same_number(call.called, one.number)]
        found = next((one for one in here if one.answers(call.caller)), here[0] if here else None)
        if found is not None:
            return found
        return next((one for number, one in self.centres.items() if same_number(call.called, number)), None)

    def _behave(self, call: Call, manner: Manner) -> None:
        if manner is Manner.BUSY:
            self.phone.refuse(call, 486)
        elif manner is Manner.GONE:
            self.phone.refuse(call, 404)
        elif manner is Manner.NO_ANSWER:
            self.phone.ring(call)
        else:
            record = self.log.begin(CallRecord(time.time(), call.called, call.caller, call.called))
            voice = self.phone.voice()
            call.context = voice
            self.phone.accept(call, voice)
            play = player(sound_of(manner))
            self.phone.talk(call, voice, lambda heard: _recorded(record, heard, play(heard)))

    def _answer(self, speaker: Speaker, call: Call) -> None:
        machine = LineCall(
            caller=False,
            centre=isinstance(speaker, LabCentre),
            protocols=speaker.protocols,
            terms=self._terms,
        )
        voice = self.phone.voice()
        record = self.log.begin(CallRecord(time.time(), speaker.number, call.caller, call.called))
        lab_call = self._join(speaker, call, voice, machine, record)
        call.context = lab_call
        self.phone.accept(call, voice)
        if call.remote is not None:
            lab_call.talk()

    def _join(self, speaker: Speaker, call: Call, voice: Voice, machine: LineCall, record: CallRecord) -> LabCall:
        def heard(lab_call: LabCall, events: Sequence[Event]) -> None:
            speaker.heard(lab_call, [event for event in events if not self._is_spoilt(lab_call, event)])

        return LabCall(self.phone, call, voice, machine, self.faults, record, heard)

    def _is_spoilt(self, call: LabCall, event: Event) -> bool:
        """What the faults do to a message that arrived."""
        if not isinstance(event, Arrived):
            return False
        if self.faults.hang_up > 0:
            self.faults.hang_up -= 1
            call.hang_up("hung up by the fault")
            return True
        if self.faults.refuse > 0:
            self.faults.refuse -= 1
            call.machine.refuse(self.faults.cause)
            return True
        return False

    def _happen(self, what: str, number: str, peer: str) -> None:
        self.happenings.add(Happening(time.time(), what, number, peer))


def _recorded(record: CallRecord, heard: Samples, said: Samples | None) -> Samples | None:
    record.keep(heard, said)
    return said
