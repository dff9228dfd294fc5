"""The measuring store: acknowledges in order, keeps people, keeps no message."""

from __future__ import annotations

import asyncio

from opencpm.interfaces import Changes, Committed
from opencpm.storage.forgetful import Forgetful
from opencpm.storage.sqlite import open_store
from tests.messaging.world import World


async def test_units_are_acknowledged_in_order_and_dropped() -> None:
    world = await World.made()
    store = await open_store(":memory:")
    forgetful = Forgetful(store)
    message = world.message("Hello")
    order: list[int] = []
    ended = asyncio.Event()

    def last(committed: Committed) -> None:
        assert committed.error is None
        order.append(2)
        ended.set()

    forgetful.commit(Changes(messages=[message]), lambda _: order.append(1))
    forgetful.commit(Changes(), last)
    assert order == []
    await asyncio.wait_for(ended.wait(), 10)
    assert order == [1, 2]
    assert store.message(message.id) is None
    claimed: list[object] = []
    forgetful.claim(0.0, 1.0, 10, lambda records: (claimed.append(records), ended.set())[0])
    ended.clear()
    await asyncio.wait_for(ended.wait(), 10)
    assert claimed == [()]
    await store.close()
    await world.close()


async def test_everything_else_is_the_stores() -> None:
    store = await open_store(":memory:")
    forgetful = Forgetful(store)
    assert forgetful.version() == store.version()
    assert list(forgetful.subscribers()) == []
    await forgetful.close()
