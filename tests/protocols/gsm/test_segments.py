from opencpm.protocols.gsm.reassembly import Key
from opencpm.protocols.gsm.segments import Arrived, Segments
from opencpm.protocols.gsm.udh import Concat
from tests.interworking.sms.support import State

KEY = Key("link", "1", "2", 7, 8, 2)


class Rig:
    def __init__(self, state=None):
        self.state = state or State()
        self.segments = Segments(self.state, "parts", 300.0)
        self.answers = []

    def add(self, number, content, now=0.0, key=KEY):
        arrived = Arrived(
            "link", "", now, 0, 0, 0, (1, 1, "1"), (1, 1, "2"), lambda s: self.answers.append((number, s))
        )
        return self.segments.add(key, Concat(key.reference, key.total, number), content, arrived, now)

    @property
    def stored(self):
        return len(self.state.all_state("parts"))


def test_a_segment_is_answered_when_it_is_stored_and_the_last_with_the_whole():
    rig = Rig()
    assert rig.add(1, b"a") == []
    assert rig.answers == [(1, 0)]
    assert rig.stored == 1
    (whole,) = rig.add(2, b"b")
    assert whole.parts == (b"a", b"b")
    assert rig.answers == [(1, 0)]
    for answer in whole.answers:
        answer(0)
    rig.segments.forget(whole)
    assert rig.answers == [(1, 0), (2, 0)]
    assert rig.stored == 0


def test_an_answer_waits_for_the_store():
    rig = Rig()
    waiting = []
    rig.state.put_state = lambda room, key, value, done=None: waiting.append(done)
    rig.add(1, b"a")
    assert rig.answers == []
    waiting[0]()
    assert rig.answers == [(1, 0)]


def test_a_new_life_goes_on_with_the_same_message():
    rig = Rig()
    rig.add(2, b"b", 10.0)
    (before,) = Rig(rig.state).segments.restore(11.0) or [None]
    assert before is None
    first, second = Rig(rig.state), Rig(rig.state)
    first.segments.restore(11.0)
    second.segments.restore(99.0)
    (one,), (two,) = first.add(1, b"a", 12.0), second.add(1, b"a", 100.0)
    assert one.message_id == two.message_id
    assert one.parts == (b"a", b"b")


def test_the_next_message_with_the_same_reference_is_another():
    rig = Rig()
    rig.add(1, b"a", 1.0)
    (one,) = rig.add(2, b"b", 2.0)
    rig.add(1, b"a", 3.0)
    (two,) = rig.add(2, b"b", 4.0)
    assert one.message_id != two.message_id


def test_a_reused_reference_gives_up_the_old_one_under_its_own_name():
    rig = Rig()
    rig.add(1, b"old", 1.0)
    (old,) = rig.add(1, b"new", 2.0)
    rig.segments.forget(old)
    assert rig.stored == 1
    (new,) = rig.add(2, b"end", 3.0)
    assert new.parts == (b"new", b"end")
    assert old.message_id != new.message_id
    rig.segments.forget(new)
    assert rig.stored == 0


def test_time_out_gives_what_is_there():
    rig = Rig()
    rig.add(1, b"a", 1.0)
    (whole,) = rig.segments.expire(302.0)
    assert whole.parts == (b"a", None)
    assert whole.answers == ()
    (late,) = rig.add(2, b"b", 303.0)
    assert late.late
    assert len(late.answers) == 1
    assert late.message_id != whole.message_id


def test_what_cannot_be_read_is_dropped():
    state = State()
    for number, value in enumerate((b"", b"{}", b"[1]", b'{"key": [1]}', b"\xff")):
        state.put_state("parts", str(number), value)
    rig = Rig(state)
    assert rig.segments.restore(0.0) == []
    assert rig.stored == 0


def test_notes_come_back_with_the_whole_also_in_a_new_life():
    rig = Rig()
    arrived = Arrived("link", "", 0.0, 0, 0, 0, (1, 1, "1"), (1, 1, "2"), None, "first")
    rig.segments.add(KEY, Concat(7, 2, 1), b"a", arrived, 0.0)
    assert rig.segments.note_of(KEY) == "first"
    again = Rig(rig.state).segments
    again.restore(1.0)
    assert again.note_of(KEY) == "first"
    (whole,) = again.add(KEY, Concat(7, 2, 2), b"b", arrived._replace(note="second"), 2.0)
    assert whole.notes == ("first", "second")
    assert again.note_of(KEY) == ""
