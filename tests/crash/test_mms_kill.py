"""The server killed while multimedia messages go both ways: nothing accepted is lost, what comes twice is marked."""

from __future__ import annotations

import asyncio
import base64
import random
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from opencpm.cli.demo_setup import prepare
from opencpm.lab.http import ApiError
from opencpm.lab.mmsc import LabMmsc
from opencpm.lab.mmsc.phone import composed
from opencpm.lab.story.mms.world import ALICE_NUMBER, BOB_NUMBER, MmsWorld
from opencpm.protocols import mm7
from opencpm.protocols.mm7.operations import DeliverReq, SubmitReq
from opencpm.protocols.mm7.status import meaning
from opencpm.protocols.mm7.times import format_time
from opencpm.protocols.mm7.values import NUMBER, Address, Recipients
from tests.interworking.mms.pictures import jpeg

LIVES = 3
EACH_WAY = 25


class Ways:
    """What was sent each way, and what was answered."""

    def __init__(self, world: MmsWorld) -> None:
        self.world = world
        self.accepted: set[str] = set()
        self.taken: set[str] = set()
        self.texts = [f"out {number}" for number in range(EACH_WAY)]
        self.answers = {f"in {number}": self._brought(number) for number in range(EACH_WAY)}

    def _brought(self, number: int) -> mm7.Message:
        request = DeliverReq(
            linked_id=f"linked {number}",
            sender=Address(NUMBER, BOB_NUMBER),
            recipients=Recipients(to=(Address(NUMBER, ALICE_NUMBER),)),
            timestamp=format_time(time.time()),
        )
        return mm7.Message(f"t{number}", request, content=composed(f"in {number}", [("a.jpg", "image/jpeg", jpeg())]))

    async def out(self) -> None:
        """Send what is not accepted yet, again and again, with the same Message-ID."""
        picture = {"content_type": "image/jpeg", "body": base64.b64encode(jpeg()).decode()}
        for text in self.texts:
            body = {"to": [BOB_NUMBER], "parts": [picture, {"text": text}], "message_id": text.replace(" ", "-")}
            if text not in self.accepted:
                await self.world.api().post("/messages", body)
                self.accepted.add(text)

    async def back(self) -> None:
        for text, message in self.answers.items():
            if text not in self.taken:
                answer = await self.world.mmsc.pusher.push(message)
                if answer is not None and meaning(answer.status.code).accepted:
                    self.taken.add(text)
                elif answer is None:
                    raise ConnectionError("the server is gone")

    async def go(self) -> None:
        await asyncio.gather(self._until_gone(self.out()), self._until_gone(self.back()))

    async def _until_gone(self, work: Any) -> None:
        try:
            await work
        except (OSError, ApiError, ValueError, IndexError):
            pass

    def arrived(self) -> Counter[str]:
        """How often each text reached Bob's phone, by either network."""
        shown = [mm.text for mm in self.world.phone.mms]
        return Counter([*shown, *(text.text.partition("\n")[0] for text in self.world.texts.texts)])


async def _reborn(world: MmsWorld) -> None:
    await world.server.start()
    host, port = world.server.endpoints["mms"]["http"]
    world.mmsc.reach(f"http://{host}:{port}/mm7", "mmsc", "open sesame")


def _transactions(mmsc: LabMmsc, text: str) -> set[str]:
    """Without the number of a submission that was changed: the centre knows none of the LinkedIDs made up here."""
    found = set()
    for line in mmsc.log.of("SubmitReq"):
        message = line.message
        if message is not None and isinstance(message.operation, SubmitReq) and f"\r\n{text}\r\n".encode() in line.body:
            found.add(message.transaction_id.partition("-")[0])
    return found


@pytest.mark.crash
async def test_nothing_accepted_is_lost_and_repetitions_have_one_name(tmp_path: Path) -> None:
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    chance = random.Random(seed)
    async with MmsWorld(tmp_path, prepare) as world:
        await world.start_server()
        ways = Ways(world)
        for _ in range(LIVES):
            fuse = len(world.mmsc.log) + chance.randrange(2, EACH_WAY)
            going = asyncio.create_task(ways.go())
            happened = asyncio.create_task(world.mmsc.happenings.until(lambda: len(world.mmsc.log) >= fuse, 30))  # noqa: B023
            await asyncio.wait([going, happened], return_when=asyncio.FIRST_COMPLETED)
            await world.server.kill()
            await asyncio.gather(going, happened, return_exceptions=True)
            await _reborn(world)
        await ways.go()
        assert ways.accepted == set(ways.texts)
        assert ways.taken == set(ways.answers)
        async with asyncio.timeout(60):
            while set(ways.texts) - set(ways.arrived()):
                await asyncio.sleep(0.05)
        counted = ways.arrived()
        assert max(counted.values()) <= LIVES + 1
        assert all(len(_transactions(world.mmsc, text)) <= 1 for text in ways.texts)
        talk = await world.api().get("/conversations/bob/messages?limit=200")
        received = Counter(one["text"] for one in talk["messages"] if one["direction"] == "received")
        assert received == dict.fromkeys(ways.answers, 1)
        for text in [text for text, count in counted.items() if count > 1]:
            trail = await world.api().get(f"/messages/{text.replace(' ', '-')}/trail")
            told = " ".join(line["what"] for line in trail["trail"])
            assert "may have arrived" in told or "not known" in told, told
