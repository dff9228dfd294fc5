"""What a network can carry and how well it is: data, never optional methods."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from opencpm.domain.errors import SendError
from opencpm.domain.report import Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What a connector's network can carry."""

    label: str  # for people: "SMS", "MSN", "CPM devices (SIP)"
    kind: str  # "cpm", "sms", "mms", "im", "mail"
    schemes: frozenset[
        str
    ]  # address schemes it can reach: {"tel"}, {"msn"}; CPM access serves subscribers, not schemes
    access: bool = False  # True: it reaches our own subscribers' devices
    needs_account: bool = False  # the sender must have a linked account of this network's name
    content_types: tuple[str, ...] = ("text/plain",)  # patterns: "image/*", "*/*"
    max_bytes: int = 0  # of content in one message; 0: no limit
    max_segments: int = 0  # where long text is cut; 0: not cut
    reports: frozenset[Status] = frozenset()  # what it can truthfully report
    told: frozenset[Status] = frozenset()  # what it tells its own people of messages that they sent to ours
    sessions: bool = False
    typing: bool = False
    subject: bool = False
    presence: bool = False  # it tells how its people are, and takes what our subscribers publish
    rosters: bool = False  # it keeps contact lists and asks before somebody is put on one
    recalls: bool = False  # it can be asked for a message it has accepted (``interfaces.Recalling``)
    stores: bool = False  # it keeps messages for receivers who are away (SMS does, an MSN switchboard does not)
    number_types: frozenset[str] = frozenset({"mobile", "fixed", "unknown"})  # for "tel": what it serves


class HealthState(StrEnum):
    UP = "up"
    BUSY = "busy"  # up, but its queue is full: try later
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Health:
    """Whether a connector can carry a message now, judged by real traffic, and since when."""

    state: HealthState
    detail: str = ""  # for the operator: "bound to 127.0.0.1:2775 as cpm" / "wrong password; next try in 60 s"
    since: float = 0.0
    backlog: int = 0  # deliveries handed to it and not settled


class Availability(StrEnum):
    AVAILABLE = "available"
    BUSY = "busy"
    AWAY = "away"
    OFFLINE = "offline"
    UNKNOWN = "unknown"  # this network cannot tell (SMS)


@dataclass(frozen=True, slots=True)
class Reach:
    """What a connector knows, at this moment and without asking the wire, about reaching an address."""

    availability: Availability
    features: frozenset[str] = frozenset()  # of the devices: "session", "largemsg", "cpim"
    detail: str = ""  # "2 devices registered", "status BSY", "not on the contact list"


UNKNOWN_REACH = Reach(Availability.UNKNOWN)


class Fit(NamedTuple):
    """How a message would go through a network: a dry run of its content rules."""

    segments: int = 1
    losses: tuple[str, ...] = ()  # what the receiver will not get: "subject is put before the text"
    error: SendError | None = None  # it cannot carry this at all, and why


WHOLE = Fit()
