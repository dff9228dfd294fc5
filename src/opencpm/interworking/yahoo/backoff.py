"""When to sign on again, pure: how a sign-on ended decides how long to wait."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from opencpm.interworking.yahoo.settings import YahooSettings

SPREAD = 0.2  # of the pause, at random, so that many accounts do not come back at once
DOWN_PAUSE = 60.0
REFUSED_PAUSE = 3600.0  # the server wants a login that we have not: somebody has to change something first


class Cause(Enum):
    """How a sign-on ended."""

    LOST = "connection lost"
    CREDENTIALS = "wrong id or password"
    ELSEWHERE = "signed in elsewhere"
    GOING_DOWN = "the service is going down"
    UNSUPPORTED = "the service does not take this version"


@dataclass(frozen=True, slots=True)
class Ending:
    """How one sign-on ended, what to tell people, and how many seconds it lasted."""

    cause: Cause
    text: str
    lasted: float = 0.0


def for_people(ending: Ending) -> str:
    """What the operator and the account's owner read."""
    match ending.cause:
        case Cause.CREDENTIALS:
            return f"{ending.text or ending.cause.value}; link the account again with what is right"
        case Cause.ELSEWHERE:
            return "signed in elsewhere; verify the account to have it here again"
        case _:
            return ending.text or ending.cause.value


def pause(ending: Ending, failures: int, settings: YahooSettings, chance: float) -> float | None:
    """Seconds until the next try; None: not by ourselves. `failures` counts endings in a row (from 1), `chance` is
    in [0, 1)."""
    match ending.cause:
        case Cause.ELSEWHERE | Cause.CREDENTIALS:
            return None  # two programs would throw each other out for ever; services lock accounts
        case Cause.UNSUPPORTED:
            base = REFUSED_PAUSE
        case Cause.GOING_DOWN:
            base = max(min(DOWN_PAUSE, settings.reconnect_max), _doubled(settings, failures))
        case Cause.LOST:
            base = _doubled(settings, failures)
    return base * (1 + SPREAD * (2 * chance - 1))


def _doubled(settings: YahooSettings, failures: int) -> float:
    return min(settings.reconnect_first * 2.0 ** min(failures - 1, 32), settings.reconnect_max)
