from __future__ import annotations

from opencpm.domain.report import Report, Status
from opencpm.domain.trail import Step, TrailEntry
from opencpm.interfaces import Changes
from opencpm.storage.sqlite.connection import connect, prepare
from opencpm.storage.sqlite.writing import Recent, Writer, parking_key
from tests.contract.values import NOW, message, unit


def test_recent_keeps_the_latest() -> None:
    recent = Recent(2)
    for n in range(5):
        recent.put({f"m{n}": n})
    assert [recent.get(f"m{n}") for n in range(5)] == [None, None, 2, 3, 4]


def test_a_trail_line_is_kept_by_number_whether_remembered_or_not() -> None:
    connection = connect(":memory:")
    prepare(connection)
    writer = Writer(connection)
    one = unit()
    line = Changes(trail=[TrailEntry(message().id, NOW, Step.DELIVERED, "delivered")])
    writer.apply([one])
    writer.apply([line])
    writer.reset()
    writer.apply([line])
    assert connection.execute("SELECT subject FROM trail").fetchall() == [(1,), (1,), (1,)]


def test_numbers_are_not_given_again_while_a_trail_uses_them() -> None:
    connection = connect(":memory:")
    prepare(connection)
    writer = Writer(connection)
    writer.apply([unit("a"), unit("b")])
    connection.execute("DELETE FROM delivery")
    connection.execute("DELETE FROM message")
    writer.reset()
    writer.apply([unit("c")])
    assert connection.execute("SELECT n FROM message").fetchall() == [(3,)]


def test_the_key_of_parking_is_the_name_the_report_gives() -> None:
    def report(**name: str) -> Report:
        return Report(status=Status.DELIVERED, network="sms", source="device", at=NOW, **name)  # type: ignore[arg-type]

    assert parking_key(report(key="k", message_id="m")) == "k"
    assert parking_key(report(delivery_id="d")) == "d"
    assert parking_key(report(message_id="m")) == "m"
