"""Who calls, and whom: numbers in SIP requests (RFC 3325, RFC 3966)."""

from __future__ import annotations

from opencpm.protocols.sip.errors import SipError
from opencpm.protocols.sip.headers import addr_uri
from opencpm.protocols.sip.message import Message
from opencpm.protocols.sip.uri import parse_uri

_NOT_TOLD = frozenset({"anonymous", "unavailable", "unknown", "restricted", ""})


def number_of(uri: str) -> str:
    """The number in a SIP or tel URI: ``+`` and digits as written, visual separators gone; "" where there is none."""
    try:
        user = parse_uri(uri).user
    except SipError:
        return ""
    bare = user.partition(";")[0].translate({ord(c): None for c in " -.()"})
    plus, digits = bare[:1] == "+", bare.removeprefix("+")
    return ("+" if plus else "") + digits if digits.isascii() and digits.isdigit() else ""


def called_of(invite: Message) -> str:
    """The number that was dialled."""
    return number_of(invite.uri) or _number_in(invite.get("to"))


def caller_of(invite: Message) -> str:
    """The number that calls, by the network's word before the caller's own; "" where it is withheld."""
    if "id" in invite.get("privacy").lower() and "p-asserted-identity" not in invite.headers:
        return ""
    for value in (*invite.values("p-asserted-identity"), *invite.values("remote-party-id"), invite.get("from")):
        number = _number_in(value)
        if number:
            return number
    return ""


def _number_in(value: str) -> str:
    try:
        uri = addr_uri(value)
    except SipError:
        return ""
    number = number_of(uri)
    return "" if number.lower() in _NOT_TOLD else number


def same_number(one: str, other: str) -> bool:
    """Whether two spellings mean one number: compared from the right, international and trunk prefixes left out."""
    a, b = significant(one), significant(other)
    if not a or not b:
        return False
    short, long = sorted((a, b), key=len)
    return a == b or (len(short) >= 6 and long.endswith(short))


def significant(number: str) -> str:
    """The digits without ``+``, ``00`` and ``0`` in front."""
    return number.removeprefix("+").lstrip("0")
