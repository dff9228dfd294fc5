"""What a call tells its owner, what it is given, and the bounds it keeps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, NamedTuple


class Item(NamedTuple):
    """A message to send: its payload in each protocol that can carry it, by number. ``context`` is the caller's."""

    context: Any
    forms: Mapping[int, bytes]


class End(Enum):
    """How a call ended."""

    RELEASED = "released"  # in good order
    NO_TERMINAL = "no terminal"  # nobody on the line speaks short messages
    OTHER_PROTOCOL = "other protocol"  # somebody does, in a protocol that is not allowed here
    UNANSWERED = "unanswered"  # the far end spoke and then said nothing more
    GARBLED = "garbled"  # frames came spoilt again and again
    ENDLESS = "endless"  # a carrier that did not end
    TOO_LONG = "too long"  # the whole call took too long
    TOO_MANY = "too many"  # messages in one call
    HUNG_UP = "hung up"  # the far end did, in the middle


class Arrived(NamedTuple):
    """A message from the far end. Answer with ``accept`` once it is stored, or ``refuse``."""

    payload: bytes
    protocol: int


class Established(NamedTuple):
    """The far end speaks this protocol."""

    protocol: int


class Acknowledged(NamedTuple):
    item: Item
    report: bytes


class Refused(NamedTuple):
    """The far end took it not; final for this message. ``cause`` is a TP-FCS in protocol 1."""

    item: Item
    cause: int
    protocol: int


class Unclear(NamedTuple):
    """It was sent, and no acknowledgement came: whether the far end has it is not known."""

    item: Item


class NotSent(NamedTuple):
    """The call ended before it was sent, or no protocol in use can carry it (``unfit``)."""

    item: Item
    unfit: bool = False


class Ended(NamedTuple):
    """The call is over: hang up. ``detail`` says for people what was heard instead."""

    end: End
    detail: str = ""


Event = Arrived | Established | Acknowledged | Refused | Unclear | NotSent | Ended


@dataclass(frozen=True, slots=True)
class Terms:
    """Bounds of a call, seconds and counts. The defaults are ours: no public text gives the standard's."""

    answer_pause: float = 0.3  # silence after picking up, before EST
    establish_wait: float = 4.0  # the caller's patience for EST
    learn_wait: float = 1.5  # after an EST that nobody answers, before the next protocol's
    nothing: float = 10.0  # of silence in the middle of a call
    endless: float = 9.0  # of carrier without a break
    release_wait: float = 1.0  # for the far end to hang up
    whole: float = 60.0
    repeats: int = 2  # of one frame
    errors: int = 3  # "not understood" said in one call
    messages: int = 10  # taken in one call
    amplitude: float = 5000.0
    strict: bool = True  # a far end that speaks a protocol we may not speak ends the call; else it is not heard


class Trace(NamedTuple):
    """A line of the call's record: ``at`` seconds from the start; ``what`` said, heard, spoilt, short, noise."""

    at: float
    what: str
    frame: str
