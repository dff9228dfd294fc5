"""SIP status codes and the neutral reasons, both ways: the only place where one becomes the other."""

from __future__ import annotations

from typing import Final

from opencpm.domain.errors import Reason, SendError
from opencpm.protocols.sip.message import Message
from opencpm.protocols.sip.status import REASONS, is_passing

STATUS: Final = {
    Reason.UNKNOWN_ADDRESS: 404,
    Reason.UNREACHABLE: 480,
    Reason.OFFLINE: 480,
    Reason.BUSY: 486,
    Reason.DECLINED: 603,
    Reason.NO_ANSWER: 480,
    Reason.LEFT: 480,
    Reason.BARRED: 403,
    Reason.NO_ROUTE: 404,
    Reason.NO_ACCOUNT: 403,
    Reason.TOO_LARGE: 413,
    Reason.UNSUPPORTED_MEDIA: 415,
    Reason.NOT_ACCEPTABLE: 488,
    Reason.MALFORMED: 400,
    Reason.INVALID_SOURCE: 403,
    Reason.CONGESTION: 503,
    Reason.NETWORK_DOWN: 503,
    Reason.AUTHENTICATION: 503,  # our account on a foreign network: never the user's fault
    Reason.TIMEOUT: 504,
    Reason.EXPIRED: 480,
    Reason.UNDELIVERABLE: 480,
    Reason.REJECTED: 403,
    Reason.CANCELLED: 487,
    Reason.TOO_LATE: 409,
    Reason.INTERNAL: 500,
}

ACCEPT: Final = "message/cpim, text/plain, message/imdn+xml, application/im-iscomposing+xml, multipart/mixed"
"""What 415 says we take."""

_FROM_DEVICE: Final = {
    401: Reason.AUTHENTICATION,
    403: Reason.REJECTED,
    404: Reason.UNDELIVERABLE,
    407: Reason.AUTHENTICATION,
    406: Reason.UNSUPPORTED_MEDIA,
    408: Reason.UNREACHABLE,
    410: Reason.UNDELIVERABLE,
    413: Reason.TOO_LARGE,
    415: Reason.UNSUPPORTED_MEDIA,
    433: Reason.BARRED,
    480: Reason.UNREACHABLE,
    486: Reason.BUSY,
    487: Reason.CANCELLED,
    488: Reason.NOT_ACCEPTABLE,
    503: Reason.CONGESTION,
    513: Reason.TOO_LARGE,
    600: Reason.BUSY,
    603: Reason.DECLINED,
    604: Reason.UNDELIVERABLE,
    606: Reason.NOT_ACCEPTABLE,
}


def status_of(error: SendError) -> int:
    """The status towards the sender's device (fact sheet of CPM: errors)."""
    if error.reason is Reason.NO_ROUTE and error.retryable:
        return 480
    return STATUS.get(error.reason, 500)


_OURS: Final = {
    400: Reason.MALFORMED,
    403: Reason.BARRED,
    404: Reason.UNKNOWN_ADDRESS,
    413: Reason.TOO_LARGE,
    415: Reason.UNSUPPORTED_MEDIA,
    416: Reason.UNKNOWN_ADDRESS,
    480: Reason.UNREACHABLE,
    488: Reason.NOT_ACCEPTABLE,
    503: Reason.CONGESTION,
}


def reason_of(status: int) -> Reason:
    """Why we refused with this status, for the trail."""
    return _OURS.get(status, Reason.REJECTED)


def refusal_fields(error: SendError, host: str) -> list[tuple[str, str]]:
    """The headers that go with the refusal: Accept, Retry-After, and a Warning that the user may read."""
    status = status_of(error)
    fields: list[tuple[str, str]] = []
    if status == 415:
        fields.append(("Accept", ACCEPT))
    if status == 503:
        fields.append(("Retry-After", str(max(1, round(error.retry_after or 30)))))
    if error.detail:
        text = " ".join(error.detail.split())[:200].replace("\\", "").replace('"', "'")
        fields.append(("Warning", f'399 {host} "{text}"'))
    return fields


def error_of(status: int, response: Message | None = None) -> SendError:
    """What a device's final failure means. `status` 0: no answer at all."""
    if status == 0:
        return SendError(Reason.UNREACHABLE, retryable=True, detail="The device did not answer.", code="SIP no answer")
    reason = _FROM_DEVICE.get(status)
    if reason is None:
        reason = Reason.UNREACHABLE if is_passing(status) else Reason.REJECTED
    phrase = (response.reason if response is not None else "") or REASONS.get(status, "")
    return SendError(
        reason,
        retryable=is_passing(status),
        detail=f"The device answered: {' '.join(phrase.split())[:80]}." if phrase else "",
        retry_after=_retry_after(response),
        code=f"SIP {status}",
    )


def _retry_after(response: Message | None) -> float:
    value = response.get("retry-after").partition(";")[0].strip() if response is not None else ""
    return float(value) if value.isascii() and value.isdigit() and len(value) < 7 else 0.0
