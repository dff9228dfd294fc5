"""A photograph to Bob's phone by MMS, his own in return, and a link where his network refuses multimedia messages."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path

from opencpm.lab.story.driver import Step, StepResult, Story, run_steps
from opencpm.lab.story.mms import steps as s
from opencpm.lab.story.mms.stage import Stage
from opencpm.lab.story.mms.world import MmsWorld
from opencpm.lab.story.trails import Trails
from opencpm.lab.town import Prepare

STEPS: tuple[Step[Stage], ...] = (
    ("Alice sends a text with a photograph of 4000×3000 to Bob's phone", s.sends),
    ("her server finds that it goes by MMS", s.goes_by_mms),
    ("the photograph is adapted, and Bob's MMS centre takes it", s.is_adapted),
    ("Bob's phone shows text and photograph as its class can", s.reaches_phone),
    ("the delivery report comes back to Alice's device", s.alice_is_told),
    ("Bob looks at it, and the read report comes back as well", s.bob_looks),
    ("Bob answers with a picture of his own", s.bob_answers),
    ("it reaches Alice in the same conversation", s.answer_shows),
    ("Bob's network refuses Alice's next picture", s.mms_is_refused),
    ("it goes as SMS with a link", s.goes_as_link),
    ("the link opens, and shows the photograph as Alice sent it", s.link_opens),
    ("Alice is told that it was delivered", s.alice_knows),
)


async def tell(world: MmsWorld) -> AsyncIterator[StepResult]:
    """Tell the story with a device of Alice's own, over UDP: what is large goes to it and from it over MSRP."""
    async with world.device(transport="UDP") as device:
        status = await device.register()
        if status != 200:
            raise RuntimeError(f"Alice's device was refused: {status}")
        now = time.time()
        async for result in run_steps(STEPS, Stage(world, device, Trails(world.api(), now), now)):
            yield result
        await device.register(0)


async def _tell(folder: Path, prepare: Prepare, broken: str) -> AsyncIterator[StepResult]:
    async with MmsWorld(folder, prepare) as world:
        await world.start_server()
        async for result in tell(world):
            yield result


STORY = Story("a photograph to Bob's phone by MMS, one in return, and a link where MMS is refused", _tell)
