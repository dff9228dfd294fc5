"""The embedded store. ``await open_store("opencpm.db")``."""

from __future__ import annotations

import asyncio

from opencpm.storage.sqlite.connection import SchemaError
from opencpm.storage.sqlite.store import SqliteStore

__all__ = ["SchemaError", "SqliteStore", "open_store"]


async def open_store(path: str) -> SqliteStore:
    """Open or create a store for the running loop; ``""`` or ``":memory:"``: one that is forgotten when closed.

    :raises SchemaError: the file is no database of ours, or of a later version of this program.
    """
    return SqliteStore(path, asyncio.get_running_loop())
