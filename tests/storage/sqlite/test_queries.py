from __future__ import annotations

import sqlite3

import pytest

from opencpm.storage.sqlite.connection import connect, prepare
from opencpm.storage.sqlite.queries import SQL, parse


def test_fragments_are_put_in() -> None:
    text = (
        "-- words\n\n-- fragment: columns\na,\nb\n\n-- name: one\nSELECT {columns} FROM t\n\n-- more\n-- name: two\nX\n"
    )
    assert parse(text) == {"one": "SELECT a,\nb FROM t", "two": "X"}


def test_an_unknown_fragment_is_an_error() -> None:
    with pytest.raises(KeyError):
        parse("-- name: one\nSELECT {nothing}")


@pytest.fixture(scope="module")
def connection() -> sqlite3.Connection:
    opened = connect(":memory:")
    prepare(opened)
    return opened


@pytest.mark.parametrize("name", SQL)
def test_every_statement_is_understood_by_the_database(connection: sqlite3.Connection, name: str) -> None:
    sql = SQL[name]
    arguments = dict.fromkeys(("now", "limit", "queue", "low", "high", "thread", "before", "scan"))
    places = sql.count("?") if "?1" not in sql else max(n for n in range(1, 20) if f"?{n}" in sql)
    connection.execute(f"EXPLAIN {sql}", [None] * places if places else arguments)


MAY_SCAN = {
    "highest_numbers", "parked", "open_sessions", "find_message_id", "find_message_id_beginning", "count_states",
    "count_messages", "count_trail", "subscribers", "accounts", "contacts", "contact_requests", "version",
    "raise_version",
    "prune_deliveries", "prune_messages", "prune_references", "prune_session_threads", "prune_sessions", "prune_trail",
    "prune_parked", "next_due", "release_leases", "all_state", "secrets", "last_exchange", "last_of_thread", "history",
    "threads",
}  # fmt: skip


@pytest.mark.parametrize("name", [name for name in SQL if name not in MAY_SCAN and not SQL[name].startswith("INSERT")])
def test_no_hot_statement_scans_a_table(connection: sqlite3.Connection, name: str) -> None:
    sql = SQL[name]
    arguments = dict.fromkeys(("now", "limit", "queue"))
    places = sql.count("?") if "?1" not in sql else max(n for n in range(1, 20) if f"?{n}" in sql)
    plan = connection.execute(f"EXPLAIN QUERY PLAN {sql}", [None] * places if places else arguments).fetchall()
    assert [step[3] for step in plan if step[3].startswith("SCAN")] == []


@pytest.mark.parametrize(
    "name", ["history", "last_of_thread", "last_exchange", "threads", "next_due", "release_leases"]
)
def test_partial_indexes_are_used(connection: sqlite3.Connection, name: str) -> None:
    arguments = dict.fromkeys(("low", "high", "thread", "before", "limit"))
    plan = connection.execute(f"EXPLAIN QUERY PLAN {SQL[name]}", arguments).fetchall()
    on_deliveries = [step[3] for step in plan if "delivery" in step[3]]
    assert on_deliveries
    assert all("USING" in step for step in on_deliveries)
