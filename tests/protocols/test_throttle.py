import pytest

from opencpm.protocols.throttle import Throttle


def drain(throttle, now):
    count = throttle.allowance(now, 10_000)
    throttle.sent(count, now)
    return count


def test_an_agreed_rate():
    throttle = Throttle(100.0, 0.0)
    total = sum(drain(throttle, tick / 100) for tick in range(1001))
    assert 990 <= total <= 1120
    assert throttle.rate == 100.0


def test_no_agreed_rate_is_no_limit():
    assert Throttle(0.0, 0.0).allowance(0.0, 500) == 500


def test_a_complaint_stops_then_halves_then_grows_back():
    throttle = Throttle(100.0, 0.0)
    drain(throttle, 0.0)
    throttle.complained(0.5)
    throttle.complained(0.6)  # an answer to what had gone before
    assert throttle.rate == 50.0
    assert throttle.allowance(1.4, 10) == 0
    assert throttle.next_time(1.4) == 1.5
    assert throttle.allowance(1.5, 10) >= 1
    throttle.allowance(11.5, 10)
    assert 75 < throttle.rate < 90
    throttle.allowance(60.0, 10)
    assert throttle.rate == 100.0


def test_without_an_agreed_rate_the_measured_one_is_halved_and_set_free_again():
    throttle = Throttle(0.0, 0.0)
    throttle.sent(300, 0.5)
    throttle.complained(0.9)
    assert 140 < throttle.rate < 180
    assert throttle.allowance(2.0, 1000) < 100
    throttle.allowance(200.0, 1)
    assert throttle.rate == 0.0
    assert throttle.allowance(200.0, 1000) == 1000


def test_next_time_comes():
    throttle = Throttle(2.0, 0.0)
    while drain(throttle, 0.0):
        pass
    at = throttle.next_time(0.0)
    assert 0.0 < at <= 0.5
    assert throttle.allowance(at + 0.001, 5) == 1


def test_an_early_complaint_does_not_strangle_the_link():
    throttle = Throttle(0.0, 0.0)
    throttle.sent(1, 0.0)
    throttle.complained(0.01)
    assert throttle.rate == 50.0
    throttle.complained(2.0)
    assert throttle.rate == 25.0


def test_a_crowded_centre_slows_us_down_a_little_once_a_second():
    throttle = Throttle(100.0, 0.0)
    for at in (1.0, 1.2, 1.9, 2.0):
        throttle.crowded(at)
    assert throttle.rate == pytest.approx(81.0)
    assert throttle.allowance(2.1, 10) > 0
    for at in range(3, 60):
        throttle.allowance(float(at), 10)
    assert throttle.rate == 100.0


def test_a_crowded_centre_without_an_agreed_rate():
    throttle = Throttle(0.0, 0.0)
    throttle.sent(500, 0.5)
    throttle.crowded(1.0)
    assert throttle.rate == pytest.approx(450.0)
    assert throttle.allowance(1.1, 1000) == 45
