"""Subscribers and contacts, indexed in memory: pure, kept in step with the store by the directory."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

from opencpm.domain.address import Address
from opencpm.domain.contact import Contact, stranger
from opencpm.domain.roster import ContactRequest
from opencpm.domain.subscriber import LinkedAccount, Subscriber

_ALIASES = frozenset({"im", "sip"})


class People:
    """Who is who. All look-ups are a dictionary's."""

    def __init__(
        self,
        subscribers: Iterable[Subscriber] = (),
        contacts: Iterable[Contact] = (),
        requests: Iterable[ContactRequest] = (),
    ) -> None:
        self.subscribers: dict[str, Subscriber] = {}
        self._owners: dict[Address, str] = {}
        self._logins: dict[str, str] = {}
        self._contacts: dict[str, dict[str, Contact]] = {}  # owner → contact id → contact
        self._known: dict[tuple[str, Address], Contact] = {}
        self._aliases: dict[tuple[str, str], Contact] = {}  # (owner, "bob@msn.test") → contact
        self._requests: dict[str, dict[str, ContactRequest]] = {}  # owner → request id → request
        self._linked: dict[str, tuple[LinkedAccount, ...]] | None = None
        for subscriber in subscribers:
            self.put(subscriber)
        for contact in contacts:
            self.put_contact(contact)
        for request in requests:
            self.put_request(request)

    # ------------------------------------------------------------------------------------------- subscribers

    def put(self, subscriber: Subscriber) -> None:
        """Add a subscriber, or take their new form in place of the old one."""
        self._forget(subscriber.id)
        self.subscribers[subscriber.id] = subscriber
        for login in logins(subscriber):
            self._logins.setdefault(login, subscriber.id)
        for address in subscriber.addresses:
            self._owners.setdefault(address, subscriber.id)
        for account in subscriber.accounts:
            self._owners.setdefault(account.address, subscriber.id)
            self._owners.setdefault(Address("im", account.address.value), subscriber.id)
        self._linked = None

    def remove(self, subscriber_id: str) -> None:
        """Take out a subscriber with their contacts."""
        self._forget(subscriber_id)
        for contact in self.all_contacts(subscriber_id):
            self.remove_contact(subscriber_id, contact.id)
        self._requests.pop(subscriber_id, None)

    def _forget(self, subscriber_id: str) -> None:
        old = self.subscribers.pop(subscriber_id, None)
        if old is None:
            return
        addresses = [*old.addresses, *(account.address for account in old.accounts)]
        for address in [*addresses, *(Address("im", account.address.value) for account in old.accounts)]:
            if self._owners.get(address) == subscriber_id:
                del self._owners[address]
        for login in logins(old):
            if self._logins.get(login) == subscriber_id:
                del self._logins[login]
        self._linked = None

    def owner_of(self, address: Address) -> Subscriber | None:
        found = self._owners.get(address)
        return None if found is None else self.subscribers[found]

    def of_login(self, username: str) -> Subscriber | None:
        """Whom a user name in a digest means: an id, or an address, with or without its host."""
        found = self._logins.get(username.partition("@")[0])
        return None if found is None else self.subscribers[found]

    def linked(self, network: str) -> tuple[LinkedAccount, ...]:
        if self._linked is None:
            self._linked = _by_network(self.subscribers.values())
        return self._linked.get(network, ())

    # ---------------------------------------------------------------------------------------------- contacts

    def put_contact(self, contact: Contact) -> None:
        owner = contact.owner
        self.remove_contact(owner, contact.id)
        self._contacts.setdefault(owner, {})[contact.id] = contact
        if contact.removed:
            return
        for address in contact.addresses:
            self._known.setdefault((owner, address), contact)
            if _has_alias(address):
                self._aliases.setdefault((owner, address.value), contact)

    def remove_contact(self, owner: str, contact_id: str) -> None:
        old = self._contacts.get(owner, {}).pop(contact_id, None)
        if old is None:
            return
        for address in old.addresses:
            if self._known.get((owner, address)) is old:
                del self._known[owner, address]
            if self._aliases.get((owner, address.value)) is old:
                del self._aliases[owner, address.value]

    def contacts(self, owner: str) -> list[Contact]:
        return [contact for contact in self._contacts.get(owner, {}).values() if not contact.removed]

    def all_contacts(self, owner: str) -> list[Contact]:
        """Also those taken out of the book of which a network's list still has to hear."""
        return list(self._contacts.get(owner, {}).values())

    def contact(self, owner: str, address: Address) -> Contact:
        """The person behind an address; a stranger has just this address."""
        return self.known(owner, address) or _stranger(owner, address)

    def known(self, owner: str, address: Address) -> Contact | None:
        """The contact that has this address, or the address that an alias (``im:bob@msn.test``) stands for."""
        found = self._known.get((owner, address))
        if found is not None or address.scheme not in _ALIASES:
            return found
        return self._aliases.get((owner, address.value.lower()))

    # --------------------------------------------------------------------------------------- contact requests

    def put_request(self, request: ContactRequest) -> None:
        self._requests.setdefault(request.owner, {})[request.id] = request

    def remove_request(self, owner: str, request_id: str) -> None:
        self._requests.get(owner, {}).pop(request_id, None)

    def requests(self, owner: str) -> list[ContactRequest]:
        return list(self._requests.get(owner, {}).values())


def _has_alias(address: Address) -> bool:
    """Whether ``im:`` and ``sip:`` forms of it may mean the same person: ``msn:bob@msn.test`` does, a number not."""
    return address.scheme != "sip" and "@" in address.value


def logins(subscriber: Subscriber) -> tuple[str, ...]:
    """The user names under which a subscriber's devices may sign in, without hosts."""
    users = [address.value.partition("@")[0] for address in subscriber.addresses if address.scheme in ("sip", "tel")]
    return tuple(dict.fromkeys([subscriber.id, *users]))


def _by_network(subscribers: Iterable[Subscriber]) -> dict[str, tuple[LinkedAccount, ...]]:
    found: dict[str, list[LinkedAccount]] = {}
    for subscriber in subscribers:
        for account in _enabled(subscriber.accounts):
            found.setdefault(account.network, []).append(account)
    return {network: tuple(accounts) for network, accounts in found.items()}


def _enabled(accounts: Sequence[LinkedAccount]) -> list[LinkedAccount]:
    return [account for account in accounts if account.enabled]


@lru_cache(maxsize=65536)
def _stranger(owner: str, address: Address) -> Contact:
    return stranger(owner, address)
