from __future__ import annotations

import itertools

import pytest

from opencpm.protocols.msrp.message import Frame, Parser, request
from opencpm.protocols.msrp.session import (
    Aborted,
    Event,
    Failed,
    Limits,
    Opened,
    Received,
    Reported,
    Sent,
    Session,
)

ALICE, SERVER = "msrp://192.0.2.21:9/s2alice;tcp", "msrp://192.0.2.10:2855/srv-c1;tcp"


def pair(**limits: float) -> tuple[Session, Session]:
    counter = itertools.count()
    ids = lambda: f"t{next(counter):06d}"  # noqa: E731
    bound = Limits(**limits)  # type: ignore[arg-type]
    return Session(ALICE, SERVER, ids, bound), Session(SERVER, ALICE, ids, bound)


def pass_on(source: Session, target: Session, now: float = 0.0) -> list[Event]:
    return [event for frame in Parser().feed(source.take()) for event in target.receive(frame, now)]


def send(session: Session, headers: list[tuple[str, str]], body: bytes | None = None, flag: str = "$") -> list[Event]:
    (frame,) = Parser().feed(request("tidx", "SEND", session.local, session.remote, headers, body, flag))
    return session.receive(frame, 0.0)


def answer(session: Session) -> list[int]:
    return [f.status for f in Parser().feed(session.take()) if not f.method]


def test_empty_send_opens_the_path():
    alice, server = pair()
    alice.open()
    assert pass_on(alice, server) == [Opened()]
    assert pass_on(server, alice) == [Opened()]


@pytest.mark.parametrize("byte_range", ["1-0/0", "0-0/0", None])
@pytest.mark.parametrize("body", [None, b""])
def test_every_spelling_of_empty(byte_range, body):
    _, server = pair()
    headers = [("Message-ID", "m"), *([("Byte-Range", byte_range)] if byte_range else [])]
    assert send(server, headers, body) == [Opened()]
    assert answer(server) == [200]


def test_a_message_is_answered_when_it_is_accepted():
    alice, server = pair()
    alice.send("m1", "text/plain", b"hello", 0.0)
    _opened, received = pass_on(alice, server)
    assert isinstance(received, Received)
    assert (received.message_id, received.content_type, received.body) == ("m1", "text/plain", b"hello")
    assert server.take() == b""
    server.accept(received.receipt)
    assert pass_on(server, alice) == [Opened(), Sent("m1")]


def test_success_report():
    alice, server = pair()
    alice.send("m1", "text/plain", b"hello", 0.0, success=True)
    received = pass_on(alice, server)[-1]
    assert isinstance(received, Received)
    server.accept(received.receipt)
    assert pass_on(server, alice) == [Opened(), Sent("m1"), Reported("m1", 200)]
    assert alice.take() == b""  # a REPORT is never answered


def test_rejected():
    alice, server = pair()
    alice.send("m1", "text/html", b"hello", 0.0)
    received = pass_on(alice, server)[-1]
    assert isinstance(received, Received)
    server.reject(received.receipt, 415)
    assert pass_on(server, alice) == [Opened(), Failed("m1", 415)]
    assert alice.unsettled() == []


@pytest.mark.parametrize(("failure", "status", "answers"), [("no", 415, 0), ("partial", 200, 0), ("partial", 415, 1)])
def test_failure_report(failure, status, answers):
    alice, server = pair()
    alice.send("m1", "text/plain", b"x", 0.0, failure=failure)
    received = pass_on(alice, server)[-1]
    assert isinstance(received, Received)
    server.accept(received.receipt) if status == 200 else server.reject(received.receipt, status)
    assert len(Parser().feed(server.take())) == answers


def test_chunks_interleave_and_are_put_together():
    alice, server = pair(chunk=2048)
    big = bytes(range(256)) * 40
    alice.send("big", "x/y", big, 0.0)
    alice.send("small", "text/plain", b"hello", 0.0)
    received = [e for e in pass_on(alice, server) if isinstance(e, Received)]
    assert [(r.message_id, r.body) for r in received] == [("small", b"hello"), ("big", big)]
    for r in received:
        server.accept(r.receipt)
    assert pass_on(server, alice) == [Opened(), Sent("small"), Sent("big")]


def test_the_window_bounds_what_is_out():
    alice, _server = pair(chunk=10, window=4)
    alice.send("m", "x/y", bytes(100), 0.0)
    assert len(Parser().feed(alice.take())) == 4
    assert alice.take() == b""


def test_the_transaction_id_does_not_stand_in_the_body():
    ids = iter(["tid1", "tid2"])
    alice = Session(ALICE, SERVER, lambda: next(ids))
    alice.send("m", "x/y", b"a\r\n-------tid1$\r\n", 0.0)
    assert alice.take().startswith(b"MSRP tid2 SEND")


def test_no_answer_fails_after_the_timeout():
    alice, _ = pair(response_timeout=30.0)
    alice.send("m1", "x/y", b"1", 100.0)
    alice.take()
    alice.send("m2", "x/y", b"1", 105.0)
    alice.take()
    assert alice.next_timeout() == 130.0
    assert alice.poll(129.9) == []
    assert alice.poll(130.0) == [Failed("m1", 408)]
    assert alice.unsettled() == ["m2"]
    assert alice.poll(200.0) == [Failed("m2", 408)]
    assert alice.next_timeout() is None


def test_too_large_is_stopped_in_the_middle():
    alice, server = pair(max_size=5000, chunk=2048, window=2)
    alice.send("m", "x/y", bytes(6000), 0.0)
    assert pass_on(alice, server) == [Opened()]
    assert pass_on(server, alice) == [Opened(), Failed("m", 413)]
    last = Parser().feed(alice.take())
    assert [f.flag for f in last] == ["#"]


def test_unannounced_size_is_stopped_too():
    _, server = pair(max_size=3)
    assert send(server, [("Message-ID", "m"), ("Byte-Range", "1-*/*"), ("Content-Type", "x/y")], b"ab", "+") == [
        Opened()
    ]
    assert answer(server) == [200]
    assert send(server, [("Message-ID", "m"), ("Byte-Range", "3-*/*"), ("Content-Type", "x/y")], b"cd", "+") == [
        Aborted("m")
    ]
    assert answer(server) == [413]
    assert send(server, [("Message-ID", "m"), ("Byte-Range", "5-*/*"), ("Content-Type", "x/y")], b"ef", "$") == []
    assert answer(server) == [413]


def test_aborted_by_the_sender():
    _, server = pair()
    headers = [("Message-ID", "m"), ("Byte-Range", "1-*/10"), ("Content-Type", "x/y")]
    send(server, headers, b"ab", "+")
    assert send(server, headers, b"", "#") == [Aborted("m")]


def test_too_many_unfinished():
    _, server = pair(max_unfinished=2)
    for i in range(3):
        send(server, [("Message-ID", f"m{i}"), ("Byte-Range", "1-*/10"), ("Content-Type", "x/y")], b"ab", "+")
    assert answer(server) == [200, 200, 413]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ([], 400),
        ([("Message-ID", "m"), ("Byte-Range", "x"), ("Content-Type", "x/y")], 400),
        ([("Message-ID", "m"), ("Byte-Range", "0-1/1"), ("Content-Type", "x/y")], 400),
        ([("Message-ID", "m" * 129), ("Content-Type", "x/y")], 400),
        ([("Message-ID", "m")], 415),
    ],
)
def test_bad_requests(headers, status):
    _, server = pair()
    assert send(server, headers, b"x") == [Opened()]
    assert answer(server) == [status]


def test_unknown_method():
    _, server = pair()
    (frame,) = Parser().feed(request("67b9cf41dfec1a8", "FILE_OFFSET", SERVER, ALICE))
    server.receive(frame, 0.0)
    assert answer(server) == [501]


def test_answers_to_nothing_and_odd_reports_say_nothing():
    alice, _ = pair()
    odd = [
        Frame("nope", "", 200, {}),
        Frame("t", "REPORT", 0, {"status": "000 2x0", "message-id": "m"}),
        Frame("t", "REPORT", 0, {"status": "001 200 OK", "message-id": "m"}),
        Frame("t", "REPORT", 0, {"status": "000 200 OK"}),
    ]
    for frame in odd:
        frame.flag = "$"
        assert [e for e in alice.receive(frame, 0.0) if not isinstance(e, Opened)] == []


def test_abandon():
    alice, _ = pair(chunk=10, window=1)
    alice.send("m", "x/y", bytes(30), 0.0)
    alice.send("n", "x/y", b"n", 0.0)
    alice.take()
    alice.abandon("m")
    alice.abandon("n")
    assert [f.flag for f in Parser().feed(alice.take())] == ["#"]
    assert alice.unsettled() == []


def test_how_far_both_ends_are_amid_a_message():
    """What was answered is what may be left out when the message goes on elsewhere."""
    alice, server = pair(chunk=10, window=2)
    assert (alice.reached(), server.unfinished()) == (0, b"")
    alice.send("m", "image/png", bytes(range(35)), 0.0)
    frames = Parser().feed(alice.take())
    assert len(frames) == 2
    for frame in frames:
        server.receive(frame, 0.0)
    assert (alice.reached(), server.unfinished()) == (0, bytes(range(20)))
    answers = Parser().feed(server.take())
    alice.receive(answers[1], 0.0)
    assert alice.reached() == 0  # the first chunk may be missing
    alice.receive(answers[0], 0.0)
    assert alice.reached() == 20
    pass_on(alice, server)
    pass_on(server, alice)
    assert (alice.reached(), server.unfinished()) == (30, b"")  # the last chunk is answered when the whole is accepted
