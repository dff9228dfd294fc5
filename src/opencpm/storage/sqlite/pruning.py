"""Forgetting what is finished and old, in bounded bites."""

from __future__ import annotations

import sqlite3

from opencpm.storage.sqlite.queries import SQL

_STEPS = (
    "prune_deliveries",
    "prune_references",
    "prune_messages",
    "prune_session_threads",
    "prune_sessions",
    "prune_trail",
    "prune_parked",
)
SCAN = 4
"""How many rows are looked at for each that may be removed: unfinished ones among old ones are few."""


def prune(before: float, limit: int, connection: sqlite3.Connection) -> int:
    """Remove at most ``limit`` rows of each table that nobody has touched since ``before``; how many went."""
    arguments = {"before": before, "limit": limit, "scan": limit * SCAN}
    return sum(connection.execute(SQL[step], arguments).rowcount for step in _STEPS)
