"""Runs the steps of a story in order and says what came of each."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from opencpm.lab.device import Refused
from opencpm.lab.http import ApiError
from opencpm.lab.story.trails import Missing
from opencpm.lab.town import Prepare

Evidence = dict[str, Any]
"""What a step saw; its key "ok" says whether that is what should be seen."""

Stage = TypeVar("Stage")
Step = tuple[str, Callable[[Stage], Awaitable[Evidence]]]
"""What happens, in words, and what makes it happen and looks for the evidence."""


class StepResult(NamedTuple):
    step: int
    ok: bool
    what: str
    evidence: Evidence


class Story(NamedTuple):
    """A story that `opencpm demo --story NAME` tells, in a world of its own.

    ``tell(folder, prepare, broken)``: ``broken`` names what is to be broken on the way, one of ``breaks``, or "".
    """

    title: str
    tell: Callable[[Path, Prepare, str], AsyncIterator[StepResult]]
    breaks: tuple[str, ...] = ()


async def run_steps(steps: Sequence[Step[Stage]], stage: Stage, pace: float = 0.0) -> AsyncIterator[StepResult]:
    """``pace``: seconds between steps, for people who watch. After a step that fails the rest is said not to have
    been reached."""
    broken = False
    for number, (what, act) in enumerate(steps, 1):
        if broken:
            yield StepResult(number, False, what, {"error": "not reached"})
            continue
        result = await _step(number, what, act, stage)
        broken = not result.ok
        yield result
        await asyncio.sleep(pace)


async def _step(number: int, what: str, act: Callable[[Stage], Awaitable[Evidence]], stage: Stage) -> StepResult:
    try:
        evidence = await act(stage)
    except (Missing, ApiError, Refused, OSError, LookupError, AssertionError, TimeoutError) as error:
        return StepResult(number, False, what, {"error": f"{type(error).__name__}: {error}"})
    ok = bool(evidence.pop("ok"))
    return StepResult(number, ok, what, evidence)
