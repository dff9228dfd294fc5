"""Alice writes from her CPM device, Bob sits at Yahoo: presence, sessions, a conference, messages for later."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path

from opencpm.lab.story.driver import Step, StepResult, Story, run_steps
from opencpm.lab.story.trails import Trails
from opencpm.lab.story.yahoo import people as p
from opencpm.lab.story.yahoo import talk as t
from opencpm.lab.story.yahoo.stage import Stage, YahooTown
from opencpm.lab.town import Prepare

STEPS: tuple[Step[Stage], ...] = (
    ("Alice links her Yahoo account; the server signs in by answering the challenge", p.links),
    ("Bob signs in; Alice sees that he is there, and what he says of himself", p.bob_appears),
    ("Alice is busy for a moment: Bob sees it, and her note", p.alice_appears),
    ("Alice asks for a session: Yahoo has none, Bob only has to be there", t.alice_asks),
    ("Alice types, and writes; the server has read it, and nobody says more than that", t.alice_writes),
    ("Bob types, and writes", t.bob_writes),
    ("the connection dies under what she writes next: it is sent again, and the account is back", t.connection_dies),
    ("Alice asks again, and closes: nothing more comes in it", t.alice_closes),
    ("Bob offers a file: refused on the wire, and he is told why", t.bob_offers),
    ("Bob calls Carol and Alice to a conference: Alice's device is invited", t.bob_confers),
    ("the three talk; Alice reads who said what", t.three_talk),
    ("the others leave: the session ends on Alice's device", t.others_leave),
    ("Bob signs out; what Alice writes is left with the service", p.bob_goes),
    ("Bob comes back and gets it, with its time", p.bob_returns),
    ("while Alice's account is switched off Bob writes: it comes later, with its time", p.alice_returns),
    ("Alice signs in with another program: not fought; she takes the account back", p.elsewhere),
    ("a stranger has put Alice on their list; she turns them away, and they are told", p.stranger_asks),
)


async def tell(town: YahooTown) -> AsyncIterator[StepResult]:
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
    async with YahooTown(folder, prepare) as town:
        await town.start_server()
        async for result in tell(town):
            yield result


STORY = Story("presence, sessions, a conference and messages for later with Bob on Yahoo, in 17 steps", _tell)
