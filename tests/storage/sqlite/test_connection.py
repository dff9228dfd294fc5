from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from opencpm.storage.sqlite import SchemaError, open_store
from opencpm.storage.sqlite.connection import SCHEMA_VERSION, connect, prepare, transaction


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    opened = connect(str(tmp_path / "some.db"))
    yield opened
    opened.close()


def schema(connection: sqlite3.Connection) -> set[str]:
    rows = connection.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    return {re.sub(r"--[^\n]*\n|\s+", " ", sql).strip() for (sql,) in rows}


def test_commits_wait_for_the_disk(connection: sqlite3.Connection) -> None:
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL


def test_a_new_file_gets_the_tables_of_today(connection: sqlite3.Connection) -> None:
    prepare(connection)
    assert connection.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
    before = schema(connection)
    prepare(connection)
    assert schema(connection) == before


def test_a_file_of_a_later_version_is_left_alone(connection: sqlite3.Connection) -> None:
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    with pytest.raises(SchemaError, match="newer"):
        prepare(connection)
    assert schema(connection) == set()


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no database at all, but long enough to look at" * 100)
    with pytest.raises(SchemaError, match="not a database"):
        connect(str(tmp_path / "notes.txt"))


def test_a_transaction_is_all_or_nothing(connection: sqlite3.Connection) -> None:
    connection.execute("CREATE TABLE t (x)")
    with pytest.raises(sqlite3.OperationalError), transaction(connection):
        connection.execute("INSERT INTO t VALUES (1)").execute("no SQL")
    with transaction(connection):
        connection.execute("INSERT INTO t VALUES (2)")
    assert connection.execute("SELECT x FROM t").fetchall() == [(2,)]


async def test_the_folder_must_exist(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError):
        await open_store(str(tmp_path / "nowhere" / "store.db"))
