"""The dialects of MSNP and what a client notices of the differences; nobody else asks for a dialect's number.

Offered by default are those that were recorded end to end, one for each kind of login and of lists; the others between
2 and 18 are spoken when asked for.
"""

from enum import Enum

OLDEST, NEWEST = 2, 18
ALL = {f"MSNP{number}": number for number in range(NEWEST, OLDEST - 1, -1)}  # name -> number, best first
OFFERED = ("MSNP18", "MSNP15", "MSNP12", "MSNP8")

_CLIENT_OLD = ("0x0409", "winnt", "5.1", "i386", "MSNMSGR", "7.5.0324", "msmsgs")
_CLIENT_NEW = ("0x0409", "winnt", "5.1", "i386", "MSNMSGR", "14.0.8117.0416", "msmsgs")


class Login(Enum):
    """How an account proves itself; the value is the word in USR."""

    MD5 = "MD5"
    TICKET = "TWN"
    TOKEN = "SSO"  # noqa: S105 - a word of the protocol


class Listing(Enum):
    """How the contact lists come."""

    BY_LIST = "LST for each list"  # 2 to 7
    BY_CONTACT = "LST for each contact"  # 8 and 9
    KEYED = "LST with keyed fields"  # 10 to 12
    WEB = "address book web service"  # 13 and later


def login(dialect: int) -> Login:
    if dialect <= 7:
        return Login.MD5
    return Login.TICKET if dialect <= 14 else Login.TOKEN


def tickets_from_rst(dialect: int) -> bool:
    """Whether tickets come from the token service instead of the Passport nexus."""
    return dialect >= 13


def listing(dialect: int) -> Listing:
    if dialect <= 7:
        return Listing.BY_LIST
    if dialect <= 9:
        return Listing.BY_CONTACT
    return Listing.KEYED if dialect <= 12 else Listing.WEB


def has_groups(dialect: int) -> bool:
    """Contacts in groups came with 7."""
    return dialect >= 7


def has_capabilities(dialect: int) -> bool:
    """CHG, NLN and ILN carry a number of capabilities."""
    return dialect >= 8


def has_personal_message(dialect: int) -> bool:
    """UUX and UBX."""
    return dialect >= 11


def has_places(dialect: int) -> bool:
    """An account may be signed on in several places, told apart by a machine's GUID (MPOP)."""
    return dialect >= 16


def network_field(dialect: int) -> bool:
    """Presence has the network's number in a field of its own; from 18 on it is glued to the address."""
    return 14 <= dialect <= 17


def network_prefix(dialect: int) -> bool:
    """Addresses in presence look like `1:bob@example.com`."""
    return dialect >= 18


def offline_by_command(dialect: int) -> bool:
    """Messages for somebody who is offline go by UUM instead of the web service."""
    return dialect >= 18


def offline_messages(dialect: int) -> bool:
    """The service keeps messages for people who are offline, and tells of those it keeps for us."""
    return dialect >= 11


def client_for(dialect: int) -> tuple[str, ...]:
    """The CVR fields before the account's address."""
    return _CLIENT_NEW if dialect >= 16 else _CLIENT_OLD
