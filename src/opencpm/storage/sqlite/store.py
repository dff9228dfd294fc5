"""The embedded store: one SQLite file, written in groups."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from opencpm.domain.address import Address
from opencpm.domain.contact import Contact
from opencpm.domain.message import Message
from opencpm.domain.report import Report
from opencpm.domain.roster import ContactRequest
from opencpm.domain.subscriber import LinkedAccount, Subscriber
from opencpm.domain.trail import TrailEntry
from opencpm.interfaces import Changes, Committed, DeliveryRecord, ReferenceRow, SessionRecord, Thread
from opencpm.storage.sqlite.administration import Administration
from opencpm.storage.sqlite.committer import Committer, CommitThread, commit_inline
from opencpm.storage.sqlite.connection import connect, prepare
from opencpm.storage.sqlite.leases import claiming, release, seizing
from opencpm.storage.sqlite.pruning import prune
from opencpm.storage.sqlite.reading import Reader
from opencpm.storage.sqlite.writing import NONE, Repeated, Writer

log = logging.getLogger("opencpm.storage")

IN_MEMORY = frozenset({"", ":memory:"})
_FRESH = Committed(NONE)


class SqliteStore:
    """Implements :class:`opencpm.interfaces.Store`. Use it on the loop it was made on.

    A file has two connections: one that the committer writes with, one for reads (which so see only what is
    committed) and administration. A store in memory has one: no turn of the loop ends within its transactions.
    """

    def __init__(self, path: str, loop: asyncio.AbstractEventLoop) -> None:
        """:raises SchemaError: the file is no database of ours, or of a later version.
        :raises OSError: the file cannot be opened or made."""
        in_memory = path in IN_MEMORY
        if not in_memory:
            Path(path).touch(mode=0o600)  # people's messages; SQLite's other files take the mode of this one
        self._written = connect(":memory:" if in_memory else path)
        prepare(self._written)
        self._written.execute("PRAGMA busy_timeout = 0")  # it must not wait on the loop: the committer tries again
        self._read = self._written if in_memory else connect(path)
        self._writer = Writer(self._written)
        self._thread = None if in_memory else CommitThread(self._written, loop)
        commit = self._thread or commit_inline(self._written)
        self._committer = Committer(self._written, self._apply, commit, loop, self._writer.reset)
        self._reader = Reader(self._read)
        self._administration = Administration(self._read)
        self._closed = False

    # -------------------------------------------------------------------------------------------- writing

    def _apply(self, group: Sequence[Any]) -> list[Any]:
        """Runs of units go together; a task (claim, release, prune) between them sees those before it."""
        self._writer.notice_others()
        results: list[Any] = []
        units: list[Changes] = []
        for what in group:
            if isinstance(what, Changes):
                units.append(what)
                continue
            results += self._writer.apply(units)
            units = []
            results.append(what(self._written))
        results += self._writer.apply(units)
        return results

    def _submit(self, what: object, done: Callable[[Any, Exception | None], None]) -> None:
        if self._closed:
            raise RuntimeError("the store is closed")
        self._committer.submit(what, done)

    def commit(self, changes: Changes, done: Callable[[Committed], None] | None = None) -> None:
        self._submit(changes, _ignore if done is None else partial(_committed, done))

    def claim(
        self,
        now: float,
        lease_until: float,
        limit: int,
        done: Callable[[Sequence[DeliveryRecord]], None],
        queue: str | None = None,
    ) -> None:
        """If the database fails, nothing is claimed."""
        self._submit(claiming(now, lease_until, limit, queue), lambda records, _error: done(records or []))

    def seize(
        self,
        delivery_ids: Sequence[str],
        now: float,
        lease_until: float,
        done: Callable[[Sequence[DeliveryRecord]], None],
    ) -> None:
        """If the database fails, nothing is leased."""
        self._submit(seizing(delivery_ids, now, lease_until), lambda records, _error: done(records or []))

    def release_leases(self, done: Callable[[], None]) -> None:
        self._submit(release, partial(_when_done, done))

    def prune(self, before: float, limit: int, done: Callable[[int], None]) -> None:
        """Forget what is finished and was last touched before: at most ``limit`` deliveries, and as many messages,
        trail lines and references that nothing holds any more. ``done`` gets the number of rows removed."""
        self._submit(partial(self._prune, before, limit), lambda removed, _error: done(removed or 0))

    def _prune(self, before: float, limit: int, connection: sqlite3.Connection) -> int:
        removed = prune(before, limit, connection)
        self._writer.reset()  # it may remember numbers of what is gone
        return removed

    def put_state(self, room: str, key: str, value: bytes | None, done: Callable[[], None] | None = None) -> None:
        """If the database fails, ``done`` is not called: what is not stored must not be acknowledged."""
        self._submit(Changes(state=[(room, key, value)]), _ignore if done is None else partial(_when_done, done))

    def backlog(self) -> int:
        """Units of work that wait for a commit."""
        return self._committer.backlog()

    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        await self._committer.drain()
        if self._thread is not None:
            self._thread.stop()
        if self._read is not self._written:
            self._read.close()
        self._written.close()

    # -------------------------------------------------------------------------------------------- reading

    def next_due(self) -> float | None:
        return self._reader.next_due()

    def message(self, message_id: str) -> Message | None:
        return self._reader.message(message_id)

    def delivery(self, delivery_id: str) -> DeliveryRecord | None:
        return self._reader.delivery(delivery_id)

    def deliveries_of(self, message_id: str) -> Sequence[DeliveryRecord]:
        return self._reader.deliveries_of(message_id)

    def referenced(self, network: str, key: str) -> Sequence[ReferenceRow]:
        return self._reader.referenced(network, key)

    def parked(self, limit: int) -> Sequence[Report]:
        return self._reader.parked(limit)

    def waiting(self, queue: str) -> int:
        return self._reader.waiting(queue)

    def unreported(self, before: float, limit: int) -> Sequence[DeliveryRecord]:
        return self._reader.unreported(before, limit)

    def threads(self, owner: str, limit: int = 100) -> Sequence[Thread]:
        return self._reader.threads(owner, limit)

    def history(
        self, owner: str, peer: str, limit: int = 100, before: float | None = None
    ) -> Sequence[tuple[DeliveryRecord, bool]]:
        return self._reader.history(owner, peer, limit, before)

    def sessions(self, owner: str, peer: str, limit: int = 20) -> Sequence[SessionRecord]:
        """Latest first."""
        return self._reader.sessions(owner, peer, limit)

    def open_sessions(self) -> Sequence[SessionRecord]:
        return self._reader.open_sessions()

    def trail(self, subject: str) -> Sequence[TrailEntry]:
        return self._reader.trail(subject)

    def find(self, text: str) -> str | None:
        return self._reader.find(text)

    def last_exchange(self, thread: str) -> tuple[str, str] | None:
        return self._reader.last_exchange(thread)

    def counts(self) -> Mapping[str, int]:
        return self._reader.counts()

    def get_state(self, room: str, key: str) -> bytes | None:
        return self._reader.get_state(room, key)

    def all_state(self, room: str) -> Mapping[str, bytes]:
        return self._reader.all_state(room)

    # ------------------------------------------------------------------------------------- administration

    def subscribers(self) -> Sequence[Subscriber]:
        return self._administration.subscribers()

    def put_subscriber(self, subscriber: Subscriber) -> None:
        self._administration.put_subscriber(subscriber)

    def remove_subscriber(self, subscriber_id: str) -> None:
        self._administration.remove_subscriber(subscriber_id)

    def contacts(self) -> Iterable[Contact]:
        return self._administration.contacts()

    def put_contact(self, contact: Contact) -> None:
        self._administration.put_contact(contact)

    def remove_contact(self, owner: str, contact_id: str) -> None:
        self._administration.remove_contact(owner, contact_id)

    def change_contacts(self, put: Sequence[Contact], removed: Sequence[tuple[str, str]]) -> None:
        self._administration.change_contacts(put, removed)

    def contact_requests(self) -> Sequence[ContactRequest]:
        return self._administration.contact_requests()

    def put_contact_request(self, request: ContactRequest) -> None:
        self._administration.put_contact_request(request)

    def remove_contact_request(self, owner: str, request_id: str) -> None:
        self._administration.remove_contact_request(owner, request_id)

    def put_account(self, account: LinkedAccount) -> None:
        self._administration.put_account(account)

    def remove_account(self, owner: str, network: str, address: Address) -> None:
        self._administration.remove_account(owner, network, address)

    def secret(self, kind: str, key: str) -> bytes | None:
        return self._administration.secret(kind, key)

    def put_secret(self, kind: str, key: str, sealed: bytes | None) -> None:
        self._administration.put_secret(kind, key, sealed)

    def secrets(self, kind: str) -> Mapping[str, bytes]:
        return self._administration.secrets(kind)

    def version(self) -> int:
        return self._administration.version()


def _committed(done: Callable[[Committed], None], repeated: Repeated | None, error: Exception | None) -> None:
    if error is None and not repeated:
        done(_FRESH)
    else:
        done(Committed(repeated or NONE, error))


def _when_done(done: Callable[[], None], _result: object, error: Exception | None) -> None:
    if error is None:
        done()


def _ignore(_result: object, _error: Exception | None) -> None:
    """Nobody waits for it; the committer has logged an error."""
