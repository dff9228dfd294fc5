"""Our verdicts in words of MM1, and what phones answer in neutral ones. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from opencpm.domain.delivery import Notice
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.report import Status
from opencpm.protocols.mm1 import tokens

# X-Mms-Response-Status of MMS 1.0, which every phone knows
OK: Final = 0x80
UNSPECIFIED: Final = 0x81
SERVICE_DENIED: Final = 0x82
FORMAT_CORRUPT: Final = 0x83
ADDRESS_UNRESOLVED: Final = 0x84
MESSAGE_NOT_FOUND: Final = 0x85
NETWORK_PROBLEM: Final = 0x86
CONTENT_NOT_ACCEPTED: Final = 0x87
UNSUPPORTED: Final = 0x88

RETRIEVE_NOT_FOUND: Final = 0xE2
RETRIEVE_DENIED: Final = 0xE1
RETRIEVE_UNSUPPORTED: Final = 0xE3
RETRIEVE_LATER: Final = 0xC0

_RESPONSES: Final[Mapping[Reason, int]] = {
    Reason.UNKNOWN_ADDRESS: ADDRESS_UNRESOLVED,
    Reason.NO_ROUTE: ADDRESS_UNRESOLVED,
    Reason.BARRED: SERVICE_DENIED,
    Reason.REJECTED: SERVICE_DENIED,
    Reason.MALFORMED: FORMAT_CORRUPT,
    Reason.TOO_LARGE: CONTENT_NOT_ACCEPTED,
    Reason.UNSUPPORTED_MEDIA: CONTENT_NOT_ACCEPTED,
}
_STATUSES: Final[Mapping[str, tokens.Status]] = {
    Reason.EXPIRED.value: tokens.Status.EXPIRED,
    Reason.UNSUPPORTED_MEDIA.value: tokens.Status.UNRECOGNISED,
    Reason.NOT_ACCEPTABLE.value: tokens.Status.UNRECOGNISED,
}
_PASSING: Final = frozenset(
    reason.value
    for reason in (
        Reason.EXPIRED,
        Reason.UNREACHABLE,
        Reason.TIMEOUT,
        Reason.CONGESTION,
        Reason.NETWORK_DOWN,
        Reason.UNDELIVERABLE,
        Reason.INTERNAL,
    )
)


def response_status(verdict: SendError | None) -> int:
    """X-Mms-Response-Status for what became of a message that a phone sent."""
    if verdict is None:
        return OK
    return NETWORK_PROBLEM if verdict.retryable else _RESPONSES.get(verdict.reason, UNSPECIFIED)


def delivery_status(notice: Notice) -> tokens.Status:
    """X-Mms-Status for what we tell a phone of its message."""
    if notice.status is Status.FAILED:
        return _STATUSES.get(notice.cause, tokens.Status.REJECTED)
    return tokens.Status.RETRIEVED


def passing(notice: Notice) -> bool:
    """Whether a notification that did not arrive may do so later: the phone was off, or its network in trouble."""
    return notice.cause in _PASSING


def not_fetched() -> SendError:
    return SendError(Reason.EXPIRED, detail="the phone did not fetch the message in time")


def refused() -> SendError:
    return SendError(Reason.REJECTED, detail="the phone or its owner refused the message")


def not_understood() -> SendError:
    return SendError(Reason.UNSUPPORTED_MEDIA, detail="the phone does not understand MMS notifications")


def not_notified(notice: Notice) -> SendError:
    """The phone could not be told that a message waits for it."""
    reason = Reason(notice.cause) if notice.cause in {one.value for one in Reason} else Reason.UNDELIVERABLE
    return SendError(reason, detail=f"the phone could not be notified: {notice.reason or reason.value}"[:200])


def not_ours(number: str) -> SendError:
    return SendError(Reason.NO_ROUTE, detail=f"{number} is no phone of this MMS centre")


def too_many() -> SendError:
    return SendError(
        Reason.CONGESTION, retryable=True, retry_after=60.0, detail="too many messages wait to be fetched by phones"
    )


def expired() -> SendError:
    return SendError(Reason.EXPIRED, detail="its validity was over before it could be sent")
