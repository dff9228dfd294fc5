"""One group session with members on SIP, MSN, XMPP and SMS, each reached and named by the rules of their network."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

from opencpm.lab.story.driver import Step, StepResult, Story, run_steps
from opencpm.lab.story.group import coming_and_going as c
from opencpm.lab.story.group import talking as t
from opencpm.lab.story.group.stage import Stage
from opencpm.lab.story.group.world import GroupWorld
from opencpm.lab.town import Prepare

STEPS: tuple[Step[Stage], ...] = (
    ("Alice's device asks the conference factory for a group with Bob, Carol and a phone", c.asks_the_factory),
    ("the server has stored the group and invites each by a way that fits", c.group_is_stored),
    ("Bob is called into a conversation on MSN by Alice's own account", c.bob_is_called),
    ("Carol's XMPP server is spoken to in Alice's name", c.carol_is_reached),
    ("the phone, whose network has no sessions, is told by SMS where it is", c.phone_is_told),
    ("Alice's device follows who is in the group, and sees all four", c.alice_follows),
    ("Alice says something, and it reaches all three networks", t.alice_says),
    ("Bob types on MSN, and Alice sees it", t.bob_types),
    ("Bob answers on MSN: Alice's device is told who, the others read his name", t.bob_says),
    ("Carol answers on XMPP", t.carol_says),
    ("the phone answers by SMS", t.phone_says),
    ("Bob goes offline, and the group sees it", c.bob_goes),
    ("what is said meanwhile waits for him, and comes when he is back", t.bob_gets_it_later),
    ("Alice adds the desk by REFER, and its device is invited", c.desk_is_added),
    ("the desk speaks, each network names it", t.desk_says),
    ("Alice takes the phone out, and it gets nothing any more", c.phone_is_taken_out),
    ("Carol leaves with a word", c.carol_leaves),
    ("Alice leaves: the desk leads on, and Bob, to whom nobody else can speak on MSN, is out", c.alice_leaves),
    ("the desk closes, and the group has ended", c.group_ends),
)


async def tell(world: GroupWorld, pace: float = 0.0) -> AsyncIterator[StepResult]:
    """Tell the story with a device of Alice's and one of the desk's."""
    async with world.device("alice") as alice, world.device("desk") as desk:
        for device in (alice, desk):
            status = await device.register()
            if status != 200:
                raise RuntimeError(f"{device.identity} was refused: {status}")
        await world.bob_signs_in()
        world.carol.sign_in()
        stage = Stage(world, alice, desk)
        async for result in run_steps(STEPS, stage, pace):
            yield result


async def _tell(folder: Path, prepare: Prepare, broken: str) -> AsyncIterator[StepResult]:
    async with GroupWorld(folder, prepare) as world:
        await world.start_server()
        async for result in tell(world):
            yield result


STORY = Story("one group session on SIP, MSN, XMPP and SMS", _tell)
