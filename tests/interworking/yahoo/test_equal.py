"""Random lives with drops: at the end both sides know the same, and every text arrived that was said to be taken."""

from __future__ import annotations

import asyncio
import random

import pytest

from opencpm.domain.delivery import OutcomeKind
from opencpm.domain.profile import Availability
from opencpm.domain.roster import ChangeKind, RosterChange
from opencpm.lab.yahoo import Buddy, LabYahoo
from tests.interworking.yahoo.stage import ALICE, BOB, CAROL, Stage, address, until

TURNS = 60
_AVAILABILITY = {"0": "available", "1": "away", "2": "busy"}


class Life:
    """What may happen in a turn."""

    def __init__(self, stage: Stage, chance: random.Random) -> None:
        self.stage, self.lab, self.chance = stage, stage.lab, chance
        self.written = 0
        self.by_id: dict[str, str] = {}

    async def turn(self) -> None:
        acts = (self.bob_comes_or_goes, self.bob_shows, self.alice_shows, self.drop, self.changes, self.write)
        await self.chance.choice(acts)()
        for _ in range(self.chance.randrange(20)):
            await asyncio.sleep(0)

    @property
    def bob(self) -> Buddy:
        return self.stage.bob

    async def bob_comes_or_goes(self) -> None:
        """What a service says to somebody who is just leaving is lost with them before version 16; so nothing is
        under way to him when he goes."""
        if self.bob.online:
            await self.all_there()
            await self.bob.sign_out()
            await until(lambda: not self.lab.is_online(BOB))
        else:
            await self.bob.sign_in()

    async def all_there(self) -> None:
        """Every text has an outcome, and what was taken is with bob."""
        settled = self.stage.inbox.of
        await until(lambda: len(settled("settled")) == self.written)
        taken = {self.by_id[o.delivery_id] for o in settled("settled") if o.kind is OutcomeKind.ACCEPTED}
        await until(lambda: taken <= set(self.bob.texts()))

    async def bob_shows(self) -> None:
        if self.bob.online:
            self.bob.show(self.chance.randrange(3))

    async def alice_shows(self) -> None:
        status = self.chance.choice([Availability.AVAILABLE, Availability.BUSY, Availability.AWAY])
        self.stage.directory.appear("alice", status=status)

    async def drop(self) -> None:
        self.lab.disconnect(ALICE)

    async def changes(self) -> None:
        kind = self.chance.choice([ChangeKind.ADD, ChangeKind.REMOVE])
        if not self.stage.directory.changes:
            self.stage.directory.wish(RosterChange(kind, address(CAROL)))

    async def write(self) -> None:
        text = f"text {self.written}"
        self.written += 1
        delivery = self.stage.delivery(text)
        self.by_id[delivery.id] = text
        self.stage.connector.send([delivery])


@pytest.mark.parametrize("version", [10, 16])
@pytest.mark.parametrize("seed", range(4))
async def test_random_lives(lab: LabYahoo, seed: int, version: int) -> None:
    bob = lab.buddies[BOB]
    bob.version = version
    async with Stage(lab, version=version, messages_per_second=0.0) as stage:
        await stage.sign_in()
        life = Life(stage, random.Random(seed))
        for _ in range(TURNS):
            await life.turn()
        await until(lambda: lab.is_online(ALICE) and stage.directory.changes == [])
        if not bob.online:
            await bob.sign_in()
        bob.show(0)
        await stage.seen("available")
        await life.all_there()
        assert len(bob.texts()) == len(set(bob.texts())) or version == 16
        wanted = stage.directory.people.get("alice")
        shown = wanted.preferences.status.value if wanted else "available"
        await until(lambda: _AVAILABILITY.get(_last(bob)) == shown)
        await until(lambda: set(stage.inbox.of("roster")[-1]) == {address(u).value for u in lab.account(ALICE).listed})
        assert stage.connector.health().backlog == 0


def _last(bob: Buddy) -> str:
    seen = [it.text for it in bob.happened.all if it.what == "presence" and it.peer == ALICE]
    return seen[-1] if seen else ""
