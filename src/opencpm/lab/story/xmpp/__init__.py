"""Alice and somebody on XMPP: no account is linked, her address at the component is enough."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path

from opencpm.lab.story.driver import Step, StepResult, Story, run_steps
from opencpm.lab.story.trails import Trails
from opencpm.lab.story.xmpp import steps as s
from opencpm.lab.story.xmpp.stage import Stage
from opencpm.lab.story.xmpp.world import XmppWorld
from opencpm.lab.town import Prepare

STEPS: tuple[Step[Stage], ...] = (
    ("Alice's server is a component of Bob's XMPP server", s.component_is_up),
    ("Bob asks to see when Alice is there, and she is asked", s.bob_asks),
    ("Alice accepts: they see each other", s.alice_accepts),
    ("Alice is busy, with a note, and Bob sees it", s.alice_is_busy),
    ("Bob is away, with a note, and Alice sees it", s.bob_is_away),
    ("Alice writes to Bob: the server chooses XMPP, and Bob's server has it", s.alice_writes),
    ("Bob's client says that it came, and that he has read it; Alice is told both", s.alice_is_told),
    ("Bob answers: it reaches Alice's device, and only then he gets his receipt", s.bob_answers),
    ("Alice asks for a session, and it stands", s.alice_asks_for_session),
    ("they see each other type, and talk", s.they_talk),
    ("Alice closes, Bob's client is told, and she hears how it ended", s.alice_closes),
    ("Bob begins a conversation: a session reaches Alice's device", s.bob_begins),
    ("Bob closes his window, and her session ends", s.bob_closes),
    ("Bob signs out, and Alice sees that he is gone", s.bob_signs_out),
    ("Alice writes all the same: Bob's server keeps it, and nobody calls it delivered", s.offline_message),
    ("Bob is back: he gets it with its time, and Alice is told", s.bob_is_back),
    ("a text to nobody comes back with the reason", s.to_nobody),
)


async def _tell(folder: Path, prepare: Prepare, broken: str) -> AsyncIterator[StepResult]:
    async with XmppWorld(folder, prepare) as world:
        await world.start_server()
        async with world.device() as device:
            status = await device.register()
            if status != 200:
                raise RuntimeError(f"Alice's device was refused: {status}")
            now = time.time()
            async for result in run_steps(STEPS, Stage(world, device, Trails(world.api(), now), now)):
                yield result
            await device.register(0)


STORY = Story("Alice and Bob on XMPP: presence, messages, sessions from both sides, an offline message", _tell)

__all__ = ["STEPS", "STORY", "XmppWorld"]
