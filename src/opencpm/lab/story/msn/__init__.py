"""Alice writes from her CPM device, Bob sits at MSN: presence, sessions from either side, messages for later."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path

from opencpm.lab.story.driver import Step, StepResult, Story, run_steps
from opencpm.lab.story.msn import people as p
from opencpm.lab.story.msn import talk as t
from opencpm.lab.story.msn.stage import MsnTown, Stage
from opencpm.lab.story.trails import Trails
from opencpm.lab.town import Prepare

STEPS: tuple[Step[Stage], ...] = (
    ("Alice links her MSN account; the server signs in with a token and her address book", p.links),
    ("Bob signs in; Alice sees that he is there, and what he says of himself", p.bob_appears),
    ("Alice is busy for a moment: Bob sees it, and her note", p.alice_appears),
    ("Alice asks for a session; Bob's window opens", t.alice_asks),
    ("Alice types, and writes", t.alice_writes),
    ("Bob types, and writes", t.bob_writes),
    ("the switchboard dies: what Alice writes next opens another, in order", t.switchboard_dies),
    ("Alice closes the session; Bob sees her leave", t.alice_closes),
    ("Bob opens a window and writes: Alice's device is invited", t.bob_asks),
    ("they talk in it, both ways", t.they_talk),
    ("Bob closes his window: the session ends on Alice's device", t.bob_closes),
    ("Bob signs out; what Alice writes is left with the service", p.bob_goes),
    ("Bob comes back and is told of it", p.bob_returns),
    ("while Alice's account is switched off Bob leaves a message: it comes later, with its time", p.alice_returns),
    ("a stranger wants Alice as a contact; she accepts, and they see each other", p.stranger_asks),
)


async def tell(town: MsnTown) -> AsyncIterator[StepResult]:
    """Tell the story with a device of Alice's own."""
    async with town.device() as device:
        status = await device.register()
        if status != 200:
            raise RuntimeError(f"Alice's device was refused: {status}")
        now = time.time()
        async for result in run_steps(STEPS, Stage(town, device, Trails(town.api(), now), now)):
            yield result
        await device.register(0)


async def _tell(folder: Path, prepare: Prepare, broken: str) -> AsyncIterator[StepResult]:
    async with MsnTown(folder, prepare) as town:
        await town.start_server()
        async for result in tell(town):
            yield result


STORY = Story("presence, sessions from either side and messages for later with Bob on MSN, in 15 steps", _tell)
