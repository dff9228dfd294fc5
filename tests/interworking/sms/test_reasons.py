import pytest

from opencpm.domain.errors import Reason
from opencpm.domain.report import Status
from opencpm.interworking.sms import reasons
from opencpm.protocols.smpp.receipt import Receipt, State
from opencpm.protocols.smpp.status import STATUSES


@pytest.mark.parametrize(
    ("status", "reason", "retryable"),
    [
        (0x01, Reason.TOO_LARGE, False),
        (0x04, Reason.NETWORK_DOWN, True),
        (0x08, Reason.UNREACHABLE, True),
        (0x0A, Reason.INVALID_SOURCE, False),
        (0x0B, Reason.UNKNOWN_ADDRESS, False),
        (0x14, Reason.CONGESTION, True),
        (0x58, Reason.CONGESTION, True),
        (0x65, Reason.UNDELIVERABLE, False),
        (0x101, Reason.BARRED, False),
        (0x401, Reason.UNREACHABLE, True),
    ],
)
def test_command_status(status, reason, retryable):
    error = reasons.refused(status)
    assert (error.reason, error.retryable) == (reason, retryable)
    assert error.code.startswith(f"SMPP 0x{status:08X}")


def test_every_known_status_has_words():
    assert all(reasons.refused(code).detail for code in STATUSES)


def test_submit_failed_is_tried_three_times():
    assert [reasons.refused(0x45, attempt).retryable for attempt in (1, 2, 3)] == [True, True, False]


@pytest.mark.parametrize(
    ("state", "status", "reason"),
    [
        (State.DELIVERED, Status.DELIVERED, None),
        (State.ENROUTE, Status.PENDING, None),
        (State.ACCEPTED, Status.PENDING, None),
        (State.UNKNOWN, Status.PENDING, None),
        (None, Status.PENDING, None),
        (State.EXPIRED, Status.FAILED, Reason.EXPIRED),
        (State.DELETED, Status.FAILED, Reason.CANCELLED),
        (State.UNDELIVERABLE, Status.FAILED, Reason.UNDELIVERABLE),
        (State.REJECTED, Status.FAILED, Reason.REJECTED),
        (State.SKIPPED, Status.FAILED, Reason.UNDELIVERABLE),
    ],
)
def test_receipts(state, status, reason):
    said, error = reasons.status_said(Receipt("1", state))
    assert said is status
    assert (error.reason if error else None) is reason
