"""Writes to a store until it is killed, and says what was answered: ``python -m tests.crash.writer FILE``.

Each line is the id of a message: ``+id`` its unit was answered, ``=id`` the update of its delivery was answered.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import sys

from opencpm.domain.delivery import DeliveryState
from opencpm.interfaces import Changes, Committed
from opencpm.storage.sqlite import SqliteStore, open_store
from tests.contract.values import unit, update

UNDER_WAY = 100


def _say(line: str) -> None:
    os.write(1, f"{line}\n".encode())


def _write(store: SqliteStore, numbers: itertools.count[int]) -> None:
    one = unit(f"{os.getpid()}-{next(numbers)}", state=DeliveryState.SENDING, token=1)
    ident = one.messages[0].id

    def accepted(_: Committed) -> None:
        _say(f"+{ident}")
        store.commit(Changes(updates=[update(one.deliveries[0], DeliveryState.DELIVERED)]), delivered)

    def delivered(_: Committed) -> None:
        _say(f"={ident}")
        _write(store, numbers)

    store.commit(one, accepted)


async def main(path: str) -> None:
    store = await open_store(path)
    numbers = itertools.count()
    for _ in range(UNDER_WAY):
        _write(store, numbers)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
