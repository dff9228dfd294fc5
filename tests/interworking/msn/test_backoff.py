import pytest

from opencpm.interworking.msn.backoff import Cause, Ending, for_people, pause
from opencpm.interworking.msn.settings import MsnSettings

SETTINGS = MsnSettings(server="msn.test", nexus_url="https://msn.test/")


def after(cause: Cause, failures: int = 1, wait: float = 0.0, chance: float = 0.5) -> float | None:
    return pause(Ending(cause, "", wait), failures, SETTINGS, chance)


def test_doubling_up_to_a_limit() -> None:
    assert [after(Cause.LOST, n) for n in (1, 2, 3, 8, 9, 100)] == [2.0, 4.0, 8.0, 256.0, 300.0, 300.0]


def test_spread() -> None:
    assert after(Cause.LOST, chance=0.0) == pytest.approx(1.6)
    assert after(Cause.LOST, chance=1.0) == pytest.approx(2.4)


def test_each_cause() -> None:
    assert after(Cause.ELSEWHERE) is None
    assert after(Cause.CREDENTIALS) is None
    assert after(Cause.BUSY) == 60
    assert after(Cause.BUSY, wait=120) == 120
    assert after(Cause.GOING_DOWN, wait=600) == 600
    assert after(Cause.REDIRECTED) == 0
    assert after(Cause.REDIRECTED, 5) == 300


def test_every_cause_has_words() -> None:
    assert all(for_people(Ending(cause, "")) for cause in Cause)
