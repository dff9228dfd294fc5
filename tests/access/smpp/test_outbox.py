"""The outbox of one account, driven by hand."""

from collections import deque

import pytest

from opencpm.access.smpp.outbox import Outbox
from opencpm.domain.delivery import OutcomeKind
from opencpm.domain.errors import Reason, SendError
from opencpm.protocols.smpp.short_message import ShortMessage
from tests.interworking.sms.support import delivery


class Way:
    version = 0x34

    def __init__(self, room=10, receives=True):
        self.room, self.receives = room, receives
        self.work, self.sent = deque(), []

    def submit(self, message, entry, now):
        self.sent.append(entry)
        self.room -= 1


def outbox(parts=1, bound=10, rate=0.0):
    return Outbox(bound, rate, lambda delivery, version: tuple([ShortMessage()] * parts), 0.0)


def test_delivered_when_every_part_is_answered():
    box, way = outbox(parts=2), Way()
    box.add(delivery(), 0.0)
    assert box.pump([way], 0.0, 0.0) == []
    assert box.answered(way, way.sent[1], 0, 0.0, 0.0) is None
    outcome = box.answered(way, way.sent[0], 0, 0.0, 0.0)
    assert (outcome.kind, outcome.source) == (OutcomeKind.DELIVERED, "deliver_sm_resp")
    assert len(box) == 0


def test_a_window_holds_back():
    box, way = outbox(), Way(room=1)
    box.add(delivery("a"), 0.0)
    box.add(delivery("b"), 0.0)
    box.pump([way], 0.0, 0.0)
    assert len(way.sent) == 1
    way.room = 1
    box.pump([way], 0.0, 0.0)
    assert len(way.sent) == 2


def test_all_parts_go_over_one_way():
    box, first, second = outbox(parts=3), Way(room=2), Way(room=1)
    box.add(delivery(), 0.0)
    box.pump([second, first], 0.0, 0.0)
    assert (len(first.sent), len(second.sent)) == (2, 0)


def test_one_too_many_is_refused():
    box = outbox(bound=1)
    assert box.add(delivery("a"), 0.0) is None
    assert box.add(delivery("b"), 0.0).error.reason is Reason.CONGESTION


def test_throttled_goes_again_after_a_pause():
    box, way = outbox(), Way()
    box.add(delivery(), 0.0)
    box.pump([way], 0.0, 0.0)
    assert box.answered(way, way.sent[0], 0x58, 0.0, 0.0) is None
    box.pump([way], 0.5, 0.5)
    assert len(way.sent) == 1
    assert box.again(0.5) == pytest.approx(1.0)
    box.pump([way], 1.1, 1.1)
    assert len(way.sent) == 2


def test_a_refusal_ends_it_and_other_answers_count_no_more():
    box, way = outbox(parts=2), Way()
    box.add(delivery(), 0.0)
    box.pump([way], 0.0, 0.0)
    assert box.answered(way, way.sent[0], 0x65, 0.0, 0.0).error.reason is Reason.REJECTED
    assert box.answered(way, way.sent[1], 0, 0.0, 0.0) is None
    assert box.unanswered(way.sent[1], 0.0) is None


def test_a_way_that_is_gone():
    box, way = outbox(parts=2), Way(room=1)
    box.add(delivery("a"), 0.0)
    box.add(delivery("b"), 0.0)
    box.pump([way], 0.0, 0.0)
    assert box.unanswered(way.sent[0], 0.0).error.reason is Reason.TIMEOUT
    assert box.stranded(way, True, 0.0) == []
    (outcome,) = box.stranded(way, False, 0.0)
    assert (outcome.error.reason, outcome.error.retryable) == (Reason.OFFLINE, True)
    assert len(box) == 0


def test_what_cannot_be_written_or_nobody_asked_for():
    def compose(delivery, version):
        if delivery.id == "bad":
            raise SendError(Reason.UNSUPPORTED_MEDIA)
        return ()

    box = Outbox(10, 0.0, compose, 0.0)
    box.add(delivery(id="bad"), 0.0)
    box.add(delivery(id="not asked"), 0.0)
    refused, quiet = box.pump([Way()], 0.0, 0.0)
    assert refused.error.reason is Reason.UNSUPPORTED_MEDIA
    assert quiet.kind is OutcomeKind.DELIVERED
    assert "not asked" in quiet.detail


def test_overdue():
    box = outbox()
    box.add(delivery(deadline=5.0), 0.0)
    assert box.overdue(4.9) == []
    assert [one.error.reason for one in box.overdue(5.0)] == [Reason.CONGESTION]
    way = Way()
    box.pump([way], 6.0, 6.0)
    assert way.sent == []
