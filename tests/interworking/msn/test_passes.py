import asyncio

import pytest

from opencpm.domain.errors import SendError
from opencpm.interworking.msn import reasons
from opencpm.interworking.msn.passes import Passes
from opencpm.protocols.msnp.commands import Endpoint, Pass

ENTRY = Pass(Endpoint("127.0.0.1", 1864), "ticket")


async def test_each_gets_its_own() -> None:
    asked: list[int] = []

    def ask() -> int:
        asked.append(len(asked) + 1)
        return asked[-1]

    passes = Passes(ask, 0.0, 5)
    first, second = (asyncio.get_running_loop().create_task(passes.get()) for _ in range(2))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    passes.granted(2, ENTRY)
    assert await second == ENTRY
    passes.refused(1, reasons.down("test"))
    with pytest.raises(SendError):
        await first
    passes.granted(1, ENTRY)  # too late: nobody waits


async def test_paced() -> None:
    times: list[float] = []
    loop = asyncio.get_running_loop()
    passes = Passes(lambda: times.append(loop.time()) or len(times), 0.02, 5)
    waiting = [loop.create_task(passes.get()) for _ in range(3)]
    while len(times) < 3:
        await asyncio.sleep(0.001)
    passes.fail(reasons.down("test"))
    await asyncio.gather(*waiting, return_exceptions=True)
    assert times[2] - times[0] >= 0.039


async def test_places_are_limited() -> None:
    passes = Passes(lambda: 1, 0.0, 1)
    async with passes.place():
        second = asyncio.get_running_loop().create_task(passes.place().__aenter__())
        await asyncio.sleep(0)
        assert not second.done()
    await second
