"""When to sign on again."""

from __future__ import annotations

import pytest

from opencpm.interworking.yahoo.backoff import REFUSED_PAUSE, SPREAD, Cause, Ending, for_people, pause
from opencpm.interworking.yahoo.settings import YahooSettings

SETTINGS = YahooSettings(server="ymsg.test", reconnect_first=2.0, reconnect_max=300.0)


def of(cause: Cause, failures: int = 1, chance: float = 0.5) -> float | None:
    return pause(Ending(cause, ""), failures, SETTINGS, chance)


def test_doubled_up_to_a_limit() -> None:
    assert [of(Cause.LOST, failures) for failures in (1, 2, 3, 4)] == [2.0, 4.0, 8.0, 16.0]
    assert of(Cause.LOST, 1000) == 300.0


def test_spread() -> None:
    assert of(Cause.LOST, 5, 0.0) == pytest.approx(32 * (1 - SPREAD))
    assert of(Cause.LOST, 5, 1.0) == pytest.approx(32 * (1 + SPREAD))


@pytest.mark.parametrize("cause", [Cause.CREDENTIALS, Cause.ELSEWHERE])
def test_not_by_ourselves(cause: Cause) -> None:
    assert of(cause) is None


def test_a_service_that_goes_down_or_does_not_take_us_is_left_alone_for_a_while() -> None:
    assert of(Cause.GOING_DOWN) == 60.0
    assert of(Cause.GOING_DOWN, 8) == 256.0
    assert of(Cause.UNSUPPORTED) == REFUSED_PAUSE


@pytest.mark.parametrize("cause", Cause)
def test_people_are_told(cause: Cause) -> None:
    assert for_people(Ending(cause, ""))
    assert "verify" in for_people(Ending(Cause.ELSEWHERE, ""))
