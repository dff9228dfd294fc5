"""Reads: small, on the loop, from a connection that sees only what is committed."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from opencpm.domain.delivery import DeliveryState
from opencpm.domain.message import Message
from opencpm.domain.report import Report
from opencpm.domain.trail import Step, TrailEntry
from opencpm.interfaces import DeliveryRecord, ReferenceRow, SessionRecord, Thread
from opencpm.storage.sqlite.queries import SQL
from opencpm.storage.sqlite.rows import message_from, records_from, reference_from, session_from
from opencpm.storage.sqlite.values import report_from

SHORTEST_BEGINNING = 6
LATEST = 200_000
"""Among how many messages an imdn.Message-ID is looked for."""
_AFTER_ALL = "\U0010ffff"  # sorts after everything that may follow a beginning
_FOREVER = float("inf")


class Reader:
    """The reading half of :class:`opencpm.interfaces.Store`; see there."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def _all(self, name: str, *arguments: object) -> list[Any]:
        return self._connection.execute(SQL[name], arguments).fetchall()

    def _one(self, name: str, *arguments: object) -> Any:
        return self._connection.execute(SQL[name], arguments).fetchone()

    # ------------------------------------------------------------------------------ messages, deliveries

    def message(self, message_id: str) -> Message | None:
        row = self._one("message", message_id)
        return message_from(row) if row else None

    def delivery(self, delivery_id: str) -> DeliveryRecord | None:
        rows = self._all("delivery", delivery_id) or self._all("loose_delivery", delivery_id)
        return next(iter(records_from(rows)), None)

    def deliveries_of(self, message_id: str) -> Sequence[DeliveryRecord]:
        return records_from(self._all("deliveries_of", message_id))

    def referenced(self, network: str, key: str) -> Sequence[ReferenceRow]:
        return [reference_from(row) for row in self._all("referenced", network, key)]

    def parked(self, limit: int) -> Sequence[Report]:
        return [report_from(text) for (text,) in self._all("parked", limit)]

    def next_due(self) -> float | None:
        due: float | None = self._one("next_due")[0]
        return due

    def waiting(self, queue: str) -> int:
        return int(self._one("waiting", queue)[0])

    def unreported(self, before: float, limit: int) -> Sequence[DeliveryRecord]:
        return records_from(self._all("unreported", before, limit))

    # ------------------------------------------------------------------------------------------- history

    def threads(self, owner: str, limit: int) -> Sequence[Thread]:
        names = self._connection.execute(SQL["threads"], {"low": f"{owner}|", "high": f"{owner}}}"}).fetchall()
        latest = [(name, *last) for (name,) in names if (last := self._last_of(name))]
        latest.sort(key=lambda item: (item[1], item[2]), reverse=True)
        return [self._thread(owner, name) for name, _, _ in latest[:limit]]

    def _last_of(self, thread: str) -> tuple[float, int] | None:
        row: tuple[float, int] | None = self._connection.execute(SQL["last_of_thread"], {"thread": thread}).fetchone()
        return row

    def _thread(self, owner: str, name: str) -> Thread:
        ((last, sent),) = self._thread_history(name, 1, _FOREVER)
        return Thread(name[len(owner) + 1 :], last.created_at, last, sent)

    def history(self, owner: str, peer: str, limit: int, before: float | None) -> Sequence[tuple[DeliveryRecord, bool]]:
        return self._thread_history(f"{owner}|{peer}", limit, _FOREVER if before is None else before)

    def _thread_history(self, thread: str, limit: int, before: float) -> list[tuple[DeliveryRecord, bool]]:
        arguments = {"thread": thread, "limit": limit, "before": before}
        rows = self._connection.execute(SQL["history"], arguments).fetchall()
        records = records_from([row[1:] for row in rows])
        return [(record, bool(row[0])) for record, row in zip(records, rows, strict=True)]

    def last_exchange(self, thread: str) -> tuple[str, str] | None:
        row: tuple[str, str] | None = self._connection.execute(SQL["last_exchange"], {"thread": thread}).fetchone()
        return row

    def sessions(self, owner: str, peer: str, limit: int) -> Sequence[SessionRecord]:
        return [session_from(row) for row in self._all("sessions", f"{owner}|{peer}", limit)]

    def open_sessions(self) -> Sequence[SessionRecord]:
        return [session_from(row) for row in self._all("open_sessions")]

    # ------------------------------------------------------------------------------------------ operator

    def trail(self, subject: str) -> Sequence[TrailEntry]:
        rows = self._all("trail", subject)
        return [TrailEntry(about, at, Step(step), *rest) for about, at, step, *rest in rows]

    def find(self, text: str) -> str | None:
        """Message-IDs have no index (it would cost every message a page): they are looked for in the latest ones."""
        beginning = len(text) >= SHORTEST_BEGINNING
        end = text + _AFTER_ALL
        return (
            self._only("find_exact", text)
            or (self._only("find_beginning", text, end) if beginning else None)
            or self._only("find_message_id", text, LATEST)
            or (self._only("find_message_id_beginning", text, end, LATEST) if beginning else None)
        )

    def _only(self, name: str, *arguments: object) -> str | None:
        found = self._all(name, *arguments)
        return found[0][0] if len(found) == 1 else None

    def counts(self) -> Mapping[str, int]:
        """Keys: every value of :class:`DeliveryState`, ``messages`` and ``trail``."""
        counts = {state.value: 0 for state in DeliveryState}
        counts.update(self._all("count_states"))
        counts["messages"] = self._one("count_messages")[0]
        counts["trail"] = self._one("count_trail")[0]
        return counts

    # --------------------------------------------------------------------------------------- keyed state

    def get_state(self, room: str, key: str) -> bytes | None:
        row = self._one("get_state", room, key)
        return row[0] if row else None

    def all_state(self, room: str) -> Mapping[str, bytes]:
        return dict(self._all("all_state", room))
