"""The address books: what users write, and what networks' lists add to it. A change is durable when its method ends."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from opencpm.domain.address import Address
from opencpm.domain.contact import Contact
from opencpm.domain.errors import SendError
from opencpm.domain.roster import LIVE, Answer, ChangeKind, ContactRequest, Mark, RosterChange, RosterEntry
from opencpm.interfaces import Store
from opencpm.messaging import merge
from opencpm.messaging.people import People

REQUESTS = 500
"""Contact requests of one subscriber that are kept; whoever asks beyond it may ask again later."""


class DirectoryError(ValueError):
    """A change that cannot be made; the text says what to do instead."""


class _FreeIds:
    """Ids of contacts, made of their names and readable in addresses of pages: "bob", then "bob-2"."""

    def __init__(self, taken: Iterable[str]) -> None:
        self._taken = set(taken)
        self._last: dict[str, int] = {}  # of each name, so that five thousand of one name are no long search

    def take(self, name: str) -> str:
        plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
        base = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40] or "contact"
        while True:
            number = self._last[base] = self._last.get(base, 0) + 1
            made = base if number == 1 else f"{base}-{number}"
            if made not in self._taken:
                self._taken.add(made)
                return made


class Book:
    """All owners' address books and contact requests, over the store and the index in memory."""

    def __init__(self, store: Store, people: Callable[[], People], written: Callable[[str], None]) -> None:
        self._store = store
        self._index = people
        self._written = written

    # ------------------------------------------------------------------------------------- what users write

    def add(self, owner: str, name: str, addresses: Sequence[Address], networks: Sequence[str]) -> Contact:
        """:raises DirectoryError: no address, or one that is another contact's."""
        if not addresses:
            raise DirectoryError("a contact has at least one address")
        same = self._same_person(owner, name, addresses)
        contact = Contact(
            id=same.id if same else self.new_id(owner, name),
            owner=owner,
            name=name,
            addresses=tuple(dict.fromkeys(addresses)),
            networks=tuple(networks),
            blocked=same.blocked if same else False,
            marks=same.marks if same else (),
        )
        return self._put_written(contact)

    def write(self, contact: Contact) -> Contact:
        """A contact of the book in the form that the user gives it; what networks say of its addresses stays.

        :raises DirectoryError: there is no such contact, or an address is another contact's.
        """
        old = self.existing(contact.owner, contact.id)
        self._check_free(contact)
        return self._put_written(replace(contact, marks=old.marks))

    def set_blocked(self, owner: str, contact_id: str, blocked: bool) -> Contact:
        """:raises DirectoryError: there is no such contact."""
        contact = replace(self.existing(owner, contact_id), blocked=blocked)
        self._change(owner, [contact], [])
        return contact

    def remove(self, owner: str, contact_id: str) -> None:
        """:raises DirectoryError: there is no such contact."""
        contact = self.existing(owner, contact_id)
        if any(mark.tie in LIVE for mark in contact.marks):
            self._change(owner, [replace(contact, removed=True, blocked=False)], [])
        else:
            self._change(owner, [], [contact_id])

    def existing(self, owner: str, contact_id: str) -> Contact:
        """:raises DirectoryError: there is no such contact."""
        found = next((c for c in self._people.contacts(owner) if c.id == contact_id), None)
        if found is None:
            raise DirectoryError(f"{owner} has no contact {contact_id!r}")
        return found

    def _put_written(self, contact: Contact) -> Contact:
        """What is left of addresses that were taken out here goes aside; what is taken in again comes back."""
        owner, addresses = contact.owner, set(contact.addresses)
        put, gone, marks = [], [], [mark for mark in contact.marks if mark.address in addresses]
        aside = [mark for mark in contact.marks if mark.address not in addresses and mark.tie in LIVE]
        if aside:
            put.append(self._aside(contact, aside))
        for hidden in self._people.all_contacts(owner):
            if hidden.removed and addresses.intersection(hidden.addresses):
                marks += [mark for mark in hidden.marks if mark.address in addresses]
                gone.append(hidden.id)
        contact = replace(contact, marks=tuple(marks), written=True, removed=False)
        self._change(owner, [contact, *put], gone)
        return contact

    def _aside(self, contact: Contact, marks: Sequence[Mark]) -> Contact:
        addresses = tuple(dict.fromkeys(mark.address for mark in marks))
        hidden = self.new_id(contact.owner, f"{contact.name} removed")
        return replace(contact, id=hidden, addresses=addresses, marks=tuple(marks), removed=True, blocked=False)

    def _same_person(self, owner: str, name: str, addresses: Sequence[Address]) -> Contact | None:
        wanted = set(addresses)
        sharing = [c for c in self._people.contacts(owner) if wanted.intersection(c.addresses)]
        for contact in sharing:
            if contact.name != name and contact.written:
                shared = next(address for address in addresses if address in contact.addresses)
                raise DirectoryError(f"{shared} belongs to the contact {contact.name} already")
        return sharing[0] if sharing else None

    def _check_free(self, contact: Contact) -> None:
        for other in self._people.contacts(contact.owner):
            if other.id != contact.id and (shared := set(other.addresses) & set(contact.addresses)):
                raise DirectoryError(f"{min(shared)} belongs to the contact {other.name} already")

    def new_id(self, owner: str, name: str) -> str:
        return _FreeIds(contact.id for contact in self._people.all_contacts(owner)).take(name)

    # ------------------------------------------------------------------------------------ what networks say

    def merge(self, owner: str, network: str, entries: Sequence[RosterEntry], account: Address | None) -> int:
        """Take in a network's list; how many contacts it changed."""
        book = self._people.all_contacts(owner)
        ids = _FreeIds(contact.id for contact in book)
        merged = merge.merge(book, owner, network, account, entries, ids.take)
        self._change(owner, merged.put, merged.gone)
        return len(merged.put) + len(merged.gone)

    def forget_list(self, owner: str, network: str, account: Address | None) -> None:
        """An account was unlinked: its list says nothing any more. The people stay."""
        put, gone = [], []
        for contact in self._people.all_contacts(owner):
            marks = tuple(mark for mark in contact.marks if not mark.of(network, account))
            if contact.removed and not marks:
                gone.append(contact.id)
            elif marks != contact.marks:
                put.append(replace(contact, marks=marks))
        self._change(owner, put, gone)
        for request in self._people.requests(owner):
            if (request.network, request.account) == (network, account):
                self._drop(request)

    def changes(
        self, owner: str, network: str, schemes: frozenset[str], account: Address | None
    ) -> Sequence[RosterChange]:
        """See :meth:`opencpm.interfaces.Directory.roster_changes`."""
        subscriber = self._people.subscribers.get(owner)
        if subscriber is None:
            return ()
        accounts = subscriber.on_network(network)
        first = account is None or not accounts or accounts[0].address == account
        share = subscriber.preferences.share_contacts
        book = self._people.all_contacts(owner) if share else ()
        return merge.changes(book, self._people.requests(owner), network, account, schemes, share, first)

    def settled(
        self, owner: str, network: str, change: RosterChange, error: SendError | None, account: Address | None
    ) -> None:
        """See :meth:`opencpm.interfaces.Inbox.roster_settled`."""
        if error is not None and error.retryable:
            return
        if change.kind in (ChangeKind.ACCEPT, ChangeKind.DECLINE):
            for request in self._people.requests(owner):
                asked = (request.network, request.account, request.address)
                if asked == (network, account, change.address) and request.answer is not Answer.OPEN:
                    self._drop(request)
            return
        for contact in self._people.all_contacts(owner):
            if contact.removed == (change.kind is ChangeKind.REMOVE) and merge.concerns(contact, change.address):
                after = merge.settled(contact, network, account, change, error is not None)
                if after != contact:
                    self._change(owner, [after] if after else [], [] if after else [contact.id])
                return

    # ------------------------------------------------------------------------------------- contact requests

    def asked(self, request: ContactRequest) -> bool:
        """Keep a request; whether it is a new one. People whom the user has written into the book are let in at once,
        blocked ones are turned away."""
        standing = self._people.requests(request.owner)
        if len(standing) >= REQUESTS or any(known.id == request.id for known in standing):
            return False
        known = self._people.known(request.owner, request.address)
        if known is not None and known.blocked:
            request = replace(request, answer=Answer.DECLINED)
        elif known is not None and known.written:
            request = replace(request, answer=Answer.ACCEPTED)
        self._keep(request)
        return request.answer is Answer.OPEN

    def answer(self, owner: str, request_id: str, accept: bool) -> ContactRequest:
        """:raises DirectoryError: there is no such open request."""
        found = next((r for r in self._people.requests(owner) if r.id == request_id), None)
        if found is None or found.answer is not Answer.OPEN:
            raise DirectoryError(f"{owner} has no open contact request {request_id!r}")
        answered = replace(found, answer=Answer.ACCEPTED if accept else Answer.DECLINED)
        self._keep(answered)
        return answered

    def _keep(self, request: ContactRequest) -> None:
        self._store.put_contact_request(request)
        self._people.put_request(request)
        self._written(request.owner)

    def _drop(self, request: ContactRequest) -> None:
        self._store.remove_contact_request(request.owner, request.id)
        self._people.remove_request(request.owner, request.id)
        self._written(request.owner)

    # ------------------------------------------------------------------------------------------ small things

    @property
    def _people(self) -> People:
        return self._index()

    def _change(self, owner: str, put: Sequence[Contact], gone: Sequence[str]) -> None:
        if not put and not gone:
            return
        self._store.change_contacts(put, [(owner, contact_id) for contact_id in gone])
        for contact_id in gone:
            self._people.remove_contact(owner, contact_id)
        for contact in put:
            self._people.put_contact(contact)
        self._written(owner)
