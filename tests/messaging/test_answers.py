"""Answers of the store, and who waits for them."""

from __future__ import annotations

import asyncio

from opencpm.messaging.answers import into


async def test_an_answer_reaches_who_waits() -> None:
    future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    into(future)(5)
    assert await future == 5


async def test_an_answer_that_nobody_waits_for_any_more_is_no_fault() -> None:
    future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    future.cancel()
    into(future)(5)
    assert future.cancelled()
