"""Neutral reasons and the words of MM7 (3GPP TS 23.140 §8.7.8), both ways: here one becomes the other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from opencpm.domain.delivery import Notice
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.report import Status as Reached
from opencpm.protocols.mm7 import status as codes
from opencpm.protocols.mm7.status import Meaning, Retry
from opencpm.protocols.mm7.values import Status

_CODES: Final[Mapping[Reason, int]] = {
    Reason.UNKNOWN_ADDRESS: codes.ADDRESS_NOT_FOUND,
    Reason.NO_ROUTE: codes.ADDRESS_NOT_FOUND,
    Reason.INVALID_SOURCE: codes.OPERATION_RESTRICTED,
    Reason.BARRED: codes.SERVICE_DENIED,
    Reason.TOO_LARGE: codes.CONTENT_REFUSED,
    Reason.UNSUPPORTED_MEDIA: codes.CONTENT_REFUSED,
    Reason.MALFORMED: codes.FORMAT_CORRUPT,
    Reason.CONGESTION: codes.SERVICE_UNAVAILABLE,
    Reason.NETWORK_DOWN: codes.SERVICE_UNAVAILABLE,
    Reason.INTERNAL: codes.SERVER_ERROR,
    Reason.REJECTED: codes.REJECTED,
    Reason.NOT_ACCEPTABLE: codes.NOT_POSSIBLE,
    Reason.TOO_LATE: codes.NOT_POSSIBLE,
}


def said(code: int, details: str = "") -> Status:
    """A Status with the text that belongs to its code."""
    return Status(code, codes.meaning(code).text, details[:200])


def refusal(error: SendError) -> Status:
    """What a VASP is told whose submission was refused."""
    fallback = codes.SERVICE_UNAVAILABLE if error.retryable else codes.REJECTED
    return said(_CODES.get(error.reason, fallback), error.detail)


class Told(NamedTuple):
    """The end of a message as a delivery report says it."""

    mm_status: str
    extension: str = ""


_REJECTED: Final = {
    Reason.EXPIRED.value: Told("Expired"),
    Reason.UNSUPPORTED_MEDIA.value: Told("Unrecognised"),
    Reason.TIMEOUT.value: Told("Indeterminate"),
    Reason.DECLINED.value: Told("Rejected", "RejectionByMMSRecipient"),
    Reason.REJECTED.value: Told("Rejected", "RejectionByOtherRS"),
}


def told(notice: Notice) -> Told | None:
    """The MMStatus for what became of a message; None for what MM7 has no word for: that a network took it, or that the
    service took it back, as the CancelRsp told.
    """
    if notice.status is Reached.DELIVERED:
        return Told("Retrieved")
    if notice.status is Reached.UNKNOWN:
        return Told("Indeterminate")
    if notice.cause == Reason.CANCELLED.value:
        return None
    if notice.status is Reached.FAILED:
        return _REJECTED.get(notice.cause, Told("Rejected"))
    return None


_REASONS: Final[Mapping[str, Reason]] = {
    "temporary-failure": Reason.UNREACHABLE,
    "authentication": Reason.AUTHENTICATION,
    "configuration": Reason.NETWORK_DOWN,
    "barred": Reason.BARRED,
    "content": Reason.UNSUPPORTED_MEDIA,
    "invalid-destination": Reason.UNKNOWN_ADDRESS,
    "rejected": Reason.REJECTED,
}
_AGAIN: Final = frozenset({Retry.LATER, Retry.FEW, Retry.ALARM})


def refused(meaning: Meaning, code: str) -> SendError:
    """The error of a request of ours that a VASP answered so."""
    again = meaning.retry in _AGAIN
    detail = "the receiving application has a passing problem" if again else "the receiving application refused"
    return SendError(_REASONS.get(meaning.reason, Reason.REJECTED), retryable=again, detail=detail, code=code)


def unanswered() -> SendError:
    return SendError(
        Reason.TIMEOUT,
        retryable=True,
        detail="the receiving application did not answer; whether it has the message is not known",
    )


def not_reached(why: str = "") -> SendError:
    return SendError(
        Reason.OFFLINE, retryable=True, detail="the receiving application cannot be reached", code=why[:200]
    )


def takes_none() -> SendError:
    return SendError(Reason.OFFLINE, retryable=True, detail="this application takes no messages")


def queue_full() -> SendError:
    return SendError(
        Reason.CONGESTION, retryable=True, retry_after=5.0, detail="too many messages wait for applications"
    )


def too_late() -> SendError:
    return SendError(Reason.CONGESTION, retryable=True, detail="the receiving application did not take it in time")
