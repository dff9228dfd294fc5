"""A person, whatever addresses they have, is one conversation."""

from __future__ import annotations

from dataclasses import dataclass

from opencpm.domain.address import Address
from opencpm.domain.roster import Mark


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """A person in one subscriber's address book. ``id`` is stable; a stranger has the id of their address."""

    id: str
    owner: str  # Subscriber.id
    name: str
    addresses: tuple[Address, ...]
    networks: tuple[
        str, ...
    ] = ()  # the owner's preferred networks for this person, best first; empty: the general order
    blocked: bool = False
    marks: tuple[Mark, ...] = ()  # what networks' lists say of these addresses, beside what the user wrote
    written: bool = True  # False: it came with a network's list and nobody has written it; its name is the network's
    removed: bool = False  # taken out by the user; kept unseen while a network still lists it, so it does not come back

    def on(self, schemes: frozenset[str]) -> Address | None:
        """The first address of this person with one of the schemes."""
        return next((a for a in self.addresses if a.scheme in schemes), None)


def stranger(owner: str, address: Address) -> Contact:
    """Somebody not in the address book."""
    return Contact(id=str(address), owner=owner, name=address.value, addresses=(address,))
