"""The rates of a lane, and of the account that several share."""

from opencpm.interworking.sms.lane import Lane
from opencpm.interworking.sms.settings import read
from opencpm.protocols.throttle import Throttle


def lane(account=None, **settings):
    common = read({"type": "sms", **settings})
    return Lane(common.links[0], common, lambda *_: None, lambda *_: None, account)


def test_lanes_of_one_account_share_its_rate():
    account = Throttle(10.0, 0.0)
    first, second = lane(account), lane(account)
    account.sent(10, 0.0)
    assert first.allowance(1.0, 100) == 1
    first.sent(1, 1.0)
    assert second.allowance(1.0, 100) == 0
    assert second.next_time(1.0) > 1.0


def test_a_complaint_slows_the_whole_account():
    account = Throttle(10.0, 0.0)
    first, second = lane(account), lane(account)
    first.complained(0.0)
    assert second.allowance(0.5, 5) == 0
    assert second.next_time(0.5) == 1.0
    assert lane().allowance(0.5, 5) == 5


def test_congestion_state():
    one = lane(rate=100.0)
    one.congestion(50, 5.0)
    assert one.throttle.rate == 100.0
    one.congestion(95, 5.0)
    assert one.throttle.rate == 90.0
    one.congestion(100, 10.0)
    assert one.throttle.rate == 45.0
    assert one.allowance(10.5, 5) == 0
