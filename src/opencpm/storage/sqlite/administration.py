"""People, accounts, contacts and secrets: rare changes, committed at once, each raising the version."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import replace

from opencpm.domain.address import Address
from opencpm.domain.contact import Contact
from opencpm.domain.roster import ContactRequest
from opencpm.domain.subscriber import LinkedAccount, Subscriber
from opencpm.storage.sqlite.connection import transaction
from opencpm.storage.sqlite.queries import SQL
from opencpm.storage.sqlite.values import (
    address_from,
    address_text,
    contact_from,
    contact_text,
    request_from,
    request_text,
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
        for owner, network, address, enabled, revision in self._connection.execute(SQL["accounts"]):
            account = LinkedAccount(
                owner=owner, network=network, address=address_from(address), enabled=bool(enabled), revision=revision
            )
            accounts.setdefault(owner, []).append(account)
        people = [subscriber_from(text) for (text,) in self._connection.execute(SQL["subscribers"])]
        return [replace(person, accounts=tuple(accounts.get(person.id, ()))) for person in people]

    def put_subscriber(self, subscriber: Subscriber) -> None:
        self._change(("put_subscriber", (subscriber.id, subscriber_text(subscriber))))

    def remove_subscriber(self, subscriber_id: str) -> None:
        """With what is theirs: linked accounts, contacts, requests. Secrets have names of the directory's choice and
        stay."""
        tables = ("remove_subscriber", "remove_accounts", "remove_contacts", "remove_contact_requests")
        self._change(*[(name, (subscriber_id,)) for name in tables])

    def put_account(self, account: LinkedAccount) -> None:
        row = (account.owner, account.network, address_text(account.address), account.enabled, account.revision)
        self._change(("put_account", row))

    def remove_account(self, owner: str, network: str, address: Address) -> None:
        self._change(("remove_account", (owner, network, address_text(address))))

    # ------------------------------------------------------------------------------------------ contacts

    def contacts(self) -> Sequence[Contact]:
        return [contact_from(text) for (text,) in self._connection.execute(SQL["contacts"])]

    def put_contact(self, contact: Contact) -> None:
        self.change_contacts([contact], [])

    def remove_contact(self, owner: str, contact_id: str) -> None:
        self.change_contacts([], [(owner, contact_id)])

    def change_contacts(self, put: Sequence[Contact], removed: Sequence[tuple[str, str]]) -> None:
        self._change(
            *[("remove_contact", one) for one in removed],
            *[("put_contact", (one.owner, one.id, contact_text(one))) for one in put],
        )

    def contact_requests(self) -> Sequence[ContactRequest]:
        return [request_from(text) for (text,) in self._connection.execute(SQL["contact_requests"])]

    def put_contact_request(self, request: ContactRequest) -> None:
        self._change(("put_contact_request", (request.owner, request.id, request_text(request))))

    def remove_contact_request(self, owner: str, request_id: str) -> None:
        self._change(("remove_contact_request", (owner, request_id)))

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
