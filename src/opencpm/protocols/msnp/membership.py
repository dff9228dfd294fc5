"""The payload of ADL, RML and FQY (dialects 13 and later): contacts grouped by the domain of their address."""

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from opencpm.protocols.msnp import commands
from opencpm.protocols.msnp.commands import Lists
from opencpm.protocols.msnp.errors import MsnpError
from opencpm.protocols.xmlsafe import XmlError, escape, local_name, parse_xml

MSN = 1  # network id
MAX_OCTETS = 7500  # of one command; the historic service takes no more
MAX_CONTACTS = 150
_MAX_PAYLOAD = 65536
_MAX_READ = 5000
_OURS = Lists.FL | Lists.AL | Lists.BL


class Member(NamedTuple):
    """One contact of a payload. `lists` is 0 in FQY, `network` 0 where none is named."""

    address: str
    lists: Lists = Lists(0)
    network: int = MSN
    name: str = ""


def build(members: Iterable[Member], initial: bool = False) -> list[bytes]:
    """The payloads for these contacts, several where one command would become too long; at least one.

    `initial` marks the list of a sign-on. Only FL, AL and BL are named, and never AL and BL of the same contact.
    """
    payloads: list[bytes] = []
    room: list[Member] = []
    size = 0
    for member in members:
        octets = len(_contact(member)) + len(member.address.encode()) + 20
        if room and (len(room) >= MAX_CONTACTS or size + octets > MAX_OCTETS - 40):
            payloads.append(_payload(room, initial))
            room, size = [], 0
        room.append(member)
        size += octets
    return [*payloads, _payload(room, initial)] if room or not payloads else payloads


def parse(payload: bytes) -> list[Member]:
    """The contacts of a payload; those without a readable address are passed over. Raises MsnpError."""
    try:
        root = parse_xml(payload, limit=_MAX_PAYLOAD)
    except XmlError as error:
        raise MsnpError(f"list payload: {error}") from None
    found: list[Member] = []
    for domain in root:
        if local_name(domain) != "d":
            continue
        for contact in domain:
            member = _read(contact.attrib, domain.get("n", ""))
            if member is not None and len(found) < _MAX_READ:
                found.append(member)
    return found


def _read(attributes: dict[str, str], domain: str) -> Member | None:
    try:
        address = commands.address(f"{attributes.get('n', '')}@{domain}")
    except MsnpError:
        return None
    lists = Lists(commands.number(attributes.get("l", "")) & 31)
    return Member(address, lists, commands.number(attributes.get("t", "")), attributes.get("f", ""))


def _payload(members: Iterable[Member], initial: bool) -> bytes:
    domains: defaultdict[str, list[str]] = defaultdict(list)
    for member in members:
        domains[member.address.partition("@")[2]].append(_contact(member))
    inside = "".join(f'<d n="{escape(domain)}">{"".join(contacts)}</d>' for domain, contacts in domains.items())
    mark = ' l="1"' if initial else ""
    return f"<ml{mark}>{inside}</ml>".encode()


def _contact(member: Member) -> str:
    on = member.lists & _OURS
    if Lists.BL in on:
        on &= ~Lists.AL
    fields = [f'n="{escape(member.address.partition("@")[0])}"']
    if on:
        fields.append(f'l="{int(on)}"')
    if member.network and on:
        fields.append(f't="{member.network}"')
    return f"<c {' '.join(fields)}/>"
