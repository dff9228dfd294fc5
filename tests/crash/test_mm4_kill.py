"""The server killed while messages go to and from another MMS centre: each arrives, and arrives once."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from pathlib import Path
from typing import Any, Self

import pytest

from opencpm.cli.demo_setup import prepare
from opencpm.lab.http import ApiError
from opencpm.lab.mm4 import LabMm4, SentMms
from opencpm.lab.town import DOMAIN, Friend, Person, Town, Wishes

ALICE_NUMBER, BOB_NUMBER = "+12025550100", "+12025550101"
LIVES = 3
EACH_WAY = 25


class Mm4Town(Town):
    def __init__(self, folder: Path) -> None:
        super().__init__(folder, prepare)
        self.mmsc = LabMm4(peer=f"mms.{DOMAIN}")
        self.bob = self.mmsc.handset(BOB_NUMBER)

    async def __aenter__(self) -> Self:
        await self._stack.enter_async_context(self.mmsc)
        return self

    async def start(self) -> None:
        peer = {"name": "lab", "domain": self.mmsc.domain, "port": self.mmsc.address[1]}
        mms = {"type": "mm4", "domain": f"mms.{DOMAIN}", "listen_port": 0, "peers": [peer], "retry_min": 0.05}
        sections = {"policy": {"order": ["mms"], "retry_schedule": [0.1]}}
        alice = Person("alice", "Alice", ALICE_NUMBER)
        bob = Friend("alice", "Bob", (f"tel:{BOB_NUMBER}",))
        await self.serve(Wishes(networks={"mms": mms}, sections=sections, people=(alice,), friends=(bob,)))
        self.reach()

    def reach(self) -> None:
        self.mmsc.reach(*self.server.endpoints["mms"]["smtp"])

    @property
    def mails(self) -> int:
        return len(list(self.mmsc.log))


class Ways:
    """What was sent each way, and what was answered."""

    def __init__(self, town: Mm4Town) -> None:
        self.town = town
        self.texts = [f"out {number}" for number in range(EACH_WAY)]
        self.accepted: set[str] = set()
        self.answers: dict[str, SentMms] = {}

    async def out(self) -> None:
        for text in self.texts:
            if text not in self.accepted:
                body = {"to": [BOB_NUMBER], "text": text, "message_id": text.replace(" ", "-")}
                await self.town.api().post("/messages", body)
                self.accepted.add(text)

    async def back(self) -> None:
        """One after the other, as a centre does; what got no RES in an earlier life goes again as it was."""
        for number in range(EACH_WAY):
            text = f"in {number}"
            sent = self.answers.get(text)
            if sent is None:
                sent = self.answers[text] = self.town.bob.send([text], to=ALICE_NUMBER)
            elif not sent.status:
                self.town.mmsc.again(sent)
            await self.town.mmsc.happenings.until(lambda: bool(sent.status), 5.0)  # noqa: B023

    async def go(self) -> None:
        await asyncio.gather(self._until_gone(self.out()), self._until_gone(self.back()))

    async def _until_gone(self, work: Any) -> None:
        try:
            await work
        except (OSError, ApiError, ValueError, IndexError, TimeoutError):
            pass


@pytest.mark.crash
async def test_each_message_arrives_once(tmp_path: Path) -> None:
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    chance = random.Random(seed)
    async with Mm4Town(tmp_path) as town:
        await town.start()
        ways = Ways(town)
        for _ in range(LIVES):
            fuse = town.mails + chance.randrange(2, EACH_WAY)
            going = asyncio.create_task(ways.go())
            while town.mails < fuse and not going.done():
                await asyncio.sleep(0.001)
            await town.server.kill()
            await going
            await town.server.start()
            town.reach()
        await ways.go()
        assert ways.accepted == set(ways.texts)
        assert {text for text, sent in ways.answers.items() if sent.status == "Ok"} == set(ways.answers)
        assert len(ways.answers) == EACH_WAY
        async with asyncio.timeout(60):
            while {mms.text for mms in town.bob.inbox} != set(ways.texts):
                await asyncio.sleep(0.05)
        # the same Transaction-ID in every life: the other centre knows what comes twice
        assert Counter(mms.text for mms in town.bob.inbox) == dict.fromkeys(ways.texts, 1)
        talk = await town.api().get("/conversations/bob/messages?limit=200")
        received = Counter(one["text"] for one in talk["messages"] if one["direction"] == "received")
        assert received == dict.fromkeys(ways.answers, 1)
