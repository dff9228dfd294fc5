from __future__ import annotations

import asyncio

from opencpm.access.sip.session_watch import Watch
from opencpm.domain.session import CloseReason


class Given:
    """What a watch gave up for."""

    def __init__(self, idle: float, grace: float) -> None:
        self.up: asyncio.Queue[tuple[CloseReason, str]] = asyncio.Queue()
        self.watch = Watch(idle, grace, lambda reason, detail: self.up.put_nowait((reason, detail)))


async def test_silence():
    given = Given(0.02, 60.0)
    given.watch.start()
    given.watch.found()
    assert (await given.up.get())[0] is CloseReason.IDLE
    given.watch.stop()


async def test_no_connection():
    given = Given(60.0, 0.01)
    given.watch.start()
    assert not given.watch.connected
    assert await given.up.get() == (CloseReason.LOST, "the device made no MSRP connection")
    given.watch.stop()


async def test_found_again_and_lost_again():
    given = Given(60.0, 0.01)
    given.watch.start()
    given.watch.found()
    assert given.watch.connected
    given.watch.lost("broken")
    given.watch.lost("broken once more")
    assert (await given.up.get())[1] == "broken"
    given.watch.stop()


async def test_after_stop_nothing_is_given_up():
    given = Given(0.0, 0.0)
    given.watch.lost("x")
    given.watch.stop()
    await asyncio.sleep(0.01)
    assert given.up.empty()
