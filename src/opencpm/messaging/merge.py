"""How a network's contact list and the user's address book come together. Pure: values in, values out.

1. What the user wrote (name, addresses, preferred networks, block) is never changed by a network.
2. Somebody on the list whom the book does not have comes in; their name follows the network's until the user writes
   them (``Contact.written``).
3. Nobody leaves the book because a network dropped them: the mark says GONE.
4. Somebody whom the user took out does not come back with the next list (``Contact.removed``).
5. A block on the network is shown and left alone; a block by the user is told to the network once. Whoever changes
   it there afterwards is not fought.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from opencpm.domain.address import Address
from opencpm.domain.contact import Contact
from opencpm.domain.roster import (
    LIVE,
    NAME_LIMIT,
    ROSTER_LIMIT,
    Answer,
    ChangeKind,
    ContactRequest,
    Mark,
    RosterChange,
    RosterEntry,
    Tie,
)


class Merged(NamedTuple):
    """What to write: contacts new or changed, and ids of those of which nothing is left to remember."""

    put: list[Contact]
    gone: list[str]


NewId = Callable[[str], str]
"""A contact id that is free, from a name; not the same twice."""


# --------------------------------------------------------------------------------------- the list comes in


def merge(
    book: Sequence[Contact],
    owner: str,
    network: str,
    account: Address | None,
    entries: Sequence[RosterEntry],
    new_id: NewId,
) -> Merged:
    """``book``: all contacts of the owner, also those taken out."""
    told = {entry.address: entry for entry in entries[:ROSTER_LIMIT] if entry.address != account}
    index = _index(book)
    taken: dict[str, dict[Address, RosterEntry]] = {}
    put: list[Contact] = []
    for address, entry in told.items():
        known = _find(index, address)
        if known is not None:
            taken.setdefault(known.id, {})[address] = entry
        else:
            put.append(_newcomer(owner, network, account, entry, new_id))
    gone: list[str] = []
    for contact in book:
        changed = _retold(contact, network, account, taken.get(contact.id, {}))
        if changed.removed and not changed.marks:
            gone.append(contact.id)
        elif changed != contact:
            put.append(changed)
    return Merged(put, gone)


def _index(book: Iterable[Contact]) -> dict[Address, Contact]:
    """Who has an address; those taken out only where nobody else has it."""
    index: dict[Address, Contact] = {}
    for contact in sorted(book, key=lambda c: c.removed):
        for address in contact.addresses:
            index.setdefault(address, contact)
    return index


def _find(index: dict[Address, Contact], address: Address) -> Contact | None:
    return index.get(address) or index.get(Address("im", address.value))


def _newcomer(owner: str, network: str, account: Address | None, entry: RosterEntry, new_id: NewId) -> Contact:
    name = _clean(entry.name) or entry.address.value
    mark = _mark(Mark(network=network, account=account, address=entry.address), entry, False)
    return Contact(id=new_id(name), owner=owner, name=name, addresses=(entry.address,), marks=(mark,), written=False)


def _retold(contact: Contact, network: str, account: Address | None, told: dict[Address, RosterEntry]) -> Contact:
    """The contact with this list's marks as the list is now."""
    marks = []
    open_entries = dict(told)
    for mark in contact.marks:
        if not mark.of(network, account):
            marks.append(mark)
        elif (entry := open_entries.pop(mark.address, None)) is not None:
            marks.append(_mark(mark, entry, contact.blocked))
        elif not contact.removed:
            marks.append(_dropped(mark))
    fresh = [Mark(network=network, account=account, address=address) for address in open_entries]
    marks += [_mark(mark, open_entries[mark.address], contact.blocked) for mark in fresh]
    name = contact.name
    if not contact.written and not contact.removed:
        name = next((_clean(e.name) for e in told.values() if e.name), "") or name
    if tuple(marks) == contact.marks and name == contact.name:
        return contact
    return replace(contact, marks=tuple(marks), name=name)


def _mark(mark: Mark, entry: RosterEntry, blocked: bool) -> Mark:
    return replace(
        mark,
        name=_clean(entry.name),
        groups=tuple(_clean(group) for group in entry.groups[:32]),
        tie=entry.tie,
        blocked=entry.blocked,
        told=blocked if entry.blocked == blocked else mark.told,
    )


def _dropped(mark: Mark) -> Mark:
    """No longer on the list. What was refused, or never on it, stays what it was."""
    return replace(mark, tie=Tie.GONE if mark.tie in LIVE else mark.tie, blocked=False)


def _clean(name: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in name[:1024]).split())[:NAME_LIMIT]


# ------------------------------------------------------------------------------------ what the list is told


def changes(
    book: Iterable[Contact],
    requests: Iterable[ContactRequest],
    network: str,
    account: Address | None,
    schemes: frozenset[str],
    share: bool,
    first: bool,
) -> list[RosterChange]:
    """See :meth:`opencpm.interfaces.Directory.roster_changes`. ``first``: new people go onto this account's list."""
    found = [
        RosterChange(ChangeKind.ACCEPT if r.answer is Answer.ACCEPTED else ChangeKind.DECLINE, r.address, r.name)
        for r in requests
        if r.answer is not Answer.OPEN and (r.network, r.account) == (network, account)
    ]
    if share:
        for contact in book:
            found += _of_contact(contact, network, account, schemes, first)
    return found


def _of_contact(
    contact: Contact, network: str, account: Address | None, schemes: frozenset[str], first: bool
) -> list[RosterChange]:
    marks = {mark.address: mark for mark in contact.marks if mark.of(network, account)}
    if contact.removed:
        return [
            RosterChange(ChangeKind.REMOVE, mark.address, contact.name) for mark in marks.values() if mark.tie in LIVE
        ]
    found = []
    own = [address for address in contact.addresses if address.scheme in schemes]
    for address in dict.fromkeys([*own, *marks]):  # an alias of the book is listed by its real address
        mark = marks.get(address)
        if mark is None and not contact.blocked and first and not _elsewhere(contact, network, address):
            found.append(RosterChange(ChangeKind.ADD, address, contact.name))
        told = mark.told if mark else False
        if contact.blocked != told and (mark is not None or first):
            kind = ChangeKind.BLOCK if contact.blocked else ChangeKind.UNBLOCK
            found.append(RosterChange(kind, address, contact.name))
    return found


def _elsewhere(contact: Contact, network: str, address: Address) -> bool:
    """Whether another of the owner's accounts on this network has this person."""
    return any(mark.network == network and mark.address == address for mark in contact.marks)


def concerns(contact: Contact, address: Address) -> bool:
    """Whether this is the person behind an address of a list."""
    return address in contact.addresses or any(mark.address == address for mark in contact.marks)


def settled(
    contact: Contact, network: str, account: Address | None, change: RosterChange, failed: bool
) -> Contact | None:
    """The contact after a change was carried out, or ``failed`` for good; None: nothing is left to remember."""
    own = [mark for mark in contact.marks if mark.of(network, account) and mark.address == change.address]
    others = tuple(mark for mark in contact.marks if mark not in own)
    mark = own[0] if own else Mark(network=network, account=account, address=change.address, tie=Tie.NONE)
    if change.kind is ChangeKind.REMOVE and contact.removed:
        return replace(contact, marks=others) if others else None
    if change.kind is ChangeKind.ADD:
        asked = Tie.REFUSED if failed else Tie.PENDING
        mark = replace(mark, tie=mark.tie if mark.tie in LIVE else asked)
    elif change.kind in (ChangeKind.BLOCK, ChangeKind.UNBLOCK):
        blocked = change.kind is ChangeKind.BLOCK
        mark = replace(mark, told=blocked, blocked=mark.blocked if failed else blocked)
    return replace(contact, marks=(*others, mark))
