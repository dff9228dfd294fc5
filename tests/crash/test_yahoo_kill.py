"""The server killed while texts go both ways to Yahoo: nothing accepted is lost, and what comes twice has one id."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from pathlib import Path

import pytest

from opencpm.cli.demo_setup import prepare
from opencpm.lab.http import ApiError, segment
from opencpm.lab.story.yahoo.stage import ALICE_ID, ALICE_YAHOO, BOB, BOB_ID, YahooTown

LIVES = 3
EACH_WAY = 40
OUT = [f"out {number}" for number in range(EACH_WAY)]
IN = [f"in {number}" for number in range(EACH_WAY)]


class Ways:
    """What was sent each way, and what the server accepted."""

    def __init__(self, town: YahooTown) -> None:
        self.town = town
        self.accepted: set[str] = set()
        self.said = 0

    async def go(self) -> None:
        """Send what is not accepted yet, again with the same Message-ID; and one of Bob's for each."""
        try:
            for text in OUT:
                if text not in self.accepted:
                    body = {"to": [BOB], "text": text, "message_id": text.replace(" ", "-")}
                    await self.town.api().post("/messages", body)
                    self.accepted.add(text)
                    self.bob_says()
        except (OSError, ApiError, ValueError, IndexError):
            pass  # the server is gone

    def bob_says(self) -> None:
        if self.said < len(IN):
            self.town.bob.say(ALICE_ID, IN[self.said])
            self.said += 1

    def ids(self) -> dict[str, set[str]]:
        """By text, under which ids Bob's client was told it."""
        found: defaultdict[str, set[str]] = defaultdict(set)
        for line in self.town.yahoo.log.of("MESSAGE", direction="S", user=BOB_ID):
            if line.packet is not None:
                for record in [line.packet, *line.packet.records(31)]:
                    found[record.text(14)].add(record.text(429))
        return found

    async def history(self) -> list[str]:
        """What Alice has of Bob, in order."""
        contacts = await self.town.api().get("/contacts")
        peer = next(str(c["id"]) for c in contacts if BOB in c["addresses"])
        talk = await self.town.api().get(f"/conversations/{segment(peer)}/messages?limit=200")
        return [m["text"] for m in talk["messages"] if m["direction"] == "received"]


async def _caught_up(ways: Ways) -> None:
    """Signed in, and all that Bob has said is stored: what waited at the service while the server was down cannot be
    confirmed there, so the next blow comes behind it."""
    async with asyncio.timeout(60):
        while not ways.town.yahoo.is_online(ALICE_ID) or len(await ways.history()) < ways.said:
            await asyncio.sleep(0.02)


@pytest.mark.crash
async def test_nothing_accepted_is_lost_and_repetitions_have_one_id(tmp_path: Path) -> None:
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    chance = random.Random(seed)
    async with YahooTown(tmp_path, prepare, version=16) as town:
        await town.start_server()
        body = {"network": "yahoo", "address": ALICE_YAHOO, "password": town.password, "wait": 20}
        assert (await town.api().post("/accounts", body))["state"] == "connected"
        await town.bob.sign_in()
        ways = Ways(town)
        for _ in range(LIVES):
            going = asyncio.create_task(ways.go())
            fuse = len(town.yahoo.log) + chance.randrange(5, EACH_WAY)
            while len(town.yahoo.log) < fuse and not going.done():
                await asyncio.sleep(0)
            await town.server.kill()
            await going
            await town.server.start()
            await _caught_up(ways)
        await ways.go()
        for _ in IN:
            ways.bob_says()
        assert ways.accepted == set(OUT)
        async with asyncio.timeout(60):
            while set(OUT) - set(town.bob.texts()):
                await asyncio.sleep(0.05)
        await _caught_up(ways)
        assert sorted(await ways.history()) == sorted(IN)  # each once
        ids = ways.ids()
        assert {text: len(ids[text] - {""}) for text in OUT if len(ids[text] - {""}) > 1} == {}
        async with asyncio.timeout(30):
            while town.yahoo.account(ALICE_ID).unconfirmed:
                await asyncio.sleep(0.05)
