"""Opening a database file, and bringing its tables to today's form."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources

SCHEMA_VERSION = 5
"""``PRAGMA user_version`` of ``schema.sql``. Migration N brings a database from N-1 to N."""

BUSY_TIMEOUT = 5.0
"""Seconds an administration's write waits for another writer."""

_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA wal_autocheckpoint = 4000",  # pages: a page that is hot is copied back once for many commits
    "PRAGMA cache_size = -65536",  # KiB
    "PRAGMA temp_store = MEMORY",
)


class SchemaError(ValueError):
    """The file is no database of ours, or of a later version of this program."""


def connect(path: str) -> sqlite3.Connection:
    """A connection that begins and ends its transactions only when told to; usable from any one thread at a time."""
    connection = sqlite3.connect(
        path, timeout=BUSY_TIMEOUT, isolation_level=None, check_same_thread=False, cached_statements=256
    )
    try:
        for pragma in _PRAGMAS:
            connection.execute(pragma)
    except sqlite3.DatabaseError as error:
        connection.close()
        raise SchemaError(f"{path} is not a database: {error}") from error
    return connection


def prepare(connection: sqlite3.Connection) -> None:
    """Create the tables, or migrate those of an older version.

    :raises SchemaError: the database was written by a later version.
    """
    if _version(connection) == SCHEMA_VERSION:
        return
    with transaction(connection):
        found = _version(connection)
        if found > SCHEMA_VERSION:
            raise SchemaError(
                f"the database has schema {found}, this program knows {SCHEMA_VERSION}: use a newer OpenCPM"
            )
        for script in [_script("schema.sql")] if found == 0 else _migrations(found):
            _run(connection, script)
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION:d}")


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All or nothing, committed at the end of the block."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        rollback(connection)
        raise


def rollback(connection: sqlite3.Connection) -> None:
    """End the transaction, if the error has not ended it (disk full, I/O error)."""
    if connection.in_transaction:
        connection.execute("ROLLBACK")


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _migrations(found: int) -> list[str]:
    return [_script(f"migrations/{number:04d}.sql") for number in range(found + 1, SCHEMA_VERSION + 1)]


def _script(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text("utf-8")


def _run(connection: sqlite3.Connection, script: str) -> None:
    """Statement by statement: ``executescript`` would end the transaction."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            connection.execute(statement)
            statement = ""
