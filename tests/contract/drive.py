"""Awaiting what a store answers through callbacks."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from opencpm.interfaces import Changes, Committed, DeliveryRecord, Store


async def commit(store: Store, *units: Changes) -> list[Committed]:
    """Hand in all units in one turn of the loop; their answers in the order in which they came."""
    answers: list[Committed] = []
    finished = asyncio.get_running_loop().create_future()

    def done(answer: Committed) -> None:
        answers.append(answer)
        if len(answers) == len(units):
            finished.set_result(None)

    for unit in units:
        store.commit(unit, done)
    await finished
    return answers


async def stored(store: Store, *units: Changes) -> None:
    for answer in await commit(store, *units):
        if answer.error is not None:
            raise answer.error


async def claim(
    store: Store, now: float, lease_until: float, limit: int = 100, queue: str | None = None
) -> Sequence[DeliveryRecord]:
    answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    store.claim(now, lease_until, limit, answer.set_result, queue)
    claimed: Sequence[DeliveryRecord] = await answer
    return claimed


async def seize(store: Store, delivery_ids: Sequence[str], now: float, lease_until: float) -> Sequence[DeliveryRecord]:
    answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    store.seize(delivery_ids, now, lease_until, answer.set_result)
    seized: Sequence[DeliveryRecord] = await answer
    return seized


async def put_state(store: Store, room: str, key: str, value: bytes | None) -> None:
    finished = asyncio.Event()
    store.put_state(room, key, value, finished.set)
    await finished.wait()


async def release_leases(store: Store) -> None:
    finished = asyncio.Event()
    store.release_leases(finished.set)
    await finished.wait()
