"""The store and the people in it, for the server and for the commands that administer it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

from opencpm.app.supervision import StartError
from opencpm.messaging.directory import StoredDirectory
from opencpm.settings import Settings
from opencpm.storage.forgetful import Forgetful
from opencpm.storage.sqlite import SchemaError, SqliteStore, open_store
from opencpm.storage.vault import Vault


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[tuple[SqliteStore, StoredDirectory]]:
    """Open the store; it is closed at the end of the block. Several processes may have it open.

    :raises StartError: the folder or the database cannot be used.
    """
    try:
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        store = await open_store(settings.database)
    except (OSError, SchemaError) as error:
        raise StartError(f"the database {settings.database} cannot be opened: {error}") from error
    try:
        kept = store if settings.store_messages else cast(SqliteStore, Forgetful(store))
        yield kept, StoredDirectory(store, Vault(settings.secret_key), settings.realm)
    finally:
        await store.close()
