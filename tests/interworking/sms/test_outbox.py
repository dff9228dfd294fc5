"""The queue and its lanes, without sockets."""

from collections import deque

from opencpm.domain.delivery import OutcomeKind
from opencpm.domain.errors import Reason
from opencpm.interworking.sms.outbox import Outbox
from opencpm.interworking.sms.settings import read
from opencpm.protocols.smpp.message_id import ReceiptIds
from opencpm.protocols.smpp.short_message import ShortMessage
from opencpm.protocols.throttle import Throttle

from .support import delivery, failed


class Lane:
    def __init__(self, room=10, rate=0.0, account="a"):
        self.settings = read({"type": "sms"}).links[0]
        self.account, self.room, self.open = account, room, True
        self.ids = ReceiptIds()
        self.work, self.throttle = deque(), Throttle(rate, 0.0)
        self.messages, self.rebound = [], 0

    def submit(self, message, context, now):
        self.messages.append((message, context))
        self.room -= 1

    def allowance(self, now, wanted):
        return self.throttle.allowance(now, wanted)

    def sent(self, count, now):
        self.throttle.sent(count, now)

    def next_time(self, now):
        return self.throttle.next_time(now)

    def complained(self, now):
        self.throttle.complained(now)

    def key(self, message_id):
        return f"{self.account}:{message_id}"

    def rebind(self):
        self.rebound += 1


def parts(count):
    return tuple(ShortMessage("1", "2", bytes((n,)), registered_delivery=1) for n in range(count))


def filled(*sizes, bound=100):
    outbox = Outbox(bound)
    for number, size in enumerate(sizes):
        outbox.add(delivery(id=f"d{number}"), parts(size))
    return outbox


def answer(outbox, lane, at, status=0, message_id="1A"):
    return outbox.answered(lane, lane.messages[at][1], status, message_id, 0.0, 0.0)


def test_the_window_is_kept_and_order_too():
    outbox, lane = filled(2, 2), Lane(room=3)
    assert outbox.pump([lane], 0.0) is None
    assert [m.message for m, _ in lane.messages] == [b"\0", b"\1", b"\0"]
    lane.room = 5
    outbox.pump([lane], 0.0)
    assert len(lane.messages) == 4


def test_one_outcome_when_all_segments_are_accepted_in_any_order():
    outbox, lane = filled(2), Lane()
    outbox.pump([lane], 0.0)
    assert answer(outbox, lane, 1, message_id="2B") is None
    outcome = answer(outbox, lane, 0, message_id="1A")
    assert outcome.kind is OutcomeKind.ACCEPTED
    assert [(r.key, r.segment, r.segments) for r in outcome.references if not r.weak] == [
        ("a:1a", 0, 2),
        ("a:2b", 1, 2),
    ]
    assert [(r.key, r.check) for r in outcome.references if r.weak] == [("a:26", "5550101"), ("a:43", "5550101")]
    assert len(outbox) == 0


def test_a_refused_segment_ends_the_message_and_spares_the_rest():
    outbox, lane = filled(5), Lane(room=2)
    outbox.pump([lane], 0.0)
    failed(answer(outbox, lane, 0, status=0x0B), Reason.UNKNOWN_ADDRESS, False)
    assert answer(outbox, lane, 1) is None
    lane.room = 10
    outbox.pump([lane], 0.0)
    assert len(lane.messages) == 2


def test_a_throttled_segment_goes_again_first_and_later():
    outbox, lane = filled(1, 1), Lane(room=1)
    outbox.pump([lane], 0.0)
    assert answer(outbox, lane, 0, status=0x58) is None
    lane.room = 1
    assert outbox.pump([lane], 0.0) == 1.0
    outbox.pump([lane], 1.0)
    assert lane.messages[1][1] == lane.messages[0][1]


def test_a_rate_says_when_to_come_again():
    outbox, lane = filled(*[1] * 5), Lane(rate=1.0)
    at = outbox.pump([lane], 0.0)
    assert len(lane.messages) == 1
    assert 0.0 < at <= 1.0


def test_not_bound_begins_a_new_session():
    outbox, lane = filled(1), Lane()
    outbox.pump([lane], 0.0)
    failed(answer(outbox, lane, 0, status=0x04), Reason.NETWORK_DOWN, True)
    assert lane.rebound == 1


def test_a_lost_lane_gives_what_it_had_not_begun_to_the_others():
    outbox, lost, other = filled(1, 3, 1), Lane(room=2), Lane(account="b")
    outbox.pump([lost], 0.0)
    for _, entry in lost.messages:
        failed(outbox.unanswered(entry, 0.0), Reason.TIMEOUT, True)
    assert outbox.stranded(lost, True, 0.0) == []
    outbox.pump([other], 0.0)
    assert len(other.messages) == 1
    assert len(outbox) == 1


def test_without_others_all_fail_and_may_be_tried_again():
    outbox, lane = filled(1, 1, 1), Lane(room=1)
    outbox.pump([lane], 0.0)
    assert answer(outbox, lane, 0).kind is OutcomeKind.ACCEPTED
    outcomes = outbox.stranded(lane, False, 0.0)
    assert len(outcomes) == 2
    for outcome in outcomes:
        failed(outcome, Reason.NETWORK_DOWN, True)
    assert len(outbox) == 0


def test_what_may_have_gone_is_remembered():
    outbox, lane = filled(1), Lane()
    outbox.pump([lane], 0.0)
    outbox.unanswered(lane.messages[0][1], 0.0)
    assert outbox.unanswered(lane.messages[0][1], 0.0) is None
    outbox.add(delivery(id="d0", token=2), parts(1))
    outbox.pump([lane], 0.0)
    assert answer(outbox, lane, 1).doubled


def test_bounds():
    outbox = filled(1, 1, bound=2)
    assert outbox.full
    assert outbox.crowded
    assert len(outbox) == 2


def test_lanes_share_the_work_evenly():
    outbox, lanes = filled(*[1] * 9), [Lane(room=100, account=name) for name in "abc"]
    outbox.pump(lanes, 0.0)
    assert [len(lane.messages) for lane in lanes] == [3, 3, 3]


def test_single_messages_go_by_turns_and_the_one_with_more_room_first():
    outbox, lanes = filled(), [Lane(room=100), Lane(room=100)]
    for number in range(4):
        outbox.add(delivery(id=f"d{number}"), parts(1))
        outbox.pump(lanes, 0.0)
    assert [len(lane.messages) for lane in lanes] == [2, 2]
    lanes[0].room = 5
    for number in range(4, 8):
        outbox.add(delivery(id=f"d{number}"), parts(1))
        outbox.pump(lanes, 0.0)
    assert [len(lane.messages) for lane in lanes] == [2, 6]


def test_what_one_lane_has_no_room_for_goes_over_another():
    outbox, lanes = filled(*[1] * 6), [Lane(room=1), Lane(room=100)]
    outbox.pump(lanes, 0.0)
    assert [len(lane.messages) for lane in lanes] == [1, 5]


def test_a_long_message_stays_on_one_lane():
    outbox, lanes = filled(5, 5), [Lane(room=100), Lane(room=100)]
    outbox.pump(lanes, 0.0)
    assert [len(lane.messages) for lane in lanes] == [5, 5]
    assert [len({entry[0] for _, entry in lane.messages}) for lane in lanes] == [1, 1]


def test_what_is_refused_goes_once_more_with_less():
    outbox, lane = Outbox(10), Lane()
    outbox.add(delivery(id="d"), tuple(sm._replace(validity="000000010000000R") for sm in parts(2)))
    outbox.pump([lane], 0.0)
    assert [answer(outbox, lane, at, status=0x62) for at in (0, 1)] == [None, None]
    outbox.pump([lane], 0.0)
    assert [m.validity for m, _ in lane.messages[2:]] == ["", ""]
    failed(answer(outbox, lane, 2, status=0x62), Reason.NOT_ACCEPTABLE, False)


def test_what_was_begun_on_a_lost_lane_is_unclear():
    outbox, lane = filled(3), Lane(room=1)
    outbox.pump([lane], 0.0)
    assert answer(outbox, lane, 0) is None
    (outcome,) = outbox.stranded(lane, True, 0.0)
    failed(outcome, Reason.TIMEOUT, True)


def test_without_a_receipt_asked_for_only_the_plain_id_is_kept():
    outbox, lane = Outbox(10), Lane()
    outbox.add(delivery(id="d"), tuple(sm._replace(registered_delivery=0) for sm in parts(2)))
    outbox.pump([lane], 0.0)
    answer(outbox, lane, 0, message_id="01A")
    outcome = answer(outbox, lane, 1, message_id="02B")
    assert [(r.key, r.segment, r.segments, r.weak) for r in outcome.references] == [
        ("a:1a", 0, 2, False),
        ("a:2b", 1, 2, False),
    ]
