"""How many sign in at a time, and how many begin in a second."""

from __future__ import annotations

import asyncio
import itertools

from opencpm.transport.gate import Gate
from tests.interworking.msn.warp import run_warped


def test_the_rate_is_of_all_together() -> None:
    async def many() -> None:
        gate, loop = Gate(100, 10.0), asyncio.get_running_loop()
        began: list[float] = []

        async def one() -> None:
            async with gate.place():
                began.append(loop.time())

        await asyncio.gather(*(one() for _ in range(50)))
        spans = [later - earlier for earlier, later in itertools.pairwise(began)]
        assert min(spans) > 0.05  # real time passes beside the skipped
        assert 4.8 < began[-1] - began[0] < 6.0

    run_warped(many())


def test_places_are_given_in_line_and_back() -> None:
    async def few() -> None:
        gate = Gate(2, 0.0)
        inside, order = 0, []

        async def one(number: int) -> None:
            nonlocal inside
            async with gate.place():
                inside += 1
                assert inside <= 2
                order.append(number)
                await asyncio.sleep(1.0)
                inside -= 1

        await asyncio.gather(*(one(number) for number in range(7)))
        assert order == list(range(7))

    run_warped(few())
