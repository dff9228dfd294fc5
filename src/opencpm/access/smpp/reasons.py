"""Neutral reasons and command_status, both ways (SMPP 3.4 §5.1.3): the only place where one becomes the other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from opencpm.domain.errors import Reason, SendError
from opencpm.protocols.smpp.receipt import State
from opencpm.protocols.smpp.status import (
    RINVDCS,
    RINVDSTADR,
    RINVEXPIRY,
    RINVMSGLEN,
    RINVSRCADR,
    RMSGQFUL,
    RPROHIBITED,
    RSUBMITFAIL,
    RSYSERR,
    RTHROTTLED,
    RX_P_APPN,
    RX_R_APPN,
    Retry,
    status_of,
)

V5 = 0x50
THROTTLING = frozenset({RTHROTTLED, RMSGQFUL})
"""Answers of an ESME that mean: the same again, later and slower."""

_STATUS: Final[Mapping[Reason, int]] = {
    Reason.UNKNOWN_ADDRESS: RINVDSTADR,
    Reason.NO_ROUTE: RINVDSTADR,
    Reason.INVALID_SOURCE: RINVSRCADR,
    Reason.TOO_LARGE: RINVMSGLEN,
    Reason.BARRED: RPROHIBITED,
    Reason.UNSUPPORTED_MEDIA: RINVDCS,
    Reason.CONGESTION: RMSGQFUL,
    Reason.EXPIRED: RINVEXPIRY,
    Reason.INTERNAL: RSYSERR,
    Reason.NETWORK_DOWN: RSYSERR,
    Reason.TIMEOUT: RSYSERR,
    Reason.REJECTED: RX_R_APPN,
}
_BEFORE_5: Final[Mapping[int, int]] = {RPROHIBITED: RX_R_APPN, RINVDCS: RX_P_APPN}
"""What an older ESME is told instead of a code of 5.0."""


def for_version(status: int, version: int) -> int:
    """The status as a peer of this interface_version knows it."""
    return status if version >= V5 else _BEFORE_5.get(status, status)


def refusal(error: SendError, version: int) -> int:
    """The status of a submit that was refused."""
    status = _STATUS.get(error.reason, RSUBMITFAIL if error.retryable else RX_P_APPN)
    return for_version(status, version)


_REASONS: Final[Mapping[str, Reason]] = {
    "too-long": Reason.TOO_LARGE,
    "invalid-source": Reason.INVALID_SOURCE,
    "invalid-destination": Reason.UNKNOWN_ADDRESS,
    "rejected": Reason.REJECTED,
    "barred": Reason.BARRED,
    "temporary-failure": Reason.UNREACHABLE,
    "not-bound": Reason.UNREACHABLE,
}


def refused(status: int) -> SendError:
    """The error of a deliver_sm that got this status."""
    known = status_of(status)
    retryable = known.retry in (Retry.LATER, Retry.REBIND, Retry.FEW)
    return SendError(
        _REASONS.get(known.reason, Reason.REJECTED),
        retryable=retryable,
        detail="the receiving application has a passing problem" if retryable else "the receiving application refused",
        code=f"SMPP 0x{status:08X} {known.name}",
    )


def unanswered() -> SendError:
    return SendError(
        Reason.TIMEOUT,
        retryable=True,
        detail="the receiving application did not answer; whether it has the message is not known",
    )


def not_bound() -> SendError:
    return SendError(Reason.OFFLINE, retryable=True, detail="no application of this account is bound to receive")


def queue_full() -> SendError:
    return SendError(
        Reason.CONGESTION, retryable=True, retry_after=5.0, detail="too many messages wait for this application"
    )


def too_late() -> SendError:
    return SendError(Reason.CONGESTION, retryable=True, detail="the receiving application did not take it in time")


_STATES: Final[Mapping[str, State]] = {
    Reason.EXPIRED.value: State.EXPIRED,
    Reason.CANCELLED.value: State.DELETED,
    **dict.fromkeys((Reason.REJECTED.value, Reason.BARRED.value, Reason.DECLINED.value), State.REJECTED),
}
_ERRORS: Final[Mapping[str, str]] = {reason.value: f"{number:03}" for number, reason in enumerate(Reason, 1)}


def failure(reason: str) -> tuple[State, str]:
    """message_state and the ``err:`` of a receipt for a delivery that failed with this :class:`Reason` value."""
    return _STATES.get(reason, State.UNDELIVERABLE), _ERRORS.get(reason, "099")
