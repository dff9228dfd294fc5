"""A call as its agent keeps it, and what happens to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any, NamedTuple

from opencpm.protocols.sip.dialog import Dialog
from opencpm.protocols.sip.message import Message
from opencpm.protocols.sip.transaction import ServerTransaction

from .audio import Audio


class Stage(Enum):
    CALLING = "calling"
    WITHDRAWN = "withdrawn"  # we hung up before it was answered
    OFFERED = "offered"
    UP = "up"
    OVER = "over"


@dataclass(slots=True, eq=False)
class Call:
    """``caller`` and ``called`` are numbers as on the wire; ``remote`` and ``law`` are known once both have said."""

    outgoing: bool
    caller: str
    called: str
    flow: Any
    stage: Stage
    mine: Audio
    remote: Audio | None = None
    law: int = 8
    context: Any = None
    dialog: Dialog | None = None
    request: Message | None = None  # the INVITE
    transaction: ServerTransaction | None = None
    tag: str = ""
    branch: str = ""
    ringing: bool = False  # a provisional response came: now a CANCEL may be sent
    credentials: Credentials | None = None
    tried_credentials: bool = False
    history: list[str] = field(default_factory=list)


class Credentials(NamedTuple):
    """Of the account at a trunk."""

    user: str
    password: str


class Offered(NamedTuple):
    """Somebody calls: ``accept`` or ``refuse``."""

    call: Call


class Progress(NamedTuple):
    """The far end rings, or the network says something before the answer (``early``: with sound)."""

    call: Call
    status: int
    early: bool


class Answered(NamedTuple):
    call: Call


class Refused(NamedTuple):
    """It was not answered. ``status`` 0: nothing came at all (``broken``: the way there is closed)."""

    call: Call
    status: int
    reason: str


class HungUp(NamedTuple):
    """The far end hung up, or the call cannot go on. ``reason``: the Reason header, or our own words."""

    call: Call
    reason: str


class Pinged(NamedTuple):
    """An OPTIONS request was answered (``status``), or was not (0)."""

    context: Any
    status: int


class Registered(NamedTuple):
    """A registration was answered: ``status`` 200 and for how many seconds it holds, else why not (0: no answer)."""

    context: Any
    status: int
    expires: int


Event = Offered | Progress | Answered | Refused | HungUp | Pinged | Registered
