"""A text to Bob's home telephone over real audio, his answer from its handset, and a line without an SMS terminal."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path

from opencpm.lab.story.driver import Step, StepResult, Story, run_steps
from opencpm.lab.story.line import steps as s
from opencpm.lab.story.line.steps import Stage
from opencpm.lab.story.line.world import LineWorld
from opencpm.lab.story.trails import Trails
from opencpm.lab.town import Prepare

STEPS: tuple[Step[Stage], ...] = (
    ("Alice writes to Bob's home telephone; her server has stored the text and accepts", s.alice_writes),
    ("the server finds a telephone line, and chooses SMS over the line", s.server_chooses),
    ("it calls the line from the number of its SMS centre; Bob's handset answers by itself", s.server_calls),
    ("the text passes as sound: EST, DATA, ACK, REL", s.frames_pass),
    ("Bob's handset shows the text", s.handset_shows),
    ("Alice is told that it was delivered, as the handset itself has acknowledged", s.alice_is_told),
    ("Bob answers on the handset: it calls the SMS centre and submits", s.bob_answers),
    ("the answer reaches Alice's server", s.answer_arrives),
    ("it shows on her device, in the same conversation", s.answer_shows),
    ("Alice writes to a line with an ordinary telephone: a person answers", s.nobody_understands),
    ("she is told the reason: there is no SMS terminal on that line", s.reason_is_clear),
)


async def tell(world: LineWorld, *, spoil: bool = False) -> AsyncIterator[StepResult]:
    """Tell the story with a device of Alice's own. ``spoil``: 20 ms of Alice's text are lost on the way to the line."""
    async with world.device() as device:
        status = await device.register()
        if status != 200:
            raise RuntimeError(f"Alice's device was refused: {status}")
        now = time.time()
        stage = Stage(world, device, Trails(world.api(), now), now, len(world.handset.texts), spoilt=spoil)
        world.exchange.faults.spoil_heard = int(spoil)
        async for result in run_steps(STEPS, stage):
            yield result
        await device.register(0)


async def _tell(folder: Path, prepare: Prepare, broken: str) -> AsyncIterator[StepResult]:
    async with LineWorld(folder, prepare) as world:
        await world.start_server()
        async for result in tell(world, spoil=broken == "packet"):
            yield result


STORY = Story("a text to a home telephone as sound, its answer, and a line without a terminal", _tell, ("packet",))
