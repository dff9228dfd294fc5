"""The names of things on a UCP link: who sends, who receives, and which message a notification is about."""

from __future__ import annotations

from typing import NamedTuple

from opencpm.domain.numbering import NumberType
from opencpm.protocols.ucp.errors import UcpError
from opencpm.protocols.ucp.operations import Message
from opencpm.protocols.ucp.originator import ALPHANUMERIC, INTERNATIONAL, decode_name, encode_name

_SHARED_DIGITS = 7
"""What national and international forms of a number have in common at its end."""


class Originator(NamedTuple):
    """OAdC and OTOA."""

    oadc: str
    otoa: str = ""


def originator(text: str) -> Originator:
    """``+447700900123``, ``600600`` or ``CPM Test``: international, as it is, or alphanumeric by its form.

    Raises UcpError for a name that does not fit.
    """
    if text.startswith("+"):
        return Originator(text[1:], INTERNATIONAL)
    if text.isdecimal():
        return Originator(text)
    return Originator(encode_name(text), ALPHANUMERIC)


def sender_of(message: Message) -> tuple[NumberType, str]:
    """Type and digits (or name) of who sent a message; never fails."""
    if message.otoa == ALPHANUMERIC:
        try:
            return NumberType.ALPHANUMERIC, decode_name(message.oadc)
        except UcpError:
            return NumberType.ALPHANUMERIC, message.oadc
    return (NumberType.INTERNATIONAL if message.otoa == INTERNATIONAL else NumberType.UNKNOWN), message.oadc


def message_key(account: str, recipient: str, scts: str) -> str:
    """The key of a message: UCP has no id but recipient and the second in which the centre took it."""
    return f"{account}:{recipient[-_SHARED_DIGITS:]}:{scts}"
