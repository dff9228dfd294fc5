import pytest

from opencpm.domain.errors import Reason, SendError
from opencpm.domain.report import Status
from opencpm.interworking.ucp.reasons import refused, status_said, verdict_code
from opencpm.protocols.ucp.codes import ERROR_CODES


@pytest.mark.parametrize("ec", [*ERROR_CODES, 77])
def test_every_error_has_words_and_a_code(ec):
    error = refused(ec)
    assert error.detail
    assert error.code.startswith(f"UCP {ec:02} ")


@pytest.mark.parametrize(
    ("dst", "rsn", "status", "reason"),
    [
        ("0", "000", Status.DELIVERED, None),
        ("0", "108", Status.DELIVERED, None),
        ("1", "107", Status.PENDING, None),
        ("2", "107", Status.FAILED, Reason.EXPIRED),
        ("2", "101", Status.FAILED, Reason.UNKNOWN_ADDRESS),
        ("2", "104", Status.FAILED, Reason.BARRED),
        ("2", "202", Status.FAILED, Reason.TOO_LARGE),
        ("2", "", Status.FAILED, Reason.UNDELIVERABLE),
        ("", "", Status.PENDING, None),
        ("9", "000", Status.PENDING, None),
    ],
)
def test_nothing_is_invented(dst, rsn, status, reason):
    said, error = status_said(dst, rsn)
    assert said is status
    assert (error.reason if error else None) is reason


@pytest.mark.parametrize(
    ("verdict", "ec"),
    [
        (None, 0),
        (SendError(Reason.INTERNAL, retryable=True), 37),
        (SendError(Reason.UNKNOWN_ADDRESS), 6),
        (SendError(Reason.BARRED), 23),
    ],
)
def test_what_the_centre_is_told(verdict, ec):
    assert verdict_code(verdict) == ec
