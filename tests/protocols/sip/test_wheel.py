from hypothesis import given
from hypothesis import strategies as st

from opencpm.protocols.sip.wheel import TimerWheel


def test_entries_come_out_when_due_and_not_before():
    wheel: TimerWheel[str] = TimerWheel(resolution=0.1)
    wheel.add(1.0, "a")
    wheel.add(2.0, "b")
    assert wheel.take(0.99) == []
    assert wheel.next() <= 1.1 + 1e-9
    assert wheel.take(1.1) == ["a"]
    assert wheel.take(3.0) == ["b"]
    assert wheel.next() is None


@given(st.lists(st.floats(0, 1e6)))
def test_a_caller_that_sleeps_until_next_always_gets_something(dues):
    wheel: TimerWheel[float] = TimerWheel()
    for due in dues:
        wheel.add(due, due)
    seen = []
    while (at := wheel.next()) is not None:
        out = wheel.take(at)
        assert out
        assert all(due <= at + 1e-6 for due in out)
        seen += out
    assert sorted(seen) == sorted(dues)
