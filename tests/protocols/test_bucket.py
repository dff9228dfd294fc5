from opencpm.protocols.bucket import Bucket


def test_no_rate_no_limit():
    bucket = Bucket(0.0, 0, 0.0)
    assert all(bucket.take(0.0) for _ in range(10_000))


def test_a_burst_and_then_the_rate():
    bucket = Bucket(10.0, 3, 0.0)
    assert [bucket.take(0.0) for _ in range(4)] == [True, True, True, False]
    assert bucket.take(0.1)
    assert not bucket.take(0.1)
    assert [bucket.take(60.0) for _ in range(4)] == [True, True, True, False]


def test_a_rate_under_one_still_lets_one_through():
    bucket = Bucket(0.5, 0, 0.0)
    assert [bucket.take(at) for at in (0.0, 1.0, 2.0)] == [True, False, True]


def test_more_than_it_holds_is_paid_back():
    bucket = Bucket(10.0, 5, 0.0)
    assert bucket.take(0.0, 15)
    assert not bucket.take(1.0)
    assert bucket.take(1.2)
