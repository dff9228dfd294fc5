import pytest

from opencpm.protocols.ucp import framing
from opencpm.protocols.ucp.events import (
    Answered,
    Closed,
    LoginAsked,
    LoginRefused,
    Opened,
    Received,
    Unanswered,
)
from opencpm.protocols.ucp.framing import Frame
from opencpm.protocols.ucp.operations import DELIVER, Message
from opencpm.protocols.ucp.session import Login, Session, SessionError, State, Timers

from . import vectors
from .vectors import wire

TEXT = Message("447700900123", "600600", mt="3", msg="48")


def terminal(**terms):
    session = Session(0.0, login=Login(address="cpm", password="secret"), **terms)
    assert session.take() == wire(vectors.LOGIN)
    return session


def opened(**terms):
    session = terminal(**terms)
    assert session.receive(wire(vectors.LOGIN_ACCEPTED), 1.0) == [Opened("BIND AUTHENTICATED")]
    return session


def result(trn, *fields, ot=51):
    return framing.encode(Frame(trn, True, ot, fields))


def sent(session):
    return [framing.decode(frame) for frame in framing.FrameBuffer().feed(session.take())]


def test_login():
    session = opened()
    assert session.open
    assert session.room == 10


def test_login_refused():
    session = terminal()
    events = session.receive(wire(vectors.LOGIN_REFUSED), 1.0)
    assert events == [LoginRefused(7, "AUTHENTICATION FAILURE"), Closed("the login was refused")]
    assert session.closing()


def test_no_answer_to_the_login():
    session = terminal()
    assert session.next_timeout() == 30.0
    assert session.poll(30.0) == [Closed("no answer to the login")]


def test_a_centre_without_sessions():
    session = Session(0.0, address="600600")
    assert session.open
    assert session.take() == b""


def test_keep_alive_as_worked_out():
    session = opened()
    assert session.next_timeout() == 31.0
    assert session.poll(30.9) == []
    assert session.take() == b""
    session.poll(31.0)
    assert session.take() == wire(vectors.ALERT)
    assert session.receive(wire(vectors.ALERT_RESULT), 32.0) == []
    assert session.next_timeout() == 62.0


def test_a_silent_centre_is_given_up():
    session = opened()
    session.poll(31.0)
    assert session.poll(61.0) == [Closed("nothing was heard for 30 s")]


def test_a_keep_alive_of_the_centre_is_answered():
    session = opened()
    session.receive(wire(vectors.ALERT), 2.0)
    assert session.take() == wire(vectors.ALERT_RESULT)


def test_results_come_with_their_context():
    session = opened()
    for name in ("a", "b"):
        session.submit(TEXT, name, 2.0)
    assert session.room == 8
    events = session.receive(result(2, "N", "04", "NO") + result(1, "A", "", "447700900123:231126073015"), 3.0)
    assert events == [Answered("b", 4, "NO"), Answered("a", 0, "447700900123:231126073015")]
    assert session.room == 10


def test_a_result_of_another_operation_is_not_ours():
    session = opened()
    session.submit(TEXT, "a", 2.0)
    assert session.receive(result(1, "A", "0000", ot=31) + result(9, "A", "", "x"), 3.0) == []
    assert session.stray_results == 2
    assert session.unanswered == 1


def test_numbers_go_round_and_avoid_what_is_under_way():
    session = opened(window=99)
    trns = [session.submit(TEXT, n, 2.0) for n in range(99)]
    assert sorted([0, *trns]) == list(range(100))
    assert session.room == 0
    session.receive(result(50, "A", "", ""), 3.0)
    session.receive(result(51, "A", "", ""), 3.0)
    assert session.submit(TEXT, "x", 3.0) == 0
    assert session.submit(TEXT, "y", 3.0) == 50


def test_the_number_of_a_lost_result_rests():
    session = opened(window=99)
    session.submit(TEXT, "lost", 2.0)
    session.receive(wire(vectors.ALERT), 20.0)
    assert session.poll(32.0) == [Unanswered("lost")]
    assert session.open
    assert session.room == 98
    for n in range(98):
        assert session.submit(TEXT, n, 33.0) != 1
    assert session.receive(result(1, "A", "", "1:231126073015"), 34.0) == []
    assert session.stray_results == 1


def test_no_result_and_nothing_heard():
    session = opened()
    session.submit(TEXT, "a", 2.0)
    session.submit(TEXT, "b", 3.0)
    assert session.poll(32.0) == [Unanswered("a"), Unanswered("b"), Closed("nothing was heard for 30 s")]


def test_what_was_unanswered_when_the_link_broke():
    session = opened()
    session.submit(TEXT, "a", 2.0)
    assert session.lost() == [Unanswered("a")]
    with pytest.raises(SessionError):
        session.submit(TEXT, "b", 3.0)


def test_a_text_and_its_answer():
    session = opened()
    (event,) = session.receive(wire(vectors.DELIVER), 2.0)
    assert isinstance(event, Received)
    assert event.message.msg == "5265706C79"
    assert session.take() == b""
    session.respond(event, 0, "600600:231126073015")
    assert session.take() == wire(vectors.DELIVER_RESULT)


def test_a_notification_and_its_answer():
    session = opened()
    (event,) = session.receive(wire(vectors.NOTIFICATION), 2.0)
    session.respond(event, 0, "600600:231126073042")
    assert session.take() == wire(vectors.NOTIFICATION_RESULT)


def test_an_old_call_input():
    session = opened()
    (event,) = session.receive(wire(vectors.CALL), 2.0)
    assert event.message.msg == "68656C6C6F"
    session.respond(event, 0, "447700900123:231126073015")
    assert session.take() == wire(vectors.CALL_ACCEPTED)


@pytest.mark.parametrize("ot", [51, 54, 55, 56, 57, 58])
def test_what_a_terminal_is_not_asked(ot):
    session = opened()
    assert session.receive(framing.encode(Frame(7, False, ot, tuple(TEXT))), 2.0) == []
    (answer,) = sent(session)
    assert (answer.trn, answer.ot, answer.fields[:2]) == (7, ot, ("N", "03"))


@pytest.mark.parametrize(
    ("frame", "ec"),
    [
        (vectors.ALERT[:-2] + "00", "01"),
        ("01/00026/O/31/cpm/0539/37", "02"),
        ("03/00020/O/99/x/y/C1", "03"),
        ("03/00018/O/31/x/29", "02"),
        (vectors.LOGIN, "03"),
    ],
)
def test_what_cannot_be_read_is_answered(frame, ec):
    session = opened()
    if frame.startswith("03/"):
        frame = framing.encode(Frame(3, False, int(frame[11:13]), tuple(frame[14:-3].split("/"))))[1:-1].decode()
    assert session.receive(wire(frame), 2.0) == []
    (answer,) = sent(session)
    assert answer.result
    assert answer.fields[:2] == ("N", ec)


def test_broken_results_are_ignored():
    session = opened()
    assert session.receive(wire(vectors.SUBMIT_ACCEPTED[:-2] + "00", "nonsense"), 2.0) == []
    assert session.take() == b""
    assert session.open


def test_a_stream_without_end_is_closed():
    session = opened()
    (event,) = session.receive(b"\x02" + b"x" * 4000, 2.0)
    assert isinstance(event, Closed)
    assert session.receive(wire(vectors.ALERT), 3.0) == []


def test_leaving_waits_for_both_sides():
    session = opened()
    session.submit(TEXT, "a", 2.0)
    (received,) = session.receive(wire(vectors.DELIVER), 2.0)
    session.leave()
    assert session.room == 0
    session.respond(received)
    assert not session.closing()
    events = session.receive(result(1, "A", "", ""), 3.0)
    assert isinstance(events[0], Answered)
    assert session.closing()


def test_leaving_before_the_login():
    session = terminal()
    session.leave()
    assert session.closing()


def centre():
    session = Session(0.0, centre=True, timers=Timers(alert=0))
    (asked,) = session.receive(wire(vectors.LOGIN), 0.0)
    return session, asked


def test_the_centre_is_asked():
    session, asked = centre()
    assert isinstance(asked, LoginAsked)
    assert (asked.operation.oadc, asked.password) == ("cpm", "secret")
    session.accept(asked)
    assert session.take() == wire(vectors.LOGIN_ACCEPTED)
    session.submit(TEXT, "mo", 1.0, DELIVER)
    assert sent(session)[0].ot == DELIVER


def test_the_centre_refuses():
    session, asked = centre()
    session.refuse(asked, 7)
    assert session.take() == wire(vectors.LOGIN_REFUSED)
    assert session.state is State.CLOSED


def test_no_submit_before_the_login():
    session = Session(0.0, centre=True)
    assert session.receive(wire(vectors.SUBMIT), 0.0) == []
    assert session.take() == wire(vectors.SUBMIT_REFUSED)


def test_the_centre_takes_submit_transfer_and_call():
    session, asked = centre()
    session.accept(asked)
    events = session.receive(wire(vectors.SUBMIT, vectors.TRANSFER, vectors.CALL), 1.0)
    assert [event.ot for event in events] == [51, 30, 1]
    session.take()
    for event in events:
        session.respond(event, 0, "447700900123:231126073015")
    assert session.take() == wire(vectors.SUBMIT_ACCEPTED, vectors.TRANSFER_ACCEPTED, vectors.CALL_ACCEPTED)


def test_a_login_whose_password_is_no_hexadecimal():
    session = Session(0.0, centre=True)
    fields = ("cpm", "6", "5", "1", "zz", "", "0100", "", "", "", "", "")
    assert session.receive(framing.encode(Frame(4, False, 60, fields)), 0.0) == []
    assert sent(session)[0].fields[:2] == ("N", "02")
