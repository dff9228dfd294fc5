"""The server killed under load, again and again: what it answered is kept, and what comes twice comes as the same."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest

from opencpm.lab.smsc.receipts import ReceiptStyle
from tests.crash.load import Load
from tests.crash.town import Town, town

ROUNDS = 5
UNSETTLED = 40
"""Submits of one life whose end may be unknown at most: the window, and what was answered since the last commit."""
MOST = 1500
"""Things that happen in one life at most: answers, PDUs, requests to devices."""


async def _live_and_die(here: Town, load: Load, chance: random.Random) -> None:
    here.smsc.style = ReceiptStyle(early=chance.random() < 0.5)
    await here.start()
    here.fuse.lay(here.server.pid, chance.randrange(1, MOST))
    await load.start()
    await here.fuse.blown.wait()
    await here.dead()
    await load.stop()


async def _live_on(here: Town, load: Load) -> None:
    """The last life: what was not answered is sent again, and all comes to rest."""
    await here.start()
    await load.start()
    await load.finish()
    ledger = here.ledger
    try:
        await here.until(lambda: len(ledger.taken) == len(ledger.texted) and not ledger.missing())
    except TimeoutError:
        pass  # the ledger says what is missing
    await here.read_history()


async def _unmarked(here: Town) -> list[str]:
    """Texts that Bob's phone shows twice although nobody says that they may have come before. Their number is bounded:
    only what was under way when a life ended may come again.
    """
    ids = {line.text: line.message_id for line in here.ledger.kept}
    twice = [text for text, count in here.ledger.shown.items() if count > 1]
    assert len(twice) <= here.ledger.kills * UNSETTLED
    print(f"{len(twice)} texts came twice")
    unmarked = []
    for text in twice:
        found = await here.api.get(f"/messages/{ids[text]}/trail")
        if not any("an earlier attempt may have arrived" in line["what"] for line in found["trail"]):
            unmarked.append(text[:40])
    return unmarked


@pytest.mark.crash
async def test_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    chance = random.Random(seed)
    async with town(tmp_path) as here, Load(here, chance) as load:
        for _ in range(ROUNDS):
            await _live_and_die(here, load, chance)
        await _live_on(here, load)
        ledger = here.ledger
        faults = ledger.faults()
        assert not faults, "\n".join([*faults, here.server.said(20), *await here.trails(faults)])
        assert len(ledger.accepted) == len(ledger.written)
        assert len(ledger.taken) == len(ledger.texted)
        assert ledger.accepted
        assert ledger.taken
        assert not await _unmarked(here)


@pytest.mark.crash
async def test_a_server_that_forgets_is_found_out(tmp_path: Path) -> None:
    """The same with the disk swapped for an older one: the comparison must say so."""
    chance = random.Random(1)
    async with town(tmp_path) as here, Load(here, chance) as load:
        shutil.copytree(tmp_path / "data", tmp_path / "older")
        await here.start()
        here.fuse.lay(here.server.pid, 400)
        await load.start()
        await here.fuse.blown.wait()
        await here.dead()
        await load.stop()
        shutil.rmtree(tmp_path / "data")
        shutil.copytree(tmp_path / "older", tmp_path / "data")
        await here.start()
        await here.read_history()
        said = here.ledger.faults()
        assert any("was accepted and is not in the history" in line for line in said)
        assert any("was taken and is not in the history" in line for line in said)
