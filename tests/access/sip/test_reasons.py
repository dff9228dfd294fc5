import pytest

from opencpm.access.sip.reasons import STATUS, error_of, refusal_fields, status_of
from opencpm.domain.errors import Reason, SendError
from opencpm.protocols.sip.message import parse


def test_every_reason_has_a_final_failure_status():
    assert set(STATUS) == set(Reason)
    assert all(400 <= status < 700 for status in STATUS.values())


def test_no_route_is_480_while_it_may_come_back():
    assert status_of(SendError(Reason.NO_ROUTE)) == 404
    assert status_of(SendError(Reason.NO_ROUTE, retryable=True)) == 480


def test_retry_after_goes_through():
    error = SendError(Reason.CONGESTION, retry_after=7.4)
    assert ("Retry-After", "7") in refusal_fields(error, "h")


@pytest.mark.parametrize(
    ("status", "reason", "retryable"),
    [
        (0, Reason.UNREACHABLE, True),
        (430, Reason.UNREACHABLE, True),
        (500, Reason.UNREACHABLE, True),
        (415, Reason.UNSUPPORTED_MEDIA, False),
        (600, Reason.BUSY, False),
        (302, Reason.REJECTED, False),
    ],
)
def test_what_a_device_said(status, reason, retryable):
    error = error_of(status)
    assert (error.reason, error.retryable) == (reason, retryable)


def test_a_devices_words_are_bounded_and_its_wait_is_kept():
    response = parse(b"SIP/2.0 503 " + b"x" * 500 + b"\r\nRetry-After: 12 (busy)\r\n\r\n")
    error = error_of(503, response)
    assert (error.reason, len(error.detail) < 120, error.retry_after) == (Reason.CONGESTION, True, 0.0)
    assert error_of(503, parse(b"SIP/2.0 503 x\r\nRetry-After: 12;duration=3\r\n\r\n")).retry_after == 12
