"""Command ids (SMPP 3.4 §5.1.2.1; the broadcast ones are of 5.0)."""

from __future__ import annotations

from enum import IntEnum

RESPONSE = 0x80000000
GENERIC_NACK = 0x80000000


class Command(IntEnum):
    """Requests; a response has bit 31 set as well."""

    BIND_RECEIVER = 0x01
    BIND_TRANSMITTER = 0x02
    QUERY_SM = 0x03
    SUBMIT_SM = 0x04
    DELIVER_SM = 0x05
    UNBIND = 0x06
    REPLACE_SM = 0x07
    CANCEL_SM = 0x08
    BIND_TRANSCEIVER = 0x09
    OUTBIND = 0x0B
    ENQUIRE_LINK = 0x15
    SUBMIT_MULTI = 0x21
    ALERT_NOTIFICATION = 0x102
    DATA_SM = 0x103
    BROADCAST_SM = 0x111
    QUERY_BROADCAST_SM = 0x112
    CANCEL_BROADCAST_SM = 0x113


BINDS = frozenset({Command.BIND_RECEIVER, Command.BIND_TRANSMITTER, Command.BIND_TRANSCEIVER})
BROADCASTS = frozenset({Command.BROADCAST_SM, Command.QUERY_BROADCAST_SM, Command.CANCEL_BROADCAST_SM})
"""Of 5.0: to an older peer they are unknown."""
UNANSWERED = frozenset({Command.OUTBIND, Command.ALERT_NOTIFICATION})
"""Requests that have no response PDU."""

_NAMES = {int(command): command.name.lower() for command in Command}


def name_of(command_id: int) -> str:
    """The standard's name, ``submit_sm_resp``; hex for one we do not know."""
    if command_id == GENERIC_NACK:
        return "generic_nack"
    name = _NAMES.get(command_id & ~RESPONSE, f"{command_id & ~RESPONSE:08x}")
    return f"{name}_resp" if command_id & RESPONSE else name
