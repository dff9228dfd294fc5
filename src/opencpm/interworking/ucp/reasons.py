"""UCP's error codes and notifications in neutral reasons."""

from __future__ import annotations

from collections.abc import Mapping

from opencpm.domain.errors import Reason, SendError
from opencpm.domain.report import Status
from opencpm.protocols.ucp import codes
from opencpm.protocols.ucp.codes import Retry, error_code, why

# neutral reason of the table -> ours, and what the sender reads
_REFUSED: Mapping[str, tuple[Reason, str]] = {
    "protocol-error": (Reason.INTERNAL, "the SMS network did not understand the request"),
    "invalid-request": (Reason.NOT_ACCEPTABLE, "the SMS network refused the request"),
    "unsupported": (Reason.NOT_ACCEPTABLE, "the SMS network does not support this"),
    "throttled": (Reason.CONGESTION, "the SMS network takes no more at present"),
    "barred": (Reason.BARRED, "the SMS network does not allow this"),
    "invalid-destination": (Reason.UNKNOWN_ADDRESS, "the SMS network does not know this number"),
    "authentication": (Reason.AUTHENTICATION, "the SMS network refused our account"),
    "too-long": (Reason.TOO_LARGE, "the SMS network says the message is too long"),
    "unknown-message": (Reason.NOT_ACCEPTABLE, "the SMS network does not know this message"),
    "temporary-failure": (Reason.UNREACHABLE, "the SMS network has a passing problem"),
}
_NOT_DELIVERED: Mapping[str, tuple[Reason, str]] = {
    "invalid-destination": (Reason.UNKNOWN_ADDRESS, "the SMS network does not know this number"),
    "barred": (Reason.BARRED, "the SMS network does not allow messages to this number"),
    "expired-absent": (Reason.EXPIRED, "the phone was not reached in time"),
    "too-long": (Reason.TOO_LARGE, "the SMS network says the message is too long"),
}


def refused(ec: int) -> SendError:
    """The error of a submit that got this EC."""
    known = error_code(ec)
    reason, detail = _REFUSED.get(known.reason, (Reason.REJECTED, "the SMS network refused the message"))
    return SendError(reason, retryable=known.retry is Retry.LATER, detail=detail, code=f"UCP {ec:02} {known.name}")


def unanswered() -> SendError:
    """No result: whether the centre has it is not known, and a retry may double it."""
    detail = "no answer from the SMS network; whether the message went is not known"
    return SendError(Reason.TIMEOUT, retryable=True, detail=detail)


def no_link(detail: str = "") -> SendError:
    return SendError(Reason.NETWORK_DOWN, retryable=True, detail=detail or "no link to the SMS network")


def queue_full() -> SendError:
    detail = "too many messages wait for the SMS network"
    return SendError(Reason.CONGESTION, retryable=True, retry_after=5.0, detail=detail)


def too_late() -> SendError:
    return SendError(Reason.CONGESTION, retryable=True, detail="the SMS network did not take it in time")


def expired() -> SendError:
    return SendError(Reason.EXPIRED, detail="its validity was over before it could be sent")


def status_said(dst: str, rsn: str) -> tuple[Status, SendError | None]:
    """What a notification claims: Dst decides, Rsn refines. What is not final, or not understood, is pending."""
    if dst == "0":
        return Status.DELIVERED, None
    if dst != "2":
        return Status.PENDING, None
    known = why(rsn)
    reason, detail = _NOT_DELIVERED.get(
        known.reason, (Reason.UNDELIVERABLE, "the SMS network could not deliver it to the phone")
    )
    return Status.FAILED, SendError(reason, detail=detail, code=f"UCP Rsn {rsn[:3]} {known.name}")


def verdict_code(verdict: SendError | None) -> int:
    """The EC for a text, by what became of it here. 37 is the one code that asks a centre to try again."""
    if verdict is None:
        return 0
    if verdict.retryable:
        return codes.DELIVERY_IN_PROGRESS
    return codes.INVALID_ADDRESS if verdict.reason is Reason.UNKNOWN_ADDRESS else codes.TYPE_NOT_SUPPORTED
