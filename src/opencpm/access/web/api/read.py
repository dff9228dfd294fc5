"""Reading what a request says into our values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from opencpm.access.web import views
from opencpm.access.web.house import House
from opencpm.access.web.problems import Problem, not_found
from opencpm.domain.address import Address, AddressError
from opencpm.domain.contact import Contact
from opencpm.domain.message import Message
from opencpm.interfaces import DeliveryRecord


def address(text: str) -> Address:
    """:raises Problem: 400, not an address."""
    try:
        return Address.parse(text)
    except AddressError as error:
        raise Problem(400, "malformed", f"{error}") from None


def person(within: House, owner: str, peer: str) -> Contact:
    """The person of a contact id, or a stranger of an address.

    :raises Problem: 404, neither.
    """
    for contact in within.people.contacts(owner):
        if contact.id == peer:
            return contact
    try:
        found = within.people.contact(owner, Address.parse(peer))
    except AddressError:
        raise not_found("person") from None
    return replace(found, name=name) if (name := _group_name(within, owner, found.addresses[0])) else found


def _group_name(within: House, owner: str, address: Address) -> str:
    """What a group is called in the list of conversations; empty for everybody else."""
    if not within.messaging.groups.is_focus(address):
        return ""
    group = next((one for one in within.messaging.groups.of(owner) if one.focus == address), None)
    if group is None:
        return "A group that has ended"
    return group.subject or ", ".join(member.name for member in group.live)[:200]


def owned_message(within: House, owner: str, ident: str) -> tuple[Message, Sequence[DeliveryRecord]]:
    """A message the caller sent or received, by its id or the sender's Message-ID.

    :raises Problem: 404 for all others, whether they exist or not.
    """
    store = within.messaging.store
    found = store.message(ident)
    if found is None and (other := store.find(ident)) is not None:
        found = store.message(other)
    if found is None:
        raise not_found("message")
    records = store.deliveries_of(found.id)
    sender = within.people.owner_of(found.sender)
    if (sender is None or sender.id != owner) and all(views.seen_by(owner, r) is None for r in records):
        raise not_found("message")
    return found, records
