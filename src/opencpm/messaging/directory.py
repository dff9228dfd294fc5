"""The directory over the store: reads from memory, writes through, and follows what other processes change."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from opencpm.domain.address import Address
from opencpm.domain.contact import Contact
from opencpm.domain.presence import note_of
from opencpm.domain.profile import Availability
from opencpm.domain.roster import Answer, ContactRequest, RosterChange
from opencpm.domain.subscriber import LinkedAccount, Preferences, Subscriber
from opencpm.interfaces import Store, Vault
from opencpm.messaging.book import Book, DirectoryError
from opencpm.messaging.credentials import Hashes, Token, is_password, make_token, split_token
from opencpm.messaging.people import People, logins

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}\Z")
_log = logging.getLogger("opencpm.messaging")


class StoredDirectory:
    """Implements :class:`opencpm.interfaces.Directory` and the administration beside it.

    Changes are durable when a method returns. What another process changed shows after :meth:`refresh`.
    """

    def __init__(self, store: Store, vault: Vault, realm: str) -> None:
        self._store = store
        self._vault = vault
        self._realm = realm
        self._watchers: list[Callable[[], None]] = []
        self._hashes: dict[str, Hashes] = {}  # opened on first use, dropped on every change
        self._tokens: dict[str, Token] = {}
        self._version = store.version()
        self._people = self._read()
        self._book = Book(store, lambda: self._people, self._book_written)
        self._revisions: dict[str, int] = {}
        self._revision = 0

    # ------------------------------------------------------------------------------------------------- reads

    def subscriber(self, subscriber_id: str) -> Subscriber | None:
        return self._people.subscribers.get(subscriber_id)

    def subscribers(self) -> list[Subscriber]:
        return list(self._people.subscribers.values())

    def owner_of(self, address: Address) -> Subscriber | None:
        return self._people.owner_of(address)

    def contact(self, owner: str, address: Address) -> Contact:
        return self._people.contact(owner, address)

    def contacts(self, owner: str) -> list[Contact]:
        return self._people.contacts(owner)

    def blocks(self, owner: str, address: Address) -> bool:
        """Whether a subscriber has blocked this address."""
        found = self._people.known(owner, address)
        return found is not None and found.blocked

    def linked(self, network: str) -> Sequence[LinkedAccount]:
        return self._people.linked(network)

    def password(self, account: LinkedAccount) -> str:
        """:raises ValueError: there is none, or it was sealed with another key."""
        sealed = self._store.secret("account", _account_key(account))
        if sealed is None:
            raise DirectoryError(f"no password is kept for {account.address}; link the account again")
        return self._vault.unseal(sealed).decode()

    def watch(self, changed: Callable[[], None]) -> None:
        self._watchers.append(changed)

    # ----------------------------------------------------------------------------------------------- sign-in

    def ha1(self, username: str, realm: str, algorithm: str) -> str | None:
        """User names are an id or an address, with or without its host; the hash is of the name as it is given."""
        subscriber = self._people.of_login(username)
        hashes = None if subscriber is None else self._hashes_of(subscriber.id)
        if hashes is None or hashes.realm != realm:
            return None
        return hashes.by_name.get((username, algorithm))

    def of_login(self, username: str) -> Subscriber | None:
        """Whom a user name in a digest means."""
        return self._people.of_login(username)

    def check_password(self, user_id: str, password: str) -> bool:
        known = user_id in self._people.subscribers
        return is_password(self._hashes_of(user_id) if known else None, user_id, password)

    def proves(self, username: str, password: str) -> bool:
        """See :meth:`opencpm.interfaces.Directory.proves`."""
        return self.check_password(username, password)

    def user_of_token(self, token: str) -> str | None:
        parts = split_token(token)
        kept = self._token(parts[0]) if parts else None
        if parts is None or kept is None or not kept.matches(parts[1]):
            return None
        return kept.user_id if kept.user_id in self._people.subscribers else None

    # ---------------------------------------------------------------------------------------------- following

    def refresh(self) -> bool:
        """Take in what other processes changed; whether there was anything."""
        version = self._store.version()
        if version == self._version:
            return False
        self._version = version
        self._people = self._read()
        self._tell()
        return True

    def _read(self) -> People:
        return People(self._store.subscribers(), self._store.contacts(), self._store.contact_requests())

    def _tell(self) -> None:
        self._hashes.clear()
        self._tokens.clear()
        self._revision += 1
        for changed in tuple(self._watchers):
            changed()

    def _written(self, writes: int) -> None:
        """After ``writes`` changes of our own, which the index has already: reload only if others wrote as well."""
        self._version += writes
        if not self.refresh():
            self._tell()

    def _book_written(self, owner: str) -> None:
        """One change to an address book: nobody else has to look, and no secret has changed."""
        self._version += 1
        if not self.refresh():
            self._revisions[owner] = self._revisions.get(owner, 0) + 1
            for changed in tuple(self._watchers):
                changed()

    def revision(self, owner: str) -> int:
        return self._revision + self._revisions.get(owner, 0)

    # ------------------------------------------------------------------------------------------------- people

    def add_user(self, user_id: str, name: str, password: str, addresses: Sequence[Address]) -> Subscriber:
        """:raises DirectoryError: the id or an address is taken or unusable."""
        subscriber = Subscriber(id=user_id, name=name or user_id, addresses=tuple(dict.fromkeys(addresses)))
        self.refresh()
        self._check_new(subscriber)
        _check_password(password)
        self._put_hashes(subscriber, password)
        self._store.put_subscriber(subscriber)
        self._people.put(subscriber)
        self._written(2)
        return subscriber

    def remove_user(self, user_id: str) -> None:
        """With contacts, linked accounts and every secret. History stays with whom they talked.

        :raises DirectoryError: there is no such user.
        """
        subscriber = self._existing(user_id)
        secrets = [("ha1", user_id), *(("account", _account_key(a)) for a in subscriber.accounts)]
        secrets += [("token", token_id) for token_id, _ in self.tokens(user_id)]
        for kind, key in secrets:
            self._store.put_secret(kind, key, None)
        self._store.remove_subscriber(user_id)
        self._people.remove(user_id)
        self._written(len(secrets) + 1)

    def set_password(self, user_id: str, password: str) -> None:
        """:raises DirectoryError: no such user, or a password that cannot be used."""
        subscriber = self._existing(user_id)
        _check_password(password)
        self._put_hashes(subscriber, password)
        self._written(1)

    def set_preferences(self, user_id: str, preferences: Preferences) -> Subscriber:
        """:raises DirectoryError: there is no such user."""
        preferences = replace(preferences, note=note_of(preferences.note))
        return self._replace(replace(self._existing(user_id), preferences=preferences))

    def publish(self, user_id: str, availability: Availability, note: str, at: float) -> Subscriber:
        """How this user wants to appear from now on.

        :raises DirectoryError: there is no such user.
        """
        old = self._existing(user_id)
        preferences = replace(old.preferences, status=availability, note=note_of(note))
        since = old.status_since if availability is old.preferences.status else at
        return self._replace(replace(old, preferences=preferences, status_since=since))

    def set_barred(self, user_id: str, barred: bool) -> Subscriber:
        """:raises DirectoryError: there is no such user."""
        return self._replace(replace(self._existing(user_id), barred=barred))

    def _replace(self, subscriber: Subscriber) -> Subscriber:
        self._store.put_subscriber(subscriber)
        self._people.put(subscriber)
        self._written(1)
        return subscriber

    def _existing(self, user_id: str) -> Subscriber:
        self.refresh()
        found = self._people.subscribers.get(user_id)
        if found is None:
            raise DirectoryError(f"there is no user {user_id!r}")
        return found

    def _check_new(self, subscriber: Subscriber) -> None:
        """Ids and the user parts of addresses are one name space, so that a sign-in never means two people."""
        if not _ID.match(subscriber.id):
            raise DirectoryError(f"{subscriber.id!r} cannot be a user's id; use letters, digits and . _ + -")
        if subscriber.id in self._people.subscribers:
            raise DirectoryError(f"there is a user {subscriber.id!r} already")
        if not subscriber.addresses:
            raise DirectoryError("a user has at least one address, such as sip:alice@example.org")
        for address in subscriber.addresses:
            if taken := self._people.owner_of(address):
                raise DirectoryError(f"{address} belongs to {taken.id} already")
        for login in logins(subscriber):
            if taken := self._people.of_login(login):
                raise DirectoryError(f"{taken.id} signs in as {login!r} already; choose another id or address")

    # ---------------------------------------------------------------------------------------------- contacts

    def add_contact(self, owner: str, name: str, addresses: Sequence[Address], networks: Sequence[str] = ()) -> Contact:
        """A contact of this name that has one of these addresses already is changed and keeps its id.

        :raises DirectoryError: no such user, no address, or an address that is another contact's.
        """
        self._existing(owner)
        return self._book.add(owner, name, addresses, networks)

    def write_contact(self, contact: Contact) -> Contact:
        """Give a contact a new form; what networks say of its addresses stays.

        :raises DirectoryError: no such user or contact, no address, or an address that is another contact's.
        """
        self._existing(contact.owner)
        return self._book.write(contact)

    def set_blocked(self, owner: str, contact_id: str, blocked: bool) -> Contact:
        """:raises DirectoryError: there is no such contact."""
        self._existing(owner)
        return self._book.set_blocked(owner, contact_id, blocked)

    def remove_contact(self, owner: str, contact_id: str) -> None:
        """:raises DirectoryError: there is no such contact."""
        self._existing(owner)
        self._book.remove(owner, contact_id)

    def known_by(self, user_id: str) -> list[tuple[str, Address]]:
        """Which other users have this one in their address book, and by which address."""
        subscriber = self._people.subscribers.get(user_id)
        addresses = subscriber.addresses if subscriber is not None else ()
        others = [other for other in self._people.subscribers if other != user_id]
        return [(other, a) for other in others for a in addresses[:8] if self._people.known(other, a) is not None]

    def contact_requests(self, owner: str) -> list[ContactRequest]:
        """Who waits for an answer of the user, oldest first."""
        found = [r for r in self._people.requests(owner) if r.answer is Answer.OPEN]
        return sorted(found, key=lambda request: request.at)

    def answer_request(self, owner: str, request_id: str, accept: bool) -> ContactRequest:
        """:raises DirectoryError: there is no such open request."""
        self._existing(owner)
        return self._book.answer(owner, request_id, accept)

    @property
    def book(self) -> Book:
        """The address books, for what networks say of them."""
        return self._book

    def roster_changes(
        self, network: str, owner: str, schemes: frozenset[str], account: Address | None = None
    ) -> Sequence[RosterChange]:
        return self._book.changes(owner, network, schemes, account)

    # ---------------------------------------------------------------------------------------------- accounts

    def link_account(self, owner: str, network: str, address: Address, password: str) -> LinkedAccount:
        """Sign this user in on a foreign network. An account that is linked already is linked anew: with this password,
        and whatever kept it from signing in is forgotten.

        :raises DirectoryError: no such user, or the account is another user's.
        """
        subscriber = self._existing(owner)
        taken = self._people.owner_of(address)
        if taken is not None and taken.id != owner:
            raise DirectoryError(f"{address} is linked to {taken.id} already")
        if taken is not None and address in taken.addresses:
            raise DirectoryError(f"{address} is an address of {owner} here")
        if not password or len(password) > 256:
            raise DirectoryError("the password of an account has 1 to 256 characters")
        old = _account(subscriber, network, address)
        account = LinkedAccount(owner=owner, network=network, address=address, revision=old.revision + 1 if old else 0)
        self._store.put_secret("account", _account_key(account), self._vault.seal(password.encode()))
        self._put_account(subscriber, account, 2)
        return account

    def retry_account(self, owner: str, network: str, address: Address) -> LinkedAccount:
        """Sign in afresh with the password that is kept.

        :raises DirectoryError: no such user or account.
        """
        subscriber, old = self._linked(owner, network, address)
        account = replace(old, revision=old.revision + 1)
        self._put_account(subscriber, account, 1)
        return account

    def enable_account(self, owner: str, network: str, address: Address, enabled: bool) -> LinkedAccount:
        """:raises DirectoryError: no such user or account."""
        subscriber, old = self._linked(owner, network, address)
        account = replace(old, enabled=enabled, revision=old.revision + (1 if enabled else 0))
        self._put_account(subscriber, account, 1)
        return account

    def unlink_account(self, owner: str, network: str, address: Address | None = None) -> None:
        """Without an address: all of a network. The people on its list stay in the address book.

        :raises DirectoryError: no such user.
        """
        subscriber = self._existing(owner)
        leaving = [a for a in subscriber.accounts if a.network == network and address in (None, a.address)]
        for account in leaving:
            self._store.put_secret("account", _account_key(account), None)
            self._store.remove_account(owner, network, account.address)
        self._people.put(replace(subscriber, accounts=tuple(a for a in subscriber.accounts if a not in leaving)))
        self._written(2 * len(leaving))
        for account in leaving:
            self._book.forget_list(owner, network, account.address)

    def _linked(self, owner: str, network: str, address: Address) -> tuple[Subscriber, LinkedAccount]:
        subscriber = self._existing(owner)
        account = _account(subscriber, network, address)
        if account is None:
            raise DirectoryError(f"{owner} has no account {address} on {network}")
        return subscriber, account

    def _put_account(self, subscriber: Subscriber, account: LinkedAccount, writes: int) -> None:
        self._store.put_account(account)
        accounts = subscriber.accounts
        if _account(subscriber, account.network, account.address) is None:
            accounts = (*accounts, account)
        same = (account.network, account.address)
        accounts = tuple(account if (a.network, a.address) == same else a for a in accounts)
        self._people.put(replace(subscriber, accounts=accounts))
        self._written(writes)

    # ------------------------------------------------------------------------------------------------ tokens

    def new_token(self, user_id: str, label: str) -> str:
        """A token for the API, shown this once.

        :raises DirectoryError: there is no such user.
        """
        self._existing(user_id)
        text, token_id, token = make_token(user_id, label[:80])
        self._store.put_secret("token", token_id, self._vault.seal(token.to_bytes()))
        self._written(1)
        return text

    def tokens(self, user_id: str) -> list[tuple[str, str]]:
        """(id, label) of a user's tokens."""
        ids = sorted(self._store.secrets("token"))
        kept = [(token_id, self._token(token_id)) for token_id in ids]
        return [(token_id, token.label) for token_id, token in kept if token is not None and token.user_id == user_id]

    def remove_token(self, user_id: str, token_id: str) -> None:
        """:raises DirectoryError: this user has no such token."""
        if token_id not in {known for known, _ in self.tokens(user_id)}:
            raise DirectoryError(f"{user_id} has no token {token_id!r}")
        self._store.put_secret("token", token_id, None)
        self._written(1)

    # ----------------------------------------------------------------------------------------------- secrets

    def _token(self, token_id: str) -> Token | None:
        if token_id not in self._tokens:
            opened = self._open("token", token_id)
            if opened is None:
                return None
            self._tokens[token_id] = Token.from_bytes(opened)
        return self._tokens[token_id]

    def _hashes_of(self, user_id: str) -> Hashes | None:
        if user_id not in self._hashes:
            opened = self._open("ha1", user_id)
            if opened is None:
                return None
            hashes = self._hashes[user_id] = Hashes.from_bytes(opened)
            if hashes.realm != self._realm:
                _log.error("the password of %s was set for realm %r; set it again", user_id, hashes.realm)
        return self._hashes[user_id]

    def _open(self, kind: str, key: str) -> bytes | None:
        """A secret that cannot be opened is none: nobody signs in with it, and the operator is told."""
        sealed = self._store.secret(kind, key)
        if sealed is None:
            return None
        try:
            return self._vault.unseal(sealed)
        except ValueError as error:
            _log.error("secret %s of %s: %s; set it again, or restore the secret key", kind, key, error)
            return None

    def _put_hashes(self, subscriber: Subscriber, password: str) -> None:
        hosted = [address.value for address in subscriber.addresses if address.scheme == "sip"]
        names = dict.fromkeys([*logins(subscriber), *hosted, f"{subscriber.id}@{self._realm}"])
        hashes = Hashes.of(names, self._realm, password)
        self._store.put_secret("ha1", subscriber.id, self._vault.seal(hashes.to_bytes()))


def _account_key(account: LinkedAccount) -> str:
    return f"{account.owner}|{account.network}|{account.address}"


def _account(subscriber: Subscriber, network: str, address: Address) -> LinkedAccount | None:
    return next((a for a in subscriber.accounts if (a.network, a.address) == (network, address)), None)


def _check_password(password: str) -> None:
    if not password or len(password) > 256:
        raise DirectoryError("a password has 1 to 256 characters")
