"""Who is meant by the ends of a short message, and how our people are written in one."""

from __future__ import annotations

import re

from opencpm.domain.address import Address, AddressError
from opencpm.domain.numbering import NumberPlan
from opencpm.domain.replies import Replies
from opencpm.domain.subscriber import Subscriber
from opencpm.protocols.smpp.party import Party, to_party
from opencpm.protocols.smpp.short_message import NPI_UNKNOWN, TON_ALPHANUMERIC

_NAME = 11
_NOT_A_NAME = re.compile(r"[^A-Za-z0-9._ -]")
NUMBERS = ("tel", "alpha")


def read(numbers: NumberPlan, ton: int, digits: str) -> Address | None:
    """The address of one end; ``alice@cpm.example`` is taken as it stands (NPI 14, Internet). None: no address."""
    if not digits.strip():
        return None
    if "@" not in digits:
        return numbers.to_address(ton, digits)
    try:
        return Address.parse(digits)
    except AddressError:
        return None


def home(account: Subscriber) -> Address:
    """The address of an ESME that names none: its number, else its name, else what it has."""
    return next((own for scheme in NUMBERS for own in account.addresses if own.scheme == scheme), account.addresses[0])


class Parties:
    """How people without a number are written: a name that stands for them until somebody else takes it.

    What an ESME writes to the name reaches the person who wrote to it last under it.
    """

    def __init__(self, replies: Replies) -> None:
        self._replies = replies

    def written(self, person: Address, account: Address) -> Party:
        """A person as the source of what ``account`` receives."""
        if person.scheme in NUMBERS:
            return to_party(person.value) if person.scheme == "tel" else _name(person.value)
        party = _name(person.value.partition("@")[0])
        self._replies.sent(party.digits, account, person)
        return party

    def meant(self, name: Address, account: Address) -> Address | None:
        """Who is behind a name to which ``account`` writes."""
        return self._replies.meant(name, account)


def own(address: Address) -> Party:
    """An ESME's own address."""
    return to_party(address.value) if address.scheme == "tel" else _name(address.value.partition("@")[0])


def _name(text: str) -> Party:
    return Party(TON_ALPHANUMERIC, NPI_UNKNOWN, _NOT_A_NAME.sub("", text)[:_NAME] or "unknown")
