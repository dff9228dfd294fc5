"""People, accounts, contacts and secrets: rare changes, committed at once, each raising the version."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import replace

from opencpm.domain.contact import Contact
from opencpm.domain.subscriber import LinkedAccount, Subscriber
from opencpm.storage.sqlite.connection import transaction
from opencpm.storage.sqlite.queries import SQL
from opencpm.storage.sqlite.values import (
    address_from,
    address_text,
    contact_from,
    contact_text,
    subscriber_from,
    subscriber_text,
)

Statement = tuple[str, tuple[object, ...]]


class Administration:
    """The administrating part of :class:`opencpm.interfaces.Store`; see there."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def _change(self, *statements: Statement) -> None:
        with transaction(self._connection):
            for name, arguments in statements:
                self._connection.execute(SQL[name], arguments)
            self._connection.execute(SQL["raise_version"])

    def version(self) -> int:
        return int(self._connection.execute(SQL["version"]).fetchone()[0])

    # -------------------------------------------------------------------------------------------- people

    def subscribers(self) -> Sequence[Subscriber]:
        accounts: dict[str, list[LinkedAccount]] = {}
        for owner, network, address, enabled in self._connection.execute(SQL["accounts"]):
            account = LinkedAccount(owner=owner, network=network, address=address_from(address), enabled=bool(enabled))
            accounts.setdefault(owner, []).append(account)
        people = [subscriber_from(text) for (text,) in self._connection.execute(SQL["subscribers"])]
        return [replace(person, accounts=tuple(accounts.get(person.id, ()))) for person in people]

    def put_subscriber(self, subscriber: Subscriber) -> None:
        self._change(("put_subscriber", (subscriber.id, subscriber_text(subscriber))))

    def remove_subscriber(self, subscriber_id: str) -> None:
        """With what is theirs: linked accounts and contacts. Secrets have names of the directory's choice and stay."""
        one = (subscriber_id,)
        self._change(("remove_subscriber", one), ("remove_accounts", one), ("remove_contacts", one))

    def put_account(self, account: LinkedAccount) -> None:
        row = (account.owner, account.network, address_text(account.address), account.enabled)
        self._change(("put_account", row))

    def remove_account(self, owner: str, network: str) -> None:
        self._change(("remove_account", (owner, network)))

    # ------------------------------------------------------------------------------------------ contacts

    def contacts(self) -> Sequence[Contact]:
        return [contact_from(text) for (text,) in self._connection.execute(SQL["contacts"])]

    def put_contact(self, contact: Contact) -> None:
        self._change(("put_contact", (contact.owner, contact.id, contact_text(contact))))

    def remove_contact(self, owner: str, contact_id: str) -> None:
        self._change(("remove_contact", (owner, contact_id)))

    # ------------------------------------------------------------------------------------------- secrets

    def secret(self, kind: str, key: str) -> bytes | None:
        row = self._connection.execute(SQL["secret"], (kind, key)).fetchone()
        return row[0] if row else None

    def secrets(self, kind: str) -> Mapping[str, bytes]:
        return dict(self._connection.execute(SQL["secrets"], (kind,)))

    def put_secret(self, kind: str, key: str, sealed: bytes | None) -> None:
        if sealed is None:
            self._change(("remove_secret", (kind, key)))
        else:
            self._change(("put_secret", (kind, key, sealed)))
