from opencpm.domain.address import Address
from opencpm.domain.delivery import OutcomeKind
from opencpm.domain.errors import Reason
from opencpm.interworking.ucp.outbox import Outbox
from opencpm.protocols.throttle import Throttle
from opencpm.protocols.ucp.operations import Message

from .support import delivery, failed

BOB, CAROL = "12025550101", "12025550177"


class Way:
    account = "cpm"

    def __init__(self, room=10):
        self.room, self.sent, self.logins = room, [], 0
        self.throttle = Throttle(0.0, 0.0)

    def submit(self, message, context, now):
        self.room -= 1
        self.sent.append((message, context, now))

    def relogin(self):
        self.logins += 1


class Rig:
    def __init__(self, apart=1.0, bound=10, room=10):
        self.way, self.outbox = Way(room), Outbox(bound, apart)

    def add(self, name, number=BOB, segments=1, vp="2411260730", **fields):
        given = delivery(id=name, target=Address("tel", "+" + number), **fields)
        self.outbox.add(given, tuple(Message(number, "1", vp=vp, msg=str(n)) for n in range(segments)))

    def pump(self, now):
        before = len(self.way.sent)
        self.again = self.outbox.pump(self.way, now)
        return [context[0].delivery.id for _, context, _ in self.way.sent[before:]]

    def answer(self, index, now, ec=0, scts="231126073015"):
        message, context, _ = self.way.sent[index]
        self.way.room += 1
        return self.outbox.answered(self.way, context, ec, f"{message.adc}:{scts}", now, now)


def test_one_at_a_time_to_a_number_and_a_second_apart():
    rig = Rig()
    for name in ("a", "b"):
        rig.add(name)
    rig.add("c", CAROL)
    assert rig.pump(0.0) == ["a", "c"]
    assert rig.again is None  # a result is waited for
    rig.answer(0, 0.3)
    assert rig.pump(0.3) == []
    assert rig.again == 1.3
    assert rig.pump(1.3) == ["b"]


def test_a_new_message_keeps_its_distance_too():
    rig = Rig()
    rig.add("a")
    rig.pump(0.0)
    rig.answer(0, 0.3)
    rig.add("b")
    assert rig.pump(0.5) == []
    assert rig.pump(1.3) == ["b"]


def test_without_distance_the_window_is_filled_in_order():
    rig = Rig(apart=0.0, room=3)
    rig.add("a", segments=3)
    rig.add("b")
    assert rig.pump(0.0) == ["a", "a", "a"]
    assert [message.msg for message, _, _ in rig.way.sent] == ["0", "1", "2"]
    rig.answer(0, 0.1)
    assert rig.pump(0.1) == ["b"]


def test_nobody_waits_behind_another_number():
    rig = Rig(apart=0.0, room=2)
    rig.add("long", segments=8)
    rig.add("short", CAROL)
    assert rig.pump(0.0) == ["long", "short"]


def test_references_of_all_segments():
    rig = Rig(apart=0.0)
    rig.add("a", segments=2)
    rig.pump(0.0)
    assert rig.answer(1, 0.1, scts="231126073016") is None
    outcome = rig.answer(0, 0.1, scts="231126073015")
    assert outcome.kind is OutcomeKind.ACCEPTED
    keys = [(one.key, one.segment, one.segments, one.weak) for one in outcome.references]
    assert keys == [("cpm:5550101:231126073015", 0, 2, False), ("cpm:5550101:231126073016", 1, 2, False)]
    assert len(rig.outbox) == 0


def test_a_refused_segment_ends_the_message():
    rig = Rig()
    rig.add("a", segments=3)
    rig.add("b")
    rig.pump(0.0)
    failed(rig.answer(0, 0.1, ec=6), Reason.UNKNOWN_ADDRESS, False)
    assert rig.pump(1.1) == ["b"]
    assert len(rig.way.sent) == 2


def test_denied_waits_and_then_logs_in_anew():
    rig = Rig()
    rig.add("a")
    now = 0.0
    for denials in range(3):
        assert rig.pump(now) == ["a"]
        assert rig.way.logins == 0
        assert rig.answer(denials, now, ec=4) is None
        assert rig.pump(now) == []
        now += 5.0
    assert rig.way.logins == 1


def test_an_acceptance_forgets_denials():
    rig = Rig(apart=0.0)
    for name in "abcde":
        rig.add(name)
    rig.pump(0.0)
    for index, ec in enumerate((4, 0, 4, 0, 4)):
        rig.answer(index, 10.0 * index, ec=ec)
    assert rig.way.logins == 0


def test_once_more_without_the_validity():
    rig = Rig()
    rig.add("a", segments=2)
    rig.pump(0.0)
    assert rig.answer(0, 0.0, ec=22) is None
    assert rig.pump(1.0) == ["a"]
    assert rig.way.sent[1][0] == rig.way.sent[0][0]._replace(vp="")
    failed(rig.answer(1, 1.0, ec=22), Reason.NOT_ACCEPTABLE, False)


def test_no_result_is_doubtful_and_the_next_may_go():
    rig = Rig()
    rig.add("a")
    rig.add("b")
    rig.pump(0.0)
    failed(rig.outbox.unanswered(rig.way.sent[0][1], 30.0, 30.0), Reason.TIMEOUT, True)
    assert rig.pump(31.0) == ["b"]
    rig.add("a", token=2)
    rig.answer(1, 31.0)
    assert rig.pump(32.0) == ["a"]
    assert rig.answer(2, 32.0).doubled


def test_stranded():
    rig = Rig(room=1)
    rig.add("a")
    rig.add("b", CAROL)
    rig.pump(0.0)
    outcomes = rig.outbox.stranded(1.0)
    assert sorted(outcome.delivery_id for outcome in outcomes) == ["a", "b"]
    assert rig.pump(5.0) == []
    assert rig.answer(0, 5.0) is None
    rig.add("c")
    assert rig.pump(6.0) == ["c"]


def test_a_new_session_waits_for_the_next_second():
    rig = Rig()
    rig.outbox.opened(10.0)
    assert rig.outbox.pump(rig.way, 10.0) is None
    rig.add("a")
    assert rig.pump(10.5) == []
    assert rig.again == 11.0
    assert rig.pump(11.0) == ["a"]


def test_overdue_and_full():
    rig = Rig(bound=2)
    rig.add("a", deadline=50.0)
    assert not rig.outbox.full
    rig.add("b", deadline=99.0)
    assert rig.outbox.full
    assert rig.outbox.crowded
    (outcome,) = rig.outbox.overdue(50.0)
    failed(outcome, Reason.CONGESTION, True)
    assert rig.pump(51.0) == ["b"]


def test_a_rate():
    rig = Rig(apart=0.0)
    rig.way.throttle = Throttle(10.0, 0.0)
    for n in range(3):
        rig.add(f"d{n}")
    assert rig.pump(0.0) == ["d0"]
    assert 0 < rig.again <= 0.1
    assert rig.pump(0.1) == ["d1"]
