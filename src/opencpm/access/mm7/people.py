"""Who is meant by the addresses that VASPs write, and how our people are written to them."""

from __future__ import annotations

from opencpm.domain.address import Address
from opencpm.domain.numbering import NumberPlan, NumberType
from opencpm.domain.subscriber import Subscriber
from opencpm.interfaces import Directory
from opencpm.protocols.mm7.party import address_of, party_of
from opencpm.protocols.mm7.values import Address as Mm7Address
from opencpm.settings import Mm7AccessSettings, Mm7Terms

_NUMBERS = ("tel", "alpha")


class People:
    """Reads and writes addresses by the directory."""

    def __init__(self, settings: Mm7AccessSettings, directory: Directory) -> None:
        self._plan = NumberPlan(settings.country_code, settings.trunk_prefix, settings.plain_is_international)
        self._directory = directory

    def read(self, address: Mm7Address) -> Address | None:
        """Whom it means; None for what is opaque to us or no address. Mail form is also how people without a number
        are written: alice@cpm.example."""
        kind, value = party_of(address)
        if kind == "mail":
            person = Address("sip", value)
            return person if self._directory.owner_of(person) is not None else Address("mailto", value)
        if kind == "code":
            return Address("tel", value)
        if not value or kind == "hidden":
            return None
        return self._plan.to_address(NumberType.UNKNOWN, value)

    def written(self, person: Address) -> Mm7Address:
        """A person as a VASP sees them: by their number, where they have one."""
        owner = self._directory.owner_of(person) if person.scheme not in _NUMBERS else None
        number = owner.on("tel") if owner is not None else None
        return address_of((number or person).value)


def home(account: Subscriber) -> Address:
    """The address of a VASP that names none: its number, else its name, else what it has."""
    return next((own for scheme in _NUMBERS for own in account.addresses if own.scheme == scheme), account.addresses[0])


def may_send(account: Subscriber, terms: Mm7Terms, address: Address) -> bool:
    """Whether it is an address of the account's own, and one that its terms name."""
    if address not in account.addresses:
        return False
    return not terms.senders or not {str(address), address.value}.isdisjoint(terms.senders)
