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
    plain = (re.sub(r"--[^\n]*\n|\s+", " ", sql).strip() for (sql,) in rows)
    return {re.sub(r"\s*([(),])\s*", r"\1", sql) for sql in plain}


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
    with pytest.raises(FileNotFoundError):
        await open_store(str(tmp_path / "nowhere" / "store.db"))


async def test_the_files_are_the_servers_alone(tmp_path: Path) -> None:
    store = await open_store(str(tmp_path / "store.db"))
    modes = {file.name: file.stat().st_mode & 0o777 for file in tmp_path.iterdir()}
    assert modes == {"store.db": 0o600, "store.db-wal": 0o600, "store.db-shm": 0o600}
    await store.close()


@pytest.fixture
def first(tmp_path: Path) -> Path:
    """A file of schema 1."""
    opened = sqlite3.connect(tmp_path / "first.db")
    opened.executescript((Path(__file__).parents[2] / "fixtures" / "store-1.sql").read_text())
    opened.close()
    return tmp_path / "first.db"


def test_migration_ends_at_the_tables_of_today(first: Path, connection: sqlite3.Connection) -> None:
    prepare(connection)
    migrated = connect(str(first))
    prepare(migrated)
    assert schema(migrated) == schema(connection)
    assert migrated.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
    assert migrated.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    migrated.close()


async def test_migration_keeps_everything(first: Path) -> None:
    store = await open_store(str(first))
    assert store.counts() | {"queued": 1, "accepted": 1, "messages": 2, "trail": 3} == store.counts()
    (sent, _), (received, _) = history = store.history("alice", "bob")
    assert [by_her for _, by_her in history] == [True, False]
    assert store.find("m1@device.test") == sent.message.id
    assert [entry.what for entry in store.trail(sent.message.id)] == ["received over SIP"]
    assert [entry.what for entry in store.trail("s1")] == ["asks for a session"]
    assert [row.delivery_id for row in store.referenced("sms", "1F")] == [received.id]
    assert store.waiting("bob") == 1
    assert [report.key for report in store.parked(10)] == ["2F"]
    assert [talk.id for talk in store.open_sessions()] == ["s1"]
    assert store.get_state("sip", "alice") == b"registered"
    assert [(person.name, person.accounts[0].network) for person in store.subscribers()] == [("Alice", "msn")]
    assert [contact.name for contact in store.contacts()] == ["Bob"]
    assert store.secret("ha1", "alice") == b"\x01\x02"
    await store.close()


def test_a_migration_that_fails_leaves_the_file_as_it_was(first: Path) -> None:
    opened = connect(str(first))
    opened.execute("DROP INDEX trail_subject")  # which the migration expects
    before = schema(opened)
    with pytest.raises(sqlite3.OperationalError):
        prepare(opened)
    assert schema(opened) == before
    assert opened.execute("PRAGMA user_version").fetchone() == (1,)
    opened.close()


async def test_the_password_of_a_linked_account_survives_the_migration(first: Path) -> None:
    opened = sqlite3.connect(first)
    opened.execute("INSERT INTO secret VALUES ('account', 'alice|msn', x'07')")
    opened.commit()
    opened.close()
    store = await open_store(str(first))
    account = store.subscribers()[0].accounts[0]
    assert store.secret("account", f"alice|msn|{account.address}") == b"\x07"
    await store.close()
