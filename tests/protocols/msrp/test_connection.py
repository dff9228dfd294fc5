from __future__ import annotations

import itertools

from opencpm.protocols.msrp.connection import Connection, Happened
from opencpm.protocols.msrp.message import Parser, request
from opencpm.protocols.msrp.session import Opened, Received, Session

SERVER = "msrp://192.0.2.10:2855/{};tcp"
ALICE = "msrp://192.0.2.21:9/{};tcp"


class House:
    """Sessions that wait for their connection."""

    def __init__(self, *names: str) -> None:
        counter = itertools.count()
        ids = lambda: f"t{next(counter):06d}"  # noqa: E731
        self.sessions = {n: Session(SERVER.format(n), ALICE.format("a" + n), ids) for n in names}
        self.owners: dict[str, Connection] = {}

    def connection(self) -> Connection:
        return Connection(self.sessions.get, self.claim)

    def claim(self, session: Session, connection: Connection) -> bool:
        return self.owners.setdefault(session.id, connection) is connection


def send(name: str, peer: str | None = None, tid: str = "tid0") -> bytes:
    headers = [("Message-ID", "m"), ("Content-Type", "text/plain")]
    return request(tid, "SEND", SERVER.format(name), ALICE.format(peer or "a" + name), headers, b"hi")


def statuses(connection: Connection) -> list[int]:
    return [f.status for f in Parser().feed(connection.take())]


def test_several_sessions_on_one_connection():
    house = House("one", "two")
    connection = house.connection()
    events = connection.receive(send("one") + send("two") + send("one"), 0.0)
    assert [h.session.id for h in events if isinstance(h.event, Received)] == ["one", "two", "one"]
    assert [h for h in events if isinstance(h.event, Opened)] == [
        Happened(house.sessions["one"], Opened()),
        Happened(house.sessions["two"], Opened()),
    ]
    assert len(connection.sessions) == 2


def test_unknown_session_and_wrong_peer():
    connection = House("one").connection()
    assert connection.receive(send("nobody") + send("one", peer="stranger"), 0.0) == []
    assert statuses(connection) == [481, 481]
    assert not connection.closing()


def test_bound_elsewhere():
    house = House("one")
    house.connection().receive(send("one"), 0.0)
    second = house.connection()
    assert second.receive(send("one"), 0.0) == []
    assert statuses(second) == [506]


def test_no_path():
    connection = House().connection()
    connection.receive(b"MSRP tid0 SEND\r\nFrom-Path: msrp://h/x;tcp\r\n-------tid0$\r\n", 0.0)
    connection.receive(b"MSRP tid0 SEND\r\nTo-Path: nonsense\r\nFrom-Path: msrp://h/x;tcp\r\n-------tid0$\r\n", 0.0)
    assert statuses(connection) == [400]


def test_a_flawed_request_is_answered_and_the_session_goes_on():
    connection = House("one").connection()
    flawed = send("one").replace(b"Message-ID: m", b"Message-ID m")
    events = connection.receive(send("one") + flawed + send("one"), 0.0)
    assert [type(h.event) for h in events] == [Opened, Received, Received]
    assert statuses(connection) == [400]


def test_a_prober_is_sent_away():
    connection = House("one").connection()
    for _ in range(33):
        connection.receive(send("nobody"), 0.0)
    assert connection.closing()


def test_release_says_the_last_word_and_closes():
    house = House("one", "two")
    connection = house.connection()
    events = connection.receive(send("one") + send("two"), 0.0)
    for happened in events:
        if isinstance(happened.event, Received):
            happened.session.accept(happened.event.receipt)
    connection.release(house.sessions["one"])
    assert not connection.closing()
    connection.release(house.sessions["two"])
    assert connection.closing()
    assert statuses(connection) == [200, 200]


def test_responses_find_their_session_and_time_passes():
    house = House("one")
    connection = house.connection()
    session = house.sessions["one"]
    connection.bind(session)
    session.send("m", "text/plain", b"x", 10.0)
    (frame,) = Parser().feed(connection.take())
    assert connection.next_timeout() == 40.0
    events = connection.poll(40.0)
    assert [(h.session, h.event.status) for h in events] == [(session, 408)]  # type: ignore[union-attr]
    assert frame.headers["byte-range"] == "1-1/1"
