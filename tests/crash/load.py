"""The load: Alice's devices and the API write to Bob, Bob's phone writes to Alice, as fast as they are answered."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections import deque
from contextlib import AsyncExitStack, suppress

from opencpm.lab.device import LabDevice
from opencpm.lab.http import ApiError
from tests.crash.town import ALICE_NUMBER, BOB_NUMBER, Town, key_of, text_with

WRITERS = 6
UNDER_WAY = 8
"""Texts of Bob's that wait for their answer."""
GONE = (OSError, EOFError, TimeoutError, ValueError, IndexError)
"""What a client sees when the server falls silent amid an answer."""


class Load:
    """Keys are never reused; what was not answered is sent again with the same Message-ID, as devices do.

    The device on UDP outlives the server: it sends its requests again until the next life answers them, and is sent
    what waits for Alice without registering anew.
    """

    def __init__(self, town: Town, chance: random.Random) -> None:
        self.town, self.ledger = town, town.ledger
        self.again: deque[str] = deque()
        self._chance = chance
        self._numbers = itertools.count(1)
        self._always = AsyncExitStack()
        self._life = AsyncExitStack()
        self._steady: list[asyncio.Task[None]] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._fresh = True

    async def __aenter__(self) -> Load:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.stop()
        await _ended(self._steady)
        await self._always.aclose()

    async def start(self) -> None:
        """With the server that has just started."""
        if not self._steady:
            device = await self._always.enter_async_context(self.town.device("UDP"))
            self._steady = [asyncio.ensure_future(one) for one in (self._device(device, "u"), self._bob_writes())]
        device = await self._life.enter_async_context(self.town.device("TCP"))
        working = (self._device(device, "t"), self._api_writes(), self._api_writes())
        self._tasks = [asyncio.ensure_future(one) for one in working]

    async def stop(self) -> None:
        """The server is dead: so is everything that has a connection to it."""
        await _ended(self._tasks)
        self._tasks = []
        await self._life.aclose()

    async def finish(self) -> None:
        """Nothing new any more; wait until all that was begun is answered."""
        self._fresh = False
        self.town.changed.set()
        await asyncio.gather(*self._tasks, *self._steady)

    def _next(self, kind: str) -> str | None:
        """What is to be sent again goes the way it went before, by the same client."""
        for key in self.again:
            if key[0] == kind:
                self.again.remove(key)
                return key
        if not self._fresh:
            return None
        key = f"{kind}{next(self._numbers)}"
        self.ledger.written[key] = text_with(key, self._chance)
        return key

    async def _device(self, device: LabDevice, kind: str) -> None:
        with suppress(*GONE):
            while await device.register() != 200:
                pass  # a request sent again to the next life may be out of order there; then anew, as devices do
        await asyncio.gather(*(self._device_writes(device, kind) for _ in range(WRITERS)))

    async def _device_writes(self, device: LabDevice, kind: str) -> None:
        while (key := self._next(kind)) is not None:
            try:
                sent = await device.message(f"tel:{BOB_NUMBER}", self.ledger.written[key], message_id=key)
            except GONE:
                self.again.append(key)
                if device.agent.lost.is_set():
                    return
                continue
            except asyncio.CancelledError:
                self.again.append(key)
                raise
            assert sent.status == 202, f"{sent.status} {sent.reason}"
            self._accepted(key)

    async def _api_writes(self) -> None:
        while (key := self._next("a")) is not None:
            body = {"to": [BOB_NUMBER], "text": self.ledger.written[key], "message_id": key}
            try:
                await self.town.api.post("/messages", body)
            except ApiError as error:
                if error.status < 500:
                    raise
                self.again.append(key)
            except GONE:
                self.again.append(key)
                return
            except asyncio.CancelledError:
                self.again.append(key)
                raise
            else:
                self._accepted(key)

    def _accepted(self, key: str) -> None:
        self.ledger.accepted.add(key)
        self.town.tick()

    async def _bob_writes(self) -> None:
        ledger = self.ledger
        while True:
            await self.town.until(lambda: not self._fresh or len(ledger.texted) - len(ledger.taken) < UNDER_WAY)
            if not self._fresh:
                return
            text = text_with(f"i{next(self._numbers)}", self._chance)
            ledger.texted[key_of(text)] = text
            self.town.phone.send(text, ALICE_NUMBER)


async def _ended(tasks: list[asyncio.Task[None]]) -> None:
    """Cancel and wait; a task that failed by itself fails the test."""
    for task in tasks:
        task.cancel()
    for ended in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(ended, Exception):
            raise ended
