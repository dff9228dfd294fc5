"""The first story, of 2006: a text to Bob's phone, his answer, and a session on MSN, in 23 steps."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path

from opencpm.lab.story.concert import message_steps as m
from opencpm.lab.story.concert import session_steps as s
from opencpm.lab.story.concert.stage import Stage
from opencpm.lab.story.driver import Step, StepResult, Story, run_steps
from opencpm.lab.story.trails import Trails, patiently
from opencpm.lab.town import Prepare
from opencpm.lab.world import World

STEPS: tuple[Step[Stage], ...] = (
    ("Alice composes a text to Bob", m.composes),
    ("her device sends it to her CPM server, which has stored it and accepts", m.device_sends),
    ("the server checks the message: it is text", m.server_checks_message),
    ("the server checks Bob's address: a legacy network user", m.server_checks_address),
    ("the server sends it as SMS to Bob's SMS system", m.goes_as_sms),
    ("that system sends it to Bob's phone, and Alice is told", m.reaches_phone),
    ("Bob replies: let us talk on MSN", m.bob_replies),
    ("the reply reaches Alice's server", m.reply_arrives),
    ("the server checks Alice's status: available", m.server_checks_status),
    ("the server sends the reply to her device", m.reply_shows),
    ("Alice asks for a CPM session with Bob", s.asks_for_session),
    ("the request reaches her server", s.request_arrives),
    ("the server finds that the target is an MSN user", s.target_is_msn_user),
    ("the server sends the request to Bob's MSN server", s.request_goes_to_msn),
    ("the MSN server establishes the session and answers", s.msn_answers),
    ("the answer reaches Alice", s.answer_reaches_alice),
    ("they talk, and see each other type", s.they_talk),
    ("Bob promises to come", s.bob_promises),
    ("Alice closes the session", s.alice_closes),
    ("the closing request reaches her server", s.closing_reaches_server),
    ("the server sends it to the MSN server", s.closing_reaches_msn),
    ("the MSN server closes the session and answers", s.msn_closes),
    ("the answer reaches Alice, as her preferences and the operator's settings say", s.answer_of_closing),
)


async def tell(world: World, *, break_sms: bool = False, pace: float = 0.0) -> AsyncIterator[StepResult]:
    """Tell the story with a device of Alice's own. ``break_sms``: the SMS centre is down at step 5."""
    async with world.device() as device:
        status = await device.register()
        if status != 200:
            raise RuntimeError(f"Alice's device was refused: {status}")
        now = time.time()
        stage = Stage(world, device, Trails(world.api(), now), now, len(world.phone.texts))
        if break_sms:
            await _take_sms_down(world)
            stage.sms_is_down = True
        async for result in run_steps(STEPS, stage, pace):
            yield result
        await device.register(0)


async def _tell(folder: Path, prepare: Prepare, broken: str) -> AsyncIterator[StepResult]:
    async with World(folder, prepare) as world:
        await world.start_server()
        async for result in tell(world, break_sms=broken == "sms"):
            yield result


async def _take_sms_down(world: World) -> None:
    """Returns when the server has noticed."""
    await world.smsc.down()

    async def noticed() -> bool | None:
        status = await world.api().get("/status")
        return next((True for c in status["connectors"] if c["name"] == "sms" and c["state"] == "down"), None)

    await patiently("notice by the server that the SMS centre is gone", noticed)


STORY = Story("a text to Bob's phone, his answer, and a session on MSN, in 23 steps", _tell, ("sms",))
