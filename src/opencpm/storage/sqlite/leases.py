"""Leases: who may work on a delivery, and until when. They run in the committer's transactions, in order with units."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from opencpm.domain.delivery import DeliveryState
from opencpm.interfaces import DeliveryRecord
from opencpm.storage.sqlite.queries import SQL
from opencpm.storage.sqlite.rows import records_from

Task = Callable[[sqlite3.Connection], object]


def claiming(now: float, lease_until: float, limit: int, queue: str | None) -> Task:
    """A task that leases due deliveries and returns their records as they are from then on."""
    if queue is None:
        return partial(_claim, "due_records", {"now": now, "limit": limit}, now, lease_until)
    return partial(_claim, "queued_records", {"now": now, "limit": limit, "queue": queue}, now, lease_until)


def _claim(
    query: str, arguments: dict[str, object], now: float, lease_until: float, connection: sqlite3.Connection
) -> list[DeliveryRecord]:
    return _lease(records_from(connection.execute(SQL[query], arguments).fetchall()), now, lease_until, connection)


def _lease(
    records: list[DeliveryRecord], now: float, lease_until: float, connection: sqlite3.Connection
) -> list[DeliveryRecord]:
    connection.executemany(SQL["lease"], [(r.seq, lease_until, now) for r in records])
    for record in records:
        record.state = DeliveryState.SENDING
        record.token += 1
        record.lease_until = lease_until
        record.updated_at = now
    return records


def seizing(delivery_ids: Sequence[str], now: float, lease_until: float) -> Task:
    """A task that leases those of these deliveries that are queued, whatever they wait for."""
    return partial(_seize, delivery_ids, now, lease_until)


def _seize(
    delivery_ids: Sequence[str], now: float, lease_until: float, connection: sqlite3.Connection
) -> list[DeliveryRecord]:
    found = [row for one in delivery_ids for row in _rows_of(one, connection)]
    return _lease([r for r in records_from(found) if r.state is DeliveryState.QUEUED], now, lease_until, connection)


def _rows_of(delivery_id: str, connection: sqlite3.Connection) -> list[Any]:
    found = connection.execute(SQL["delivery"], (delivery_id,)).fetchall()
    return found or connection.execute(SQL["loose_delivery"], (delivery_id,)).fetchall()


def release(connection: sqlite3.Connection) -> int:
    """End all leases; how many there were."""
    return connection.execute(SQL["release_leases"]).rowcount
