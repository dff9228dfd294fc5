"""How the lab's notification server writes people, in the words of the client's dialect."""

from __future__ import annotations

from opencpm.lab.msn.world import Account
from opencpm.protocols.msnp import dialects
from opencpm.protocols.msnp.framing import quote
from opencpm.protocols.xmlsafe import escape

_PICTURE = "%3Cmsnobj%2F%3E"


def who(dialect: int, address: str) -> tuple[str | int, ...]:
    """An address with its network."""
    if dialects.network_prefix(dialect):
        return (f"1:{address}",)
    return (address, 1) if dialects.network_field(dialect) else (address,)


def capabilities(dialect: int, account: Account) -> str:
    return f"{account.capabilities}:{account.extended}" if dialects.has_places(dialect) else str(account.capabilities)


def online(dialect: int, account: Account) -> tuple[str | int, ...]:
    """The fields of NLN and ILN from the state on."""
    more: tuple[str | int, ...] = ()
    if dialects.has_capabilities(dialect):
        more = (capabilities(dialect, account),)
    if dialect >= 9:
        more = (*more, _PICTURE)
    return (account.status, *who(dialect, account.address), quote(account.name), *more)


def offline(dialect: int, address: str) -> tuple[str | int, ...]:
    """The fields of FLN."""
    if dialects.has_places(dialect):
        return (*who(dialect, address), "0:0")
    return (*who(dialect, address), 0) if dialects.network_field(dialect) else (address,)


def note(dialect: int, account: Account, place: str) -> bytes:
    """The payload of UBX."""
    places = ""
    if dialects.has_places(dialect) and place:
        caps = capabilities(dialect, account)
        places = f'<EndpointData id="{place.lower()}"><Capabilities>{caps}</Capabilities></EndpointData>'
    return f"<Data><PSM>{escape(account.note)}</PSM><CurrentMedia></CurrentMedia>{places}</Data>".encode()
