"""Runs the steps in order and says what came of each."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, NamedTuple

from opencpm.lab.device import Refused
from opencpm.lab.http import ApiError
from opencpm.lab.story import message_steps as m
from opencpm.lab.story import session_steps as s
from opencpm.lab.story.stage import Evidence, Stage
from opencpm.lab.story.trails import Missing, Trails
from opencpm.lab.world import World

STEPS: tuple[tuple[str, Callable[[Stage], Awaitable[Evidence]]], ...] = (
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


class StepResult(NamedTuple):
    step: int
    ok: bool
    what: str
    evidence: dict[str, Any]


async def tell(world: World, *, break_sms: bool = False, pace: float = 0.0) -> AsyncIterator[StepResult]:
    """Tell the story with a device of Alice's own. ``break_sms``: the SMS centre is down at step 5; ``pace``: seconds
    between steps, for people who watch.

    After a step that fails the rest is said not to have been reached.
    """
    async with world.device() as device:
        status = await device.register()
        if status != 200:
            raise RuntimeError(f"Alice's device was refused: {status}")
        now = time.time()
        stage = Stage(world, device, Trails(world.api, now), now, len(world.phone.texts))
        if break_sms:
            await _take_sms_down(world)
            stage.sms_is_down = True
        broken = False
        for number, (what, act) in enumerate(STEPS, 1):
            if broken:
                yield StepResult(number, False, what, {"error": "not reached"})
                continue
            result = await _step(number, what, act, stage)
            broken = not result.ok
            yield result
            await asyncio.sleep(pace)
        await device.register(0)


async def _step(number: int, what: str, act: Callable[[Stage], Awaitable[Evidence]], stage: Stage) -> StepResult:
    try:
        evidence = await act(stage)
    except (Missing, ApiError, Refused, OSError, LookupError, AssertionError, TimeoutError) as error:
        return StepResult(number, False, what, {"error": f"{type(error).__name__}: {error}"})
    ok = bool(evidence.pop("ok"))
    return StepResult(number, ok, what, evidence)


async def _take_sms_down(world: World) -> None:
    """Returns when the server has noticed."""
    from opencpm.lab.story.trails import patiently

    await world.smsc.down()

    async def noticed() -> bool | None:
        status = await world.api.get("/status")
        return next((True for c in status["connectors"] if c["name"] == "sms" and c["state"] == "down"), None)

    await patiently("notice by the server that the SMS centre is gone", noticed)
