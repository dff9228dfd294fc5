"""StatusCodes of MM7 and troubles of HTTP in neutral reasons, both ways."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from opencpm.domain.errors import Reason, SendError
from opencpm.protocols.mm7 import status as codes
from opencpm.protocols.mm7.status import Meaning, Retry
from opencpm.protocols.mm7.values import Status

_REASONS: Final[Mapping[str, tuple[Reason, str]]] = {
    "temporary-failure": (Reason.UNREACHABLE, "the MMS network has a passing problem"),
    "authentication": (Reason.AUTHENTICATION, "the MMS network refused our account"),
    "configuration": (Reason.NETWORK_DOWN, "the MMS network is not found where the operator said it is"),
    "barred": (Reason.BARRED, "the MMS network does not allow this"),
    "content": (Reason.UNSUPPORTED_MEDIA, "the MMS network does not take this content"),
    "invalid-destination": (Reason.UNKNOWN_ADDRESS, "the MMS network does not know this number"),
    "invalid-request": (Reason.NOT_ACCEPTABLE, "the MMS network refused the request"),
    "rejected": (Reason.REJECTED, "the MMS network refused the message"),
    "unknown-message": (Reason.NOT_ACCEPTABLE, "the MMS network does not know the message that this one answers"),
    "unsupported": (Reason.NOT_ACCEPTABLE, "the MMS network does not support this"),
}
_AGAIN: Final = frozenset({Retry.LATER, Retry.FEW, Retry.ALARM})
_FEW: Final = 3


def refused(meaning: Meaning, attempt: int, code: str, retry_after: float = 0.0) -> SendError:
    """The error of a submission that got this answer. What may be tried a few times is final at the third attempt."""
    reason, detail = _REASONS.get(meaning.reason, (Reason.REJECTED, "the MMS network refused the message"))
    again = meaning.retry in _AGAIN and not (meaning.retry is Retry.FEW and attempt >= _FEW)
    return SendError(reason, retryable=again, detail=detail, code=code, retry_after=retry_after)


def no_connection(why: str) -> SendError:
    return SendError(Reason.NETWORK_DOWN, retryable=True, detail="no connection to the MMS network", code=why[:200])


def unanswered(last: bool) -> SendError:
    """No answer: whether the centre has it is not known. It is repeated once; peers seldom notice a repetition."""
    detail = "no answer from the MMS network; whether the message went is not known"
    return SendError(Reason.TIMEOUT, retryable=not last, detail=detail)


def queue_full() -> SendError:
    detail = "too many messages wait for the MMS network"
    return SendError(Reason.CONGESTION, retryable=True, retry_after=5.0, detail=detail)


def too_late() -> SendError:
    return SendError(Reason.CONGESTION, retryable=True, detail="the MMS network did not take it in time")


def expired() -> SendError:
    return SendError(Reason.EXPIRED, detail="its validity was over before it could be sent")


_VERDICTS: Final[Mapping[Reason, int]] = {
    Reason.UNKNOWN_ADDRESS: codes.ADDRESS_NOT_FOUND,
    Reason.NO_ROUTE: codes.ADDRESS_NOT_FOUND,
    Reason.BARRED: codes.OPERATION_RESTRICTED,
    Reason.TOO_LARGE: codes.CONTENT_REFUSED,
    Reason.UNSUPPORTED_MEDIA: codes.CONTENT_REFUSED,
    Reason.MALFORMED: codes.FORMAT_CORRUPT,
}


def verdict(error: SendError | None) -> Status:
    """What the centre is told about a message it brought. Only trouble of ours asks it to come again."""
    if error is None:
        return said(codes.SUCCESS)
    if error.retryable:
        return said(codes.SERVICE_UNAVAILABLE, error.detail)
    return said(_VERDICTS.get(error.reason, codes.REJECTED), error.detail)


def said(code: int, details: str = "") -> Status:
    """A Status with the text that belongs to its code."""
    return Status(code, codes.meaning(code).text, details[:200])
