"""What a session tells its owner."""

from __future__ import annotations

from typing import Any, NamedTuple

from .pdu import Pdu
from .short_message import ShortMessage
from .states import SessionState
from .tlv import Tlvs


class Bound(NamedTuple):
    """ESME: the SMSC accepted our bind. ``version`` is its sc_interface_version, 0 where it said none."""

    state: SessionState
    system_id: str
    version: int


class BindRefused(NamedTuple):
    """ESME: the SMSC refused; the session closes."""

    status: int


class BindAsked(NamedTuple):
    """SMSC: answer with ``Session.accept`` or ``Session.refuse``."""

    sequence: int
    command: int
    system_id: str
    password: str
    system_type: str
    version: int
    address_range: str


class Received(NamedTuple):
    """deliver_sm, submit_sm or data_sm; answer with ``Session.respond``."""

    command: int
    sequence: int
    message: ShortMessage


class Asked(NamedTuple):
    """Any other request that wants an answer (query_sm, cancel_sm, replace_sm, submit_multi)."""

    pdu: Pdu


class Told(NamedTuple):
    """alert_notification or outbind: there is nothing to answer."""

    pdu: Pdu


class Answered(NamedTuple):
    """The peer's response to a request of ours; ``context`` is what the request was sent with."""

    context: Any
    status: int
    message_id: str
    tlvs: Tlvs = ()


class Unanswered(NamedTuple):
    """No response came in time, or the session closed first: whether the request was carried out is not
    known.
    """

    context: Any


class Closed(NamedTuple):
    """The session is over. ``reason`` is a sentence for the operator."""

    reason: str


Event = Bound | BindRefused | BindAsked | Received | Asked | Told | Answered | Unanswered | Closed
