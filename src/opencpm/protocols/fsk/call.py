"""One telephone call as a machine: samples in, events and samples out; time is the number of samples fed.

    every 20 ms:  events = call.feed(heard)      # 160 samples from the far end
                  play(call.play(160))           # what it hears from us; None is silence
    and           call.accept() / call.refuse(cause) for what arrived, call.gone() when the far end hangs up,
                  hang up when ``call.over`` (what ``play`` and ``gone`` bring about comes with the next ``feed``)

The side that picked up says EST; the caller then sends, one frame at a time, each answered before the next, and
releases. Nothing is said while the far end's carrier is up. Every wait, repetition and the whole call are bounded.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from enum import Enum

import numpy as np

from . import frames2, modulator
from .events import (
    Acknowledged,
    Arrived,
    End,
    Ended,
    Established,
    Event,
    Item,
    NotSent,
    Refused,
    Terms,
    Trace,
    Unclear,
)
from .frames import Dialect, Fault, Meaning, Say, Signal
from .frames1 import Protocol1
from .frames2 import Protocol2
from .hearing import Hearing
from .receiver import Burst, Kind, Receiver
from .tones import BIT, RATE, Samples, samples_of

_MAX_TRACE = 200
_TAIL = int(modulator.TRAILING_MARKS * BIT)
DIALECTS: tuple[Dialect, ...] = (Protocol1(), Protocol2())


class _State(Enum):
    LISTENING = "listening"  # caller: for EST
    ESTABLISHING = "establishing"  # answerer: EST is due or was said, nothing heard yet
    OPEN = "open"
    RELEASING = "releasing"
    OVER = "over"


class LineCall:
    """One end of a call. ``caller``: we dialled. ``centre``: we are the service centre (protocol 2 marks it).

    ``protocols``: the caller understands these; the side that picked up offers them in this order.
    """

    def __init__(
        self,
        *,
        caller: bool,
        centre: bool,
        items: Sequence[Item] = (),
        protocols: Sequence[int] = (1, 2),
        terms: Terms | None = None,
    ) -> None:
        self.over = False
        self.trace: list[Trace] = []
        self._caller, self._centre = caller, centre
        self._terms = terms or Terms()
        self._dialects = [DIALECTS[number - 1] for number in protocols]
        self._dialect = self._dialects[0]
        self._known = False  # the far end has spoken
        self._unclear = False  # something was heard that nobody can read
        self._state = _State.LISTENING if caller else _State.ESTABLISHING
        self._items = deque(items)
        self._item: Item | None = None  # sent, not yet answered
        self._receiver, self._hearing = Receiver(), Hearing()
        self._events: list[Event] = []
        self._now = 0
        self._heard_at = 0
        self._carrier_since = 0
        self._deadline: int | None = samples_of(self._terms.establish_wait) if caller else None
        self._pending: Signal | None = None
        self._not_before = 0
        self._playing: Samples | None = None
        self._played = 0
        self._last: Signal | None = None
        self._answer: Signal | None = None  # our last acknowledgement
        self._repeats = self._errors = self._taken = self._answered_again = 0
        self._undecided: bytes | None = None
        self._last_taken: bytes | None = None
        self._after: Ended | None = None  # ends the call once what is pending has been said
        self._outcome = End.RELEASED
        if not caller:
            self._say(self._dialect.establish(), samples_of(self._terms.answer_pause))

    # -- what the owner calls

    @property
    def protocol(self) -> int:
        """The protocol in use; 0 while the far end has not spoken."""
        return self._dialect.number if self._known else 0

    @property
    def seconds(self) -> float:
        """Of audio so far."""
        return self._now / RATE

    def feed(self, samples: Samples) -> list[Event]:
        """What came from the far end; what it means."""
        if self.over:
            return self._take()
        self._now += len(samples)
        if not self._known:
            self._hearing.feed(samples)
        if self._playing is not None and len(self._playing) - self._played > _TAIL + len(samples):
            samples = np.zeros(len(samples), np.int16)  # we hear ourselves
        for burst in self._receiver.feed(samples):
            if not self.over:
                self._burst(burst)
        if not self.over:
            self._tick()
        return self._take()

    def play(self, count: int) -> Samples | None:
        """The next samples for the far end; None: silence."""
        if self._playing is None:
            if self._pending is None or not self._may_speak():
                return None
            self._begin(self._pending)
        assert self._playing is not None
        part = self._playing[self._played : self._played + count]
        self._played += count
        if self._played >= len(self._playing):
            self._spoken()
        if len(part) < count:
            part = np.concatenate((part, np.zeros(count - len(part), np.int16)))
        return part

    def accept(self, report: bytes = b"") -> None:
        """What arrived is stored: acknowledge it (protocol 1: with this report)."""
        self._decided(self._dialect.ack(report))

    def refuse(self, cause: int) -> None:
        """What arrived is not taken; ``cause`` is a TP-FCS."""
        self._decided(self._dialect.refusal(cause))

    def gone(self) -> list[Event]:
        """The far end hung up."""
        if not self.over:
            polite = self._state is _State.RELEASING or self._after is not None
            unheard = not self._known
            self._finish(self._outcome if polite else End.HUNG_UP, self._hearing.verdict() if unheard else "")
        return self._take()

    # -- hearing

    def _burst(self, burst: Burst) -> None:
        self._heard_at = self._now
        frame = burst.frame
        self._note("heard" if burst.kind in (Kind.FRAME, Kind.SEIZURE) else burst.kind.value, frame)
        if burst.kind is Kind.NOISE:
            self._unclear = True
            return
        certain = burst.kind in (Kind.FRAME, Kind.SEIZURE)
        if certain and not self._known and not self._learn(burst):
            return
        if burst.kind is Kind.SEIZURE:
            self._understood(Meaning(Say.ESTABLISH))
        elif burst.kind is Kind.SPOILT:
            self._not_understood(Fault.CHECKSUM)
        elif burst.kind is Kind.SHORT or len(frame) > self._dialect.longest + 3:
            self._not_understood(Fault.LENGTH)
        else:
            self._understood(self._dialect.read(frame))

    def _learn(self, burst: Burst) -> bool:
        """The first thing understood shows the protocol: by the channel seizure, or by its form."""
        number = 2 if burst.seizure or frames2.looks_like(burst.frame) else 1
        dialect = next((each for each in self._dialects if each.number == number), None)
        if dialect is None:
            if self._terms.strict:
                self._finish(End.OTHER_PROTOCOL, f"the line speaks protocol {number}")
            return False
        self._dialect = dialect
        self._known = True
        self._events.append(Established(number))
        return True

    def _understood(self, meaning: Meaning) -> None:
        say = meaning.say
        if say is Say.ESTABLISH:
            self._established()
        elif say is Say.DATA:
            self._data(meaning.payload)
        elif say in (Say.ACK, Say.REFUSAL):
            self._answered(meaning)
        elif say is Say.AGAIN:
            self._asked_again()
        elif say is Say.ENQUIRY:
            self._say(self._answer or self._dialect.again(Fault.UNKNOWN))
        elif say is Say.RELEASE:
            self._released()
        else:
            self._not_understood(Fault.EXTENSION if say is Say.EXTENDED else Fault.UNKNOWN)

    def _established(self) -> None:
        if self._state is _State.LISTENING:
            self._state = _State.OPEN
            self._next()
        elif self._caller and self._item is not None:  # our first frame was lost
            self._repeat()

    def _data(self, payload: bytes) -> None:
        if self._state is _State.ESTABLISHING:
            self._state = _State.OPEN
        if self._undecided is not None:
            return  # the far end is impatient: its answer comes once the message is stored
        self._deadline = None
        if payload == self._last_taken and self._answer is not None:
            self._answered_again += 1
            if self._answered_again > self._terms.errors:
                self._give_up(End.GARBLED)
            else:
                self._say(self._answer)  # the answer was lost
        elif self._taken >= self._terms.messages:
            self._give_up(End.TOO_MANY)
        else:
            self._taken += 1
            self._undecided = payload
            self._events.append(Arrived(payload, self._dialect.number))

    def _decided(self, answer: Signal) -> None:
        if self._undecided is None or self.over:
            return
        self._last_taken, self._undecided = self._undecided, None
        self._answered_again = 0
        self._answer = answer
        self._errors = 0
        self._say(answer)

    def _answered(self, meaning: Meaning) -> None:
        if self._state is _State.RELEASING:
            self._finish(self._outcome)
        elif self._item is not None:
            item, self._item = self._item, None
            if meaning.say is Say.ACK:
                self._events.append(Acknowledged(item, meaning.payload))
            else:
                self._events.append(Refused(item, meaning.cause, self._dialect.number))
            self._next()

    def _asked_again(self) -> None:
        if self._state is _State.RELEASING:
            self._finish(self._outcome)
        else:
            self._repeat()

    def _released(self) -> None:
        answer = self._dialect.released()
        if answer is None:
            self._finish(End.RELEASED)
        else:
            self._after = Ended(End.RELEASED)
            self._say(answer)

    def _not_understood(self, fault: Fault) -> None:
        self._errors += 1
        if self._errors > self._terms.errors:
            self._give_up(End.GARBLED)
        else:
            self._deadline = None
            self._say(self._dialect.again(fault), keep=True)

    # -- speaking

    def _next(self) -> None:
        """The next message, or the release."""
        while self._items:
            item = self._items.popleft()
            payload = item.forms.get(self._dialect.number)
            if payload is None:
                self._events.append(NotSent(item, True))
                continue
            self._item, self._repeats = item, 0
            self._say(self._dialect.data(payload, self._centre))
            return
        self._release()

    def _release(self) -> None:
        self._state = _State.RELEASING
        self._say(self._dialect.release())

    def _repeat(self) -> None:
        self._repeats += 1
        if self._repeats > self._terms.repeats or self._last is None:
            self._give_up(End.GARBLED if self._receiver.quiet < RATE else End.UNANSWERED)
        else:
            self._say(self._last)

    def _give_up(self, end: End) -> None:
        """Release where it is ours to do, then hang up."""
        self._outcome = end
        if self._caller and self._known and self._state is not _State.RELEASING:
            self._drop_items()
            self._release()
        else:
            self._finish(end)

    def _say(self, signal: Signal, after: int = 0, *, keep: bool = False) -> None:
        """Say as soon as the line has been quiet for the gap; ``keep``: this is not what a repetition repeats."""
        self._pending = signal
        self._not_before = after
        if not keep:
            self._last = signal

    def _may_speak(self) -> bool:
        receiver = self._receiver
        return (
            not receiver.carrier and self._now >= self._not_before and receiver.quiet >= samples_of(self._dialect.gap)
        )

    def _begin(self, signal: Signal) -> None:
        seizure = modulator.SEIZURE if signal.seizure else 0
        self._playing = modulator.burst(signal.frame, seizure=seizure, amplitude=self._terms.amplitude)
        self._played, self._pending = 0, None
        self._note("said", signal.frame)

    def _spoken(self) -> None:
        self._playing = None
        self._heard_at = self._now
        if self._after is not None:
            self._finish(*self._after)
        elif self._state is _State.ESTABLISHING:
            self._in(self._terms.learn_wait if len(self._dialects) > 1 else self._terms.nothing)
        elif self._state is _State.RELEASING:
            two = self._dialect.released() is not None
            self._in(self._dialect.patience if two else self._terms.release_wait)
        else:
            self._in(self._dialect.patience if self._caller else self._terms.nothing)

    # -- time

    def _in(self, seconds: float) -> None:
        self._deadline = self._now + samples_of(seconds)

    def _tick(self) -> None:
        now, terms = self._now, self._terms
        if not self._receiver.carrier:
            self._carrier_since = now
        if now > samples_of(terms.whole):
            self._finish(End.TOO_LONG if self._known else End.NO_TERMINAL, "" if self._known else self._verdict())
        elif now - self._carrier_since > samples_of(terms.endless):
            self._finish(End.ENDLESS, "the other end's carrier did not end")
        elif self._receiver.carrier or self._playing is not None or self._undecided is not None:
            self._heard_at = now
        elif self._deadline is not None and now >= self._deadline:
            self._deadline = None
            self._overdue()
        elif now - max(self._heard_at, 0) > samples_of(terms.nothing) and self._pending is None:
            self._overdue()

    def _overdue(self) -> None:
        """Nothing came in time."""
        if self._state is _State.LISTENING:
            self._finish(End.NO_TERMINAL, self._verdict())
        elif self._state is _State.ESTABLISHING:
            self._establish_otherwise()
        elif self._state is _State.RELEASING:
            self._finish(self._outcome)
        elif self._item is not None:
            self._repeat()
        elif self._caller:
            self._release()
        else:
            self._finish(End.UNANSWERED)

    def _establish_otherwise(self) -> None:
        """Offer the next protocol, or the same again to somebody who said something; the last offer is waited for
        long."""
        if self._known:
            self._finish(End.UNANSWERED)
            return
        if self._unclear and self._repeats < self._terms.repeats:
            self._repeats, self._unclear = self._repeats + 1, False
            self._say(self._dialect.establish())
            return
        self._dialects = self._dialects[1:]
        if not self._dialects:
            self._finish(End.NO_TERMINAL, self._verdict())
            return
        self._dialect = self._dialects[0]
        self._say(self._dialect.establish())

    def _verdict(self) -> str:
        return self._hearing.verdict()

    # -- the end

    def _drop_items(self) -> None:
        if self._item is not None:
            self._events.append(Unclear(self._item))
            self._item = None
        self._events.extend(NotSent(item) for item in self._items)
        self._items.clear()

    def _finish(self, end: End, detail: str = "") -> None:
        self._drop_items()
        self._events.append(Ended(end, detail))
        self._state, self.over = _State.OVER, True
        self._playing = self._pending = None

    def _note(self, what: str, frame: bytes) -> None:
        if len(self.trace) < _MAX_TRACE:
            self.trace.append(Trace(round(self._now / RATE, 3), what, frame.hex()))

    def _take(self) -> list[Event]:
        events, self._events = self._events, []
        return events
