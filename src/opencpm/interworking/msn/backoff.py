"""When to sign on again, pure: how a sign-on ended decides how long to wait."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from opencpm.interworking.msn.settings import MsnSettings

SPREAD = 0.2  # of the pause, at random, so that many accounts do not come back at once
BUSY_PAUSE = 60.0
DOWN_PAUSE = 60.0


class Cause(Enum):
    """How a sign-on ended."""

    LOST = "connection lost"
    BUSY = "the service is busy"
    CREDENTIALS = "wrong password"
    ELSEWHERE = "signed in elsewhere"
    GOING_DOWN = "the service is going down"
    REDIRECTED = "redirected"


@dataclass(frozen=True, slots=True)
class Ending:
    """How one sign-on ended: what to tell people, and how long (seconds) the service asked us to stay away."""

    cause: Cause
    text: str
    wait: float = 0.0
    lasted: float = 0.0  # seconds signed on


def for_people(ending: Ending) -> str:
    """What the operator and the account's owner read."""
    match ending.cause:
        case Cause.CREDENTIALS:
            return "wrong password; link the account again with the right one"
        case Cause.ELSEWHERE:
            return "signed in elsewhere; unlink the account and link it again to have it here"
        case Cause.GOING_DOWN:
            return str(ending.cause.value)
        case _:
            return ending.text or ending.cause.value


def pause(ending: Ending, failures: int, settings: MsnSettings, chance: float) -> float | None:
    """Seconds until the next try; None: not by ourselves. `failures` counts endings in a row (from 1), `chance` is
    in [0, 1)."""
    match ending.cause:
        case Cause.ELSEWHERE:
            return None  # two programs would throw each other out for ever
        case Cause.CREDENTIALS:
            return None  # services lock accounts whose wrong password is tried again and again
        case Cause.REDIRECTED:
            return 0.0 if failures < 5 else settings.reconnect_max
        case Cause.BUSY:
            base = max(ending.wait, BUSY_PAUSE, _doubled(settings, failures))
        case Cause.GOING_DOWN:
            base = max(ending.wait, DOWN_PAUSE)
        case Cause.LOST:
            base = _doubled(settings, failures)
    return base * (1 + SPREAD * (2 * chance - 1))


def _doubled(settings: MsnSettings, failures: int) -> float:
    return min(settings.reconnect_first * 2.0 ** min(failures - 1, 32), settings.reconnect_max)
