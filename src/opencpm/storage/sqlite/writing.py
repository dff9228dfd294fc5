"""Units of work into tables: many units at once, a statement per table."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Sequence
from itertools import chain

from opencpm.domain.message import Message
from opencpm.domain.report import Report
from opencpm.interfaces import Changes, DeliveryUpdate
from opencpm.storage.sqlite.queries import SQL
from opencpm.storage.sqlite.rows import Row, delivery_row, message_row, reference_row, rewritten_row, session_row
from opencpm.storage.sqlite.values import report_text

Repeated = frozenset[str]
NONE: Repeated = frozenset()

REMEMBERED = 20_000
"""Messages whose numbers are kept at hand: what is said of a message is mostly said soon."""


class UnknownMessage(LookupError):
    """A delivery belongs to a message that is neither stored nor in the same unit of work."""


class Recent:
    """The numbers of the latest messages, by id: the last ``size`` ones at least, twice as many at most."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._young: dict[str, int] = {}
        self._old: dict[str, int] = {}

    def put(self, numbers: dict[str, int]) -> None:
        if len(self._young) >= self._size:
            self._old, self._young = self._young, {}
        self._young.update(numbers)

    def get(self, message_id: str) -> int | None:
        number = self._young.get(message_id)
        return self._old.get(message_id) if number is None else number


class Writer:
    """Applies units to an open transaction. It gives out ``message.n`` and ``delivery.seq`` itself, so that a unit's
    deliveries know their message's number without asking; after any error call :meth:`reset`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._data_version = 0
        self.reset()

    def notice_others(self) -> None:
        """At the start of a transaction: has another connection or process given out numbers?"""
        version = self._connection.execute("PRAGMA data_version").fetchone()[0]
        if version != self._data_version:
            self._data_version = version
            self.reset()

    def reset(self) -> None:
        """Learn the highest numbers from the tables again."""
        self._n, self._seq = self._connection.execute(SQL["highest_numbers"]).fetchone()
        self._recent = Recent(REMEMBERED)

    def apply(self, units: Sequence[Changes]) -> list[Repeated]:
        """Do what the units say, in their order; for each, the ids of messages that were stored before.

        The units' rows go table by table: rows of different tables meet only by ids that an earlier table has.
        """
        numbers, repeated = self._messages(units)
        self._deliveries(units, numbers, repeated)
        self._rewritten(units)
        self._updates(units, numbers)
        self._references(units, repeated)
        self._parking(units)
        self._sessions(units)
        self._trail(units, numbers, repeated)
        self._state(units)
        return repeated

    def _many(self, name: str, rows: Sequence[Sequence[object]]) -> int:
        return self._connection.executemany(SQL[name], rows).rowcount if rows else 0

    # ------------------------------------------------------------------------------------------- messages

    def _messages(self, units: Sequence[Changes]) -> tuple[dict[str, int], list[Repeated]]:
        messages = [m for unit in units for m in unit.messages]
        if not messages:
            return {}, [NONE] * len(units)
        first = self._n + 1
        self._n += len(messages)
        stored = self._many("insert_message", [message_row(n, m) for n, m in enumerate(messages, first)])
        if stored == len(messages):
            numbers = {m.id: n for n, m in enumerate(messages, first)}
            self._recent.put(numbers)
            return numbers, [NONE] * len(units)
        return self._with_repetitions(units, messages, first)

    def _with_repetitions(
        self, units: Sequence[Changes], messages: Sequence[Message], first: int
    ) -> tuple[dict[str, int], list[Repeated]]:
        """A message is repeated if the number stored with its id is not the one it was offered with."""
        numbers = {m.id: self._stored_number(m.id, {}) for m in messages}
        repeated, at = [], first
        for unit in units:
            repeated.append(frozenset(m.id for n, m in enumerate(unit.messages, at) if numbers[m.id] != n))
            at += len(unit.messages)
        return numbers, repeated

    def _number(self, message_id: str, numbers: dict[str, int]) -> int | None:
        """A message's number; None if it is not stored. ``numbers``: those of this group."""
        number = numbers.get(message_id) or self._recent.get(message_id)
        if number is None:
            row = self._connection.execute(SQL["message_number"], (message_id,)).fetchone()
            number = row and row[0]
        return number

    def _stored_number(self, message_id: str, numbers: dict[str, int]) -> int:
        number = self._number(message_id, numbers)
        if number is None:
            raise UnknownMessage(f"message {message_id} is not stored")
        return number

    # ----------------------------------------------------------------------------------------- deliveries

    def _deliveries(self, units: Sequence[Changes], numbers: dict[str, int], repeated: Sequence[Repeated]) -> None:
        rows: list[Row] = []
        seq = self._seq
        for unit, skipped in zip(units, repeated, strict=True):
            for record in unit.deliveries:
                message_id = record.message.id
                if message_id in skipped:
                    continue
                seq += 1
                record.seq = seq
                rows.append(delivery_row(seq, self._stored_number(message_id, numbers), record))
        self._seq = seq
        self._many("insert_delivery", rows)

    def _updates(self, units: Sequence[Changes], numbers: dict[str, int]) -> None:
        """By the message that the id begins with; where that is not all, the others by their id alone."""
        rows = [
            (u[0], u[1]._value_, *u[2:], self._number(u[0].partition(".")[0], numbers) or 0)
            for u in _latest(chain.from_iterable(u.updates for u in units))
        ]
        if self._many("update_delivery", rows) < len(rows):
            self._many("update_loose_delivery", rows)

    def _rewritten(self, units: Sequence[Changes]) -> None:
        rows = [one for unit in units for one in unit.rewritten]
        self._many("rewrite_message", [rewritten_row(message) for message, _ in rows])
        self._many("rewrite_deliveries", [(message.id, expires_at) for message, expires_at in rows])

    def _references(self, units: Sequence[Changes], repeated: Sequence[Repeated]) -> None:
        rows: list[Row] = []
        for unit, skipped in zip(units, repeated, strict=True):
            if unit.references:
                absent = _left_alone(unit, skipped)
                rows += [reference_row(r) for r in unit.references if r.delivery_id not in absent]
        self._many("insert_reference", rows)

    def _trail(self, units: Sequence[Changes], numbers: dict[str, int], repeated: Sequence[Repeated]) -> None:
        rows = [
            (self._number(entry[0], numbers) or entry[0], entry[1], entry[2]._value_, entry[3], entry[4], entry[5])
            for unit, skipped in zip(units, repeated, strict=True)
            for entry in unit.trail
            if not skipped or entry[0] not in skipped
        ]
        self._many("insert_trail", rows)

    # --------------------------------------------------------------------------------------- rarer tables

    def _parking(self, units: Sequence[Changes]) -> None:
        """Unit by unit: one may park again what another takes out."""
        for unit in units:
            if not unit.parked and not unit.unparked:
                continue
            self._many("insert_parked", [(r.network, parking_key(r), r.at, report_text(r)) for r in unit.parked])
            self._many("delete_parked", unit.unparked)

    def _sessions(self, units: Sequence[Changes]) -> None:
        records = [s for unit in units for s in unit.sessions]
        self._many("put_session", [session_row(s) for s in records])
        self._many("put_session_thread", [(t, s.opened_at, s.id) for s in records for t in s.owner_threads])

    def _state(self, units: Sequence[Changes]) -> None:
        last = {(room, key): value for unit in units for room, key, value in unit.state}
        self._many("put_state", [(*place, value) for place, value in last.items() if value is not None])
        self._many("delete_state", [place for place, value in last.items() if value is None])


def parking_key(report: Report) -> str:
    """Under what a parked report is taken out again: the name it gives to what it is about."""
    return report.key or report.delivery_id or report.message_id


def _left_alone(unit: Changes, skipped: Repeated) -> Collection[str]:
    return {r.id for r in unit.deliveries if r.message.id in skipped} if skipped else ()


def _latest(updates: Iterable[DeliveryUpdate]) -> Iterable[DeliveryUpdate]:
    """Of the updates of one delivery the one that would stand in the end: the last with the highest token."""
    latest: dict[str, DeliveryUpdate] = {}
    for update in updates:
        other = latest.get(update.id)
        if other is None or update.token >= other.token:
            latest[update.id] = update
    return latest.values()
