"""Who may send what in which state (SMPP 3.4 §2.2, table 2-1): the whole machine as a table."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import NamedTuple

from .command import BINDS, BROADCASTS, Command


class Role(Enum):
    """Which side of the session we are."""

    ESME = "ESME"
    SMSC = "SMSC"


class SessionState(Enum):
    """OPEN: connected, not bound; OUTBOUND: the SMSC asked for a bind; CLOSED: nothing more is sent."""

    OPEN = "open"
    OUTBOUND = "outbound"
    BOUND_TX = "bound transmitter"
    BOUND_RX = "bound receiver"
    BOUND_TRX = "bound transceiver"
    UNBINDING = "unbinding"
    CLOSED = "closed"


_OPEN = frozenset({SessionState.OPEN, SessionState.OUTBOUND})
_SENDS = frozenset({SessionState.BOUND_TX, SessionState.BOUND_TRX})
_RECEIVES = frozenset({SessionState.BOUND_RX, SessionState.BOUND_TRX})
BOUND = _SENDS | _RECEIVES
_ANY = frozenset(SessionState) - {SessionState.CLOSED}

BOUND_BY: Mapping[int, SessionState] = {
    Command.BIND_TRANSMITTER: SessionState.BOUND_TX,
    Command.BIND_RECEIVER: SessionState.BOUND_RX,
    Command.BIND_TRANSCEIVER: SessionState.BOUND_TRX,
}
"""The state a bind leads to."""


class Rule(NamedTuple):
    """The states in which each side may send a request; empty: never."""

    esme: frozenset[SessionState] = frozenset()
    smsc: frozenset[SessionState] = frozenset()


RULES: Mapping[int, Rule] = {
    **dict.fromkeys(BINDS, Rule(esme=_OPEN)),
    Command.OUTBIND: Rule(smsc=frozenset({SessionState.OPEN})),
    Command.SUBMIT_SM: Rule(esme=_SENDS),
    Command.SUBMIT_MULTI: Rule(esme=_SENDS),
    Command.QUERY_SM: Rule(esme=_SENDS),
    Command.CANCEL_SM: Rule(esme=_SENDS),
    Command.REPLACE_SM: Rule(esme=_SENDS),
    Command.DELIVER_SM: Rule(smsc=_RECEIVES),
    Command.ALERT_NOTIFICATION: Rule(smsc=_RECEIVES),
    Command.DATA_SM: Rule(esme=_SENDS, smsc=_RECEIVES),
    **dict.fromkeys(BROADCASTS, Rule(esme=_SENDS)),
    Command.UNBIND: Rule(esme=BOUND, smsc=BOUND),
    Command.ENQUIRE_LINK: Rule(esme=_ANY, smsc=_ANY),
}


def may_send(role: Role, command: int, state: SessionState) -> bool:
    """Whether this side may send the request now."""
    rule = RULES.get(command)
    return rule is not None and state in (rule.esme if role is Role.ESME else rule.smsc)


def may_receive(role: Role, command: int, state: SessionState) -> bool:
    """Whether this side may be sent the request now; while unbinding, what was under way is still taken."""
    rule = RULES.get(command)
    if rule is None:
        return False
    allowed = rule.smsc if role is Role.ESME else rule.esme
    return state in allowed or (state is SessionState.UNBINDING and bool(allowed & BOUND))
