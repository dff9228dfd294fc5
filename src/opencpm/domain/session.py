"""A session between two people, independent of every wire (invariant 6)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from opencpm.domain.address import Address
from opencpm.domain.group import Group
from opencpm.domain.message import Message


class SessionState(StrEnum):
    INVITED = "invited"
    RINGING = "ringing"
    ESTABLISHED = "established"
    CLOSING = "closing"  # one side has closed; the other is being told
    CLOSED = "closed"


class SessionEvent(StrEnum):
    RING = "ring"
    ANSWER = "answer"
    REFUSE = "refuse"
    CLOSE = "close"
    GONE = "gone"


class SessionError(ValueError):
    """The event is not possible in this state."""


# The whole machine: (state, event) -> state. What is not here is refused.
TRANSITIONS: dict[tuple[SessionState, SessionEvent], SessionState] = {
    (SessionState.INVITED, SessionEvent.RING): SessionState.RINGING,
    (SessionState.RINGING, SessionEvent.RING): SessionState.RINGING,
    (SessionState.INVITED, SessionEvent.ANSWER): SessionState.ESTABLISHED,
    (SessionState.RINGING, SessionEvent.ANSWER): SessionState.ESTABLISHED,
    (SessionState.INVITED, SessionEvent.REFUSE): SessionState.CLOSED,
    (SessionState.RINGING, SessionEvent.REFUSE): SessionState.CLOSED,
    (SessionState.INVITED, SessionEvent.CLOSE): SessionState.CLOSING,
    (SessionState.RINGING, SessionEvent.CLOSE): SessionState.CLOSING,
    (SessionState.ESTABLISHED, SessionEvent.CLOSE): SessionState.CLOSING,
    (SessionState.CLOSING, SessionEvent.CLOSE): SessionState.CLOSING,
    (SessionState.INVITED, SessionEvent.GONE): SessionState.CLOSED,
    (SessionState.RINGING, SessionEvent.GONE): SessionState.CLOSED,
    (SessionState.ESTABLISHED, SessionEvent.GONE): SessionState.CLOSED,
    (SessionState.CLOSING, SessionEvent.GONE): SessionState.CLOSED,
}


def advance(state: SessionState, event: SessionEvent) -> SessionState:
    """The next state.

    :raises SessionError: when the event cannot happen in this state.
    """
    try:
        return TRANSITIONS[state, event]
    except KeyError:
        raise SessionError(f"{event.value} is not possible in state {state.value}") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionOffer:
    """One person asks another for a session.

    ``initiator`` and ``target`` are addresses on the network of the leg that carries it.
    """

    id: str
    initiator: Address
    target: Address
    origin: str  # connector name of the inviting side
    at: float
    conversation_id: str = ""
    contribution_id: str = ""
    in_reply_to: str = ""
    subject: str = ""
    content_types: tuple[str, ...] = ("text/plain",)
    route: str = ""  # explicit choice of network
    device: str = ""  # the one device of the target that is meant, in the words of the access; empty: all
    first: Message | None = None  # a text that came with the invitation
    group: Group | None = None  # an invitation into this group; ``initiator`` is then its focus, or speaks for it
    referred_by: Address | None = None  # who brought the target into the group


@dataclass(frozen=True, slots=True)
class Composing:
    """Somebody is typing (RFC 3994). Never stored. ``refresh``: seconds after which it lapses."""

    active: bool
    refresh: float = 60.0
    content_type: str = "text/plain"


class CloseReason(StrEnum):
    NORMAL = "normal"  # a person closed it
    IDLE = "idle"
    LEFT = "left"  # the other person left (went offline, closed the window)
    LOST = "lost"  # a connection broke
    REFUSED = "refused"
    SHUTDOWN = "shutdown"
    REPLACED = "replaced"
