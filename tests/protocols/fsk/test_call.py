import numpy as np
import pytest

from opencpm.protocols.fsk import frames2, modulator
from opencpm.protocols.fsk.call import LineCall
from opencpm.protocols.fsk.events import (
    Acknowledged,
    Arrived,
    End,
    Ended,
    Established,
    Item,
    NotSent,
    Refused,
    Terms,
    Unclear,
)
from opencpm.protocols.fsk.frames import sealed
from opencpm.protocols.fsk.frames1 import Protocol1
from opencpm.protocols.fsk.frames2 import Text2
from opencpm.protocols.fsk.tones import RATE
from tests.protocols.fsk.line import PACKET, QUIET, Far, Wire, answerer, caller, listed, samples

ONE = Protocol1()


def item(name, octets=20):
    text = frames2.to_terminal(Text2(name, "02079460000", "11230730"))
    return Item(name, {1: bytes((4, len(name))) + name.encode() + bytes(octets), 2: text})


def ended(wire, end):
    (last,) = wire.of(end, Ended)
    return last.end


def names(events):
    return [event.item.context for event in events]


def frames(call, what):
    return [line.frame[:2] for line in call.trace if line.what == what]


# -- in good order


@pytest.mark.parametrize("protocol", [1, 2])
def test_messages_one_after_the_other_then_released(protocol):
    wire = Wire(caller(item("a"), item("b"), item("c")), answerer(protocols=(protocol,))).run()
    assert names(wire.of(0, Acknowledged)) == ["a", "b", "c"]
    assert wire.of(0, Established) == wire.of(1, Established) == [Established(protocol)]
    assert [event.payload for event in wire.of(1, Arrived)] == [item(n).forms[protocol] for n in "abc"]
    assert ended(wire, 0) is ended(wire, 1) is End.RELEASED
    assert wire.packets * 0.02 < 8


def test_nothing_to_send_is_released_at_once():
    wire = Wire(caller(), answerer()).run()
    assert ended(wire, 0) is ended(wire, 1) is End.RELEASED


def test_the_caller_learns_the_protocol_and_skips_what_it_cannot_carry():
    only_one = Item("gsm", {1: b"\x04abc"})
    wire = Wire(caller(only_one, item("b")), answerer(protocols=(2,))).run()
    assert wire.of(0, NotSent) == [NotSent(only_one, True)]
    assert names(wire.of(0, Acknowledged)) == ["b"]


def test_the_answerer_offers_the_next_protocol_when_nobody_answers():
    wire = Wire(caller(item("a"), protocols=(2,), terms=Terms(establish_wait=8)), answerer(protocols=(1, 2)))
    wire.run()
    assert ended(wire, 0) is End.OTHER_PROTOCOL  # a caller that hears the wrong one first says so
    deaf = Far(np.zeros(RATE * 3, np.int16))
    alone = Wire(deaf, answerer(protocols=(1, 2))).run(seconds=30)
    assert [line.frame for line in alone.ends[1].trace] == ["93006d", ""]
    assert ended(alone, 1) is End.NO_TERMINAL


def test_a_terminal_that_only_hears_the_second_protocol_is_learnt():
    """The first EST is lost on a terminal of protocol 2; the seizure reaches it."""

    def lost(direction, number, part):
        return QUIET if direction == "←" and number < 40 else part

    end = answerer(protocols=(1, 2))
    wire = Wire(caller(item("a"), protocols=(2,), terms=Terms(establish_wait=8)), end, spoil=lost).run()
    assert names(wire.of(0, Acknowledged)) == ["a"]
    assert end.protocol == 2


def test_an_answer_waits_until_the_far_end_is_silent():
    """Half duplex: never two carriers at once, at either end."""
    said = [[], []]

    def watch(direction, number, part):
        said[0 if direction == "→" else 1].append(part.any())
        return part

    Wire(caller(item("a", 100)), answerer(), delay=1, spoil=watch).run()
    assert sum(said[0]) > 40
    assert not any(a and b for a, b in zip(*said, strict=False))


def test_a_reply_may_wait_for_the_store():
    """ACK leaves after ``accept``, and a second of patience is the far end's affair."""
    pending = []
    wire = Wire(caller(item("a")), answerer(), decide=lambda end, event: pending.append(end))
    while not pending:
        wire.step()
    for _ in range(40):
        wire.step()
    assert frames(wire.ends[1], "said") == ["93"]
    pending[0].accept()
    wire.run()
    assert names(wire.of(0, Acknowledged)) == ["a"]


# -- against recordings of real equipment


def test_a_recorded_centre_delivers_to_us():
    """The centre's samples, played as they were recorded, find our terminal answering what it expects."""
    end = answerer()
    wire = Wire(Far(samples("fixed-p1-deliver-peer")), end, delay=1).run(seconds=10)
    assert [event.payload.hex() for event in wire.of(1, Arrived)] == [
        frame[4:-2] for frame in listed("fixed-p1-deliver", "peer")[:2]
    ]
    assert ended(wire, 1) is End.RELEASED


# -- what goes wrong


def test_a_refusal_is_final_for_its_message_only():
    def decide(end, event):
        end.refuse(0xD3) if b"b" in event.payload[:3] else end.accept()

    wire = Wire(caller(item("a"), item("b"), item("c")), answerer(), decide=decide).run()
    assert names(wire.of(0, Acknowledged)) == ["a", "c"]
    ((refused, cause, protocol),) = wire.of(0, Refused)
    assert (refused.context, cause, protocol) == ("b", 0xD3, 1)


def test_a_refusal_in_protocol_2():
    wire = Wire(caller(item("a")), answerer(protocols=(2,)), decide=lambda end, event: end.refuse(1)).run()
    assert names(wire.of(0, Refused)) == ["a"]


def damage(direction, *packets):
    """Silence these packets of one direction (a lost packet)."""
    return lambda way, number, part: QUIET if way == direction and number in packets else part


def when(wave_of, wire):
    """The number of the packet in which an end begins to say a frame."""
    return [int(line.at / 0.02) for line in wire.ends[wave_of].trace if line.what == "said"]


@pytest.mark.parametrize("protocol", [1, 2])
@pytest.mark.parametrize("which", [0, 1, 2])
@pytest.mark.parametrize("end", [0, 1])
def test_any_one_frame_may_be_lost_in_part(protocol, which, end):
    """A lost packet in the middle of each frame in turn, of either end: everything arrives, once."""
    plain = Wire(caller(item("a"), item("b")), answerer(protocols=(protocol,))).run()
    starts = when(end, plain)
    hit = starts[min(which, len(starts) - 1)] + (4 if protocol == 1 else 16)
    spoil = damage("→" if end == 0 else "←", hit)
    wire = Wire(caller(item("a"), item("b")), answerer(protocols=(protocol,)), spoil=spoil).run()
    assert names(wire.of(0, Acknowledged)) == ["a", "b"]
    assert [event.payload for event in wire.of(1, Arrived)] == [item(n).forms[protocol] for n in "ab"]
    assert wire.packets * 0.02 < 25


def test_a_lost_acknowledgement_stores_nothing_twice():
    plain = Wire(caller(item("a")), answerer()).run()
    ack = when(1, plain)[1]
    wire = Wire(caller(item("a")), answerer(), spoil=damage("←", *range(ack - 1, ack + 12))).run()
    assert len(wire.of(1, Arrived)) == 1
    assert names(wire.of(0, Acknowledged)) == ["a"]
    assert frames(wire.ends[0], "said").count("91") == 2


def test_a_frame_that_never_arrives_whole_is_given_up():
    """Every DATA is spoilt: repeated twice, then released, and the message is not known to have arrived."""

    def spoil(way, number, part):
        return QUIET if way == "→" and part.any() and number % 5 == 0 else part

    wire = Wire(caller(item("a", 60)), answerer(), spoil=spoil).run()
    assert frames(wire.ends[0], "said").count("91") == 3
    assert names(wire.of(0, Unclear)) == ["a"]
    assert ended(wire, 0) in (End.GARBLED, End.UNANSWERED)
    assert wire.packets * 0.02 < 30


def test_errors_are_bounded_at_both_ends():
    """Equipment that repeats its ERROR for ever does not make us repeat for ever."""
    error = modulator.burst(bytes.fromhex("9201016c"))
    est = modulator.burst(bytes.fromhex("93006d"))
    parts = [np.zeros(2400, np.int16), est]
    for _ in range(40):
        parts += [np.zeros(8000, np.int16), error]
    wire = Wire(caller(item("a")), Far(np.concatenate(parts))).run(seconds=60)
    assert wire.ends[0].over
    assert frames(wire.ends[0], "said").count("91") == 3
    assert names(wire.of(0, Unclear)) == ["a"]


def test_a_caller_that_sends_rubbish_for_ever():
    bad = modulator.burst(sealed(b"\x9a\x01\x01"))
    parts = [np.zeros(8000, np.int16)]
    for _ in range(60):
        parts += [bad, np.zeros(4800, np.int16)]
    wire = Wire(Far(np.concatenate(parts)), answerer()).run(seconds=70)
    end = wire.ends[1]
    assert ended(wire, 1) is End.GARBLED
    assert [line.frame for line in end.trace if line.what == "said"][1:] == ["9201036a"] * 3


def test_the_same_message_again_and_again_is_answered_a_few_times_only():
    parts = [np.zeros(8000, np.int16)]
    for _ in range(30):
        parts += [modulator.burst(sealed(b"\x91\x02\x04\x00")), np.zeros(4800, np.int16)]
    wire = Wire(Far(np.concatenate(parts)), answerer()).run(seconds=30)
    assert len(wire.of(1, Arrived)) == 1
    assert frames(wire.ends[1], "said").count("95") == 4
    assert ended(wire, 1) is End.GARBLED


@pytest.mark.parametrize(
    ("frame", "answer"),
    [("9102070164", "9201016c"), ("1100ef", "92010469"), ("9a010164", "9201036a"), ("91b0" + "00" * 20, "9201026b")],
)
def test_the_error_names_its_cause(frame, answer):
    octets = bytes.fromhex(frame)
    far = np.concatenate((np.zeros(8000, np.int16), modulator.burst(octets)))
    wire = Wire(Far(far), answerer()).run(seconds=4)
    assert [line.frame for line in wire.ends[1].trace if line.what == "said"][1] == answer


def test_a_payload_over_the_bound_is_an_error():
    octets = sealed(bytes((0x91, 200)) + bytes(200))
    wire = Wire(Far(np.concatenate((np.zeros(8000, np.int16), modulator.burst(octets)))), answerer()).run(seconds=5)
    assert [line.frame for line in wire.ends[1].trace if line.what == "said"][1] == "9201026b"


def test_hanging_up_before_the_acknowledgement_leaves_it_unclear():
    wire = Wire(caller(item("a"), item("b")), answerer(), decide=lambda end, event: None)
    while not wire.of(1, Arrived):
        wire.step()
    events = wire.ends[0].gone()
    assert names([e for e in events if isinstance(e, Unclear)]) == ["a"]
    assert names([e for e in events if isinstance(e, NotSent)]) == ["b"]
    assert events[-1] == Ended(End.HUNG_UP, "")


def test_no_answer_to_a_frame():
    """The far end dies after EST."""
    wire = Wire(caller(item("a")), Far(np.concatenate((np.zeros(2400, np.int16), ONE_EST)))).run(seconds=30)
    assert ended(wire, 0) is End.UNANSWERED
    assert names(wire.of(0, Unclear)) == ["a"]
    assert frames(wire.ends[0], "said") == ["91", "91", "91", "94"]


def test_a_caller_that_never_hangs_up():
    """It says nothing after EST: 10 s, as real centres wait."""
    wire = Wire(Far(np.zeros(100, np.int16)), answerer(protocols=(1,))).run(seconds=90)
    assert ended(wire, 1) is End.NO_TERMINAL
    assert wire.packets * 0.02 < 15


def test_a_caller_that_goes_on_and_on_is_cut_off():
    terms = Terms(whole=12)
    wire = Wire(caller(*[item(f"m{n}", 120) for n in range(9)]), answerer(terms=terms)).run()
    assert ended(wire, 1) is End.TOO_LONG
    assert wire.packets * 0.02 < 13


def test_more_messages_than_allowed():
    wire = Wire(caller(*[item(f"m{n}") for n in range(4)]), answerer(terms=Terms(messages=2))).run()
    assert len(wire.of(1, Arrived)) == 2
    assert ended(wire, 1) is End.TOO_MANY


@pytest.mark.parametrize("bit", [0, 1])
def test_a_carrier_without_end(bit):
    wave = modulator.modulate(np.full(1200 * 70, bit, np.uint8))
    for end in (caller(item("a")), answerer()):
        wire = Wire(end, Far(wave)).run(seconds=80)
        assert end.over
        assert wire.packets * 0.02 < 15
        assert ended(wire, 0) in (End.ENDLESS, End.NO_TERMINAL)


RNG = np.random.default_rng(5)
TIME = np.arange(RATE * 20) / RATE
OTHERS = {
    "silence": np.zeros(RATE * 20),
    "a voice or music": np.repeat(RNG.standard_normal(RATE * 5), 4) * (1 + np.sin(TIME * 25)) * 2500,
    "the answer tone of a fax machine or a modem": np.sin(2 * np.pi * 2100 * TIME) * 6000,
    "telephone keys": (np.sin(2 * np.pi * 697 * TIME) + np.sin(2 * np.pi * 1209 * TIME)) * 5000 * (TIME % 0.2 < 0.1),
}


@pytest.mark.parametrize("heard", OTHERS)
def test_a_line_without_a_terminal_says_what_answered(heard):
    wire = Wire(caller(item("a")), Far(OTHERS[heard].astype(np.int16))).run(seconds=30)
    (last,) = wire.of(0, Ended)
    assert last.end in (End.NO_TERMINAL, End.ENDLESS)
    assert wire.of(0, NotSent) == [NotSent(item("a"))]
    if last.end is End.NO_TERMINAL:
        assert last.detail == heard
    assert wire.packets * 0.02 < 15


def test_an_echo_of_ourselves_is_not_taken_for_the_far_end():
    """The hybrid returns a tenth of what we say, 30 ms later."""
    echo = [np.zeros(PACKET)] * 4

    class Hybrid:
        def __init__(self, end):
            self.end, self.trace = end, end.trace

        over = property(lambda self: self.end.over)

        def feed(self, heard):
            mixed = heard + 0.1 * echo[-2][: len(heard)]
            return self.end.feed(mixed.astype(np.int16))

        def play(self, count):
            part = self.end.play(count)
            echo.append(np.zeros(count) if part is None else part.astype(float))
            return part

        def gone(self):
            return self.end.gone()

        def accept(self):
            self.end.accept()

    wire = Wire(Hybrid(caller(item("a"), item("b"))), answerer()).run()
    assert names(wire.of(0, Acknowledged)) == ["a", "b"]


ONE_EST = modulator.burst(ONE.establish().frame)


def test_the_record_of_a_call_is_bounded():
    call = LineCall(caller=False, centre=True)
    for _ in range(1000):
        call._note("heard", b"x")
    assert len(call.trace) == 200
