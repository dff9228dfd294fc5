"""Counting failed logins, and tickets."""

from __future__ import annotations

from opencpm.access.web.guard import Tickets
from opencpm.protocols.logins import Attempts, Logins


def test_the_fifth_failure_within_the_window_must_wait_until_the_first_is_old() -> None:
    attempts = Attempts(5, 60.0)
    for at in (0.0, 10.0, 20.0, 30.0, 40.0):
        assert attempts.wait("k", at) == 0.0
        attempts.failed("k", at)
    assert attempts.wait("k", 45.0) == 15.0
    assert attempts.wait("other", 45.0) == 0.0
    assert attempts.wait("k", 60.0) == 0.0


def test_success_forgets_failures() -> None:
    attempts = Attempts(1)
    attempts.failed("k", 0.0)
    assert attempts.wait("k", 1.0) > 0
    attempts.passed("k")
    assert attempts.wait("k", 1.0) == 0.0


def test_a_stranger_elsewhere_does_not_lock_a_person_out_at_once_but_floods_are_stopped() -> None:
    logins = Logins()
    for number in range(5):
        logins.failed("alice", "203.0.113.7", float(number) / 100)
    assert logins.wait("alice", "203.0.113.7", 1.0) > 0
    assert logins.wait("alice", "198.51.100.1", 1.0) == 0.0
    assert logins.wait("bob", "203.0.113.7", 1.0) == 0.0
    for number in range(50):
        logins.failed("alice", f"203.0.113.{number}", 1.0)
    assert logins.wait("alice", "198.51.100.1", 2.0) > 0


def test_a_ticket_is_good_once_and_not_for_long() -> None:
    tickets = Tickets()
    tickets.issue("t", "alice", 0.0)
    tickets.issue("u", "alice", 0.0)
    assert tickets.take("t", 1.0) == "alice"
    assert tickets.take("t", 1.0) is None
    assert tickets.take("u", Tickets.LIFE) is None
    assert tickets.take("\ud800", 1.0) is None
