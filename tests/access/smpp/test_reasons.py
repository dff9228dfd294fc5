import pytest

from opencpm.access.smpp.reasons import failure, for_version, refusal, refused
from opencpm.domain.errors import Reason, SendError
from opencpm.protocols.smpp.receipt import State
from opencpm.protocols.smpp.status import STATUSES


@pytest.mark.parametrize("reason", Reason)
@pytest.mark.parametrize("version", [0x33, 0x34, 0x50])
def test_every_reason_has_a_status_that_the_peer_knows(reason, version):
    status = refusal(SendError(reason), version)
    assert status in STATUSES
    assert version >= 0x50 or status < 0x100


def test_codes_of_5_0():
    assert refusal(SendError(Reason.BARRED), 0x50) == 0x101
    assert for_version(0x104, 0x34) == 0x65
    assert for_version(0x58, 0x33) == 0x58


@pytest.mark.parametrize(
    ("status", "reason", "retryable"),
    [
        (0x64, Reason.UNREACHABLE, True),
        (0x65, Reason.REJECTED, False),
        (0x66, Reason.REJECTED, False),
        (0x08, Reason.UNREACHABLE, True),
        (0x01, Reason.TOO_LARGE, False),
        (0x4FF, Reason.UNREACHABLE, True),
    ],
)
def test_what_a_refusal_means(status, reason, retryable):
    error = refused(status)
    assert (error.reason, error.retryable) == (reason, retryable)


@pytest.mark.parametrize(
    ("reason", "state"),
    [("expired", State.EXPIRED), ("rejected", State.REJECTED), ("cancelled", State.DELETED), ("", State.UNDELIVERABLE)],
)
def test_how_a_failure_is_reported(reason, state):
    assert failure(reason)[0] is state
    assert len(failure(reason)[1]) == 3
