"""The fields of the commands a client cares about, as values; one place knows the dialects' differences."""

import re
from enum import IntFlag
from typing import NamedTuple

from opencpm.protocols.msnp import dialects
from opencpm.protocols.msnp.dialects import Listing
from opencpm.protocols.msnp.errors import MsnpError
from opencpm.protocols.msnp.framing import Frame, unquote

DEFAULT_PORT = 1863
MSN_NETWORK = 1

ONLINE = "NLN"
BUSY = "BSY"
IDLE = "IDL"
BE_RIGHT_BACK = "BRB"
AWAY = "AWY"
ON_THE_PHONE = "PHN"
OUT_TO_LUNCH = "LUN"
HIDDEN = "HDN"
OFFLINE = "FLN"
VISIBLE_STATES = frozenset({ONLINE, BUSY, IDLE, BE_RIGHT_BACK, AWAY, ON_THE_PHONE, OUT_TO_LUNCH})
OWN_STATES = VISIBLE_STATES | {HIDDEN}

MULTI_PACKET = 0x20  # capability: takes chunked messages
MOBILE = 0x40
TEXT_CLIENT = 0x40000020  # what a gateway of text announces: generation 6.2, multi-packet

_ADDRESS = re.compile(r"[^\s@;:%,\x00-\x1f\x7f]{1,64}@[^\s@;:%,/\x00-\x1f\x7f]{1,190}\Z")
_MACHINE = re.compile(r";\{.*\Z")
_NETWORK = re.compile(r"[0-9]{1,3}:")
_PORT = re.compile(r"[0-9]{1,5}\Z")
_NUMBER = re.compile(r"[0-9]{1,12}\Z")


class Lists(IntFlag):
    """The lists a contact may stand on. FL, AL and BL are the owner's, RL and PL the server's."""

    FL = 1
    AL = 2
    BL = 4
    RL = 8
    PL = 16


class Endpoint(NamedTuple):
    """Where a notification server or a switchboard listens."""

    host: str
    port: int


class Presence(NamedTuple):
    """A contact as ILN, NLN and FLN show it; `state` is FLN for offline."""

    address: str
    state: str
    name: str = ""
    capabilities: int = 0
    network: int = MSN_NETWORK


class Contact(NamedTuple):
    """One contact of the lists. `guid` is the service's id for it (10 and later), `groups` are ids of groups."""

    address: str
    name: str
    lists: Lists
    guid: str = ""
    groups: tuple[str, ...] = ()


class Pass(NamedTuple):
    """The way into a switchboard, from XFR or RNG."""

    endpoint: Endpoint
    ticket: str


class Ring(NamedTuple):
    """An invitation into a switchboard."""

    session: str
    entry: Pass
    inviter: str
    name: str


def address(text: str) -> str:
    """An account's address in the form in which addresses are compared: lower case, no network or machine id.

    Raises MsnpError when the text is not `local@domain`.
    """
    plain = _MACHINE.sub("", _NETWORK.sub("", text, count=1)).lower()
    if not _ADDRESS.match(plain):
        raise MsnpError(f"not an address: {text[:60]!r}")
    return plain


def is_machine(text: str) -> bool:
    """True for the form `address;{guid}`, one place of presence of a person (dialect 16 and later)."""
    return ";" in text


def number(text: str) -> int:
    """A decimal field, 0 when it is none: the fields read so are hints."""
    return int(text) if _NUMBER.match(text) else 0


def endpoint(text: str, default_port: int = DEFAULT_PORT) -> Endpoint:
    """Read `host:port` or `host`, IPv6 in brackets. Raises MsnpError."""
    host, colon, port = text.rpartition(":")
    if not colon or text.endswith("]"):
        host, port = text, str(default_port)
    host = host.strip("[]")
    if not host or len(host) > 253 or not _PORT.match(port) or not 0 < int(port) < 65536:
        raise MsnpError(f"not a server address: {text[:60]!r}")
    return Endpoint(host, int(port))


def network(text: str) -> int:
    """The network in front of an address (`32:carol@example.com`); without one it is MSN."""
    found = _NETWORK.match(text)
    return int(found[0][:-1]) if found else MSN_NETWORK


def presence(frame: Frame, dialect: int) -> Presence:
    """Read ILN, NLN or FLN. Missing trailing fields are tolerated. Raises MsnpError for a bad address."""
    args = frame.args[1:] if frame.verb == "ILN" else frame.args
    at = 0 if frame.verb == OFFLINE else 1
    if len(args) <= at:
        raise MsnpError(f"{frame.verb} too short")
    who, rest = args[at], args[at + 1 :]
    where = network(who)
    if dialects.network_field(dialect) and rest:
        where, rest = number(rest[0]) or MSN_NETWORK, rest[1:]
    if frame.verb == OFFLINE:
        return Presence(address(who), OFFLINE, network=where)
    name = unquote(rest[0]) if rest else ""
    caps = rest[1].partition(":")[0] if len(rest) > 1 else ""
    return Presence(address(who), args[0], name, number(caps), where)


def contact(frame: Frame, dialect: int) -> Contact:
    """Read LST (dialects 2 to 12). Raises MsnpError."""
    match dialects.listing(dialect):
        case Listing.BY_LIST:
            return _of_one_list(frame)
        case Listing.BY_CONTACT:
            if len(frame.args) < 3:
                raise MsnpError("LST too short")
            who, name, lists = frame.args[:3]
            return Contact(address(who), unquote(name), _lists(lists), groups=_groups(frame.arg(3)))
        case _:
            return _keyed(frame)


def _of_one_list(frame: Frame) -> Contact:
    """`LST t FL <version> <index> <total> <address> <name> [<groups>]`."""
    if len(frame.args) < 6:
        raise MsnpError("LST too short")
    name = unquote(frame.arg(6))
    return Contact(address(frame.args[5]), name, one_list(frame.args[1]), groups=_groups(frame.arg(7)))


def _keyed(frame: Frame) -> Contact:
    keyed, plain = keyed_fields(frame.args)
    if "N" not in keyed or not plain:
        raise MsnpError("LST without address or lists")
    groups = plain[-1] if len(plain) > 1 and not _NUMBER.match(plain[-1]) else ""
    guid, name = keyed.get("C", ""), unquote(keyed.get("F", ""))
    return Contact(address(keyed["N"]), name, _lists(plain[0]), guid, _groups(groups))


def _groups(text: str) -> tuple[str, ...]:
    return tuple(filter(None, text.split(",")))[:64]


def one_list(name: str) -> Lists:
    """A list by its two letters. Raises MsnpError."""
    if name not in Lists.__members__:
        raise MsnpError(f"not a list: {name[:10]!r}")
    return Lists[name]


def keyed_fields(args: tuple[str, ...]) -> tuple[dict[str, str], list[str]]:
    """Split `N=.. F=.. C=.. rest` (dialects 10 to 12) into the keyed and the other fields."""
    keyed: dict[str, str] = {}
    plain: list[str] = []
    for field in args:
        if field[1:2] == "=" and field[0] in "NFC":
            keyed[field[0]] = field[2:]
        else:
            plain.append(field)
    return keyed, plain


def _lists(text: str) -> Lists:
    return Lists(number(text) & 31)


def transfer(frame: Frame) -> tuple[str, Pass]:
    """Read XFR: `NS` or `SB`, and where to; the ticket is empty for NS. Raises MsnpError."""
    kind, where = frame.arg(1), endpoint(frame.arg(2))
    if kind == "NS":
        return kind, Pass(where, "")
    if kind != "SB" or frame.arg(3) != "CKI" or not frame.arg(4):
        raise MsnpError("XFR not understood")
    return kind, Pass(where, frame.arg(4))


def ring(frame: Frame) -> Ring:
    """Read RNG. Raises MsnpError."""
    if len(frame.args) < 5 or frame.args[2] != "CKI":
        raise MsnpError("RNG not understood")
    session, where, _, ticket, inviter = frame.args[:5]
    return Ring(session, Pass(endpoint(where), ticket), address(inviter), unquote(frame.arg(5)))
