"""What peers and mail servers say, in neutral reasons, and our verdicts in their words. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from opencpm.domain.delivery import Notice
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.report import Status
from opencpm.protocols.mail.reports import DsnRecipient
from opencpm.protocols.mm4 import status as codes
from opencpm.transport.smtp_sender import HostLost, MailRefused

# neutral reason of the codec's table -> ours, and what the sender reads
_REFUSED: Final[Mapping[str, tuple[Reason, str]]] = {
    "temporary-failure": (Reason.UNREACHABLE, "the other MMS network has a passing problem"),
    "barred": (Reason.BARRED, "the other MMS network does not allow this"),
    "invalid-request": (Reason.NOT_ACCEPTABLE, "the other MMS network did not understand the message"),
    "invalid-destination": (Reason.UNKNOWN_ADDRESS, "the other MMS network does not know this number"),
    "content": (Reason.UNSUPPORTED_MEDIA, "the other MMS network does not take this content"),
    "unknown-message": (Reason.NOT_ACCEPTABLE, "the other MMS network does not know the message"),
    "unsupported": (Reason.NOT_ACCEPTABLE, "the other MMS network does not support this"),
    "rejected": (Reason.REJECTED, "the other MMS network refused the message"),
}
_CODES: Final[Mapping[Reason, str]] = {
    Reason.UNKNOWN_ADDRESS: codes.ADDRESS_UNRESOLVED,
    Reason.NO_ROUTE: codes.ADDRESS_UNRESOLVED,
    Reason.BARRED: codes.SERVICE_DENIED,
    Reason.REJECTED: codes.SERVICE_DENIED,
    Reason.MALFORMED: codes.FORMAT_CORRUPT,
    Reason.TOO_LARGE: codes.CONTENT_NOT_ACCEPTED,
    Reason.UNSUPPORTED_MEDIA: codes.CONTENT_NOT_ACCEPTED,
}
_MM_STATUS: Final[Mapping[str, str]] = {
    Reason.EXPIRED.value: "Expired",
    Reason.UNSUPPORTED_MEDIA.value: "Unrecognised",
    Reason.NOT_ACCEPTABLE.value: "Unrecognised",
}
_TOO_LARGE: Final = (552, 523)


def refused(code: str, text: str = "") -> SendError | None:
    """The error of an X-Mms-Request-Status-Code; None: Ok."""
    known = codes.meaning(code)
    if known.reason == "accepted":
        return None
    reason, detail = _REFUSED.get(known.reason, _REFUSED["rejected"])
    return SendError(reason, retryable=known.retryable, detail=detail, code=f"MM4 {code[:60]} {text[:60]}".strip())


def mail_refused(error: MailRefused) -> SendError:
    """The error of an SMTP reply: by its code, and by where it came (RCPT: the number is not known there)."""
    said = f"SMTP {error.code} {error.text}"[:160]
    if error.retryable:
        detail = "the other MMS network takes no mail at present"
        return SendError(Reason.CONGESTION, retryable=True, detail=detail, code=said)
    if error.code in _TOO_LARGE:
        detail = "the message is larger than the other MMS network takes"
        return SendError(Reason.TOO_LARGE, detail=detail, code=said)
    if error.stage == "connect" or error.code in (530, 535):
        detail = "the other MMS network does not let us in"
        return SendError(Reason.AUTHENTICATION, retryable=True, detail=detail, code=said)
    if error.stage == "rcpt":
        detail = "the other MMS network does not know this number"
        return SendError(Reason.UNKNOWN_ADDRESS, detail=detail, code=said)
    return SendError(Reason.REJECTED, detail="the other MMS network refused the mail", code=said)


def host_lost(error: HostLost) -> SendError:
    if error.doubtful:
        detail = "no answer from the other MMS network; whether the message went is not known"
        return SendError(Reason.TIMEOUT, retryable=True, detail=detail, code=str(error)[:160])
    detail = "the other MMS network cannot be reached"
    return SendError(Reason.NETWORK_DOWN, retryable=True, detail=detail, code=str(error)[:160])


def bounced(about: DsnRecipient) -> tuple[Status, SendError | None]:
    """What a delivery report of a mail server means: only a failure is a claim about the message itself."""
    if about.action != "failed":
        return Status.PENDING, None
    code = f"DSN {about.status} {about.diagnostic}".strip()[:160]
    if about.status.startswith(("5.1.", "5.2.1")):
        detail = "the other MMS network does not know this number"
        return Status.FAILED, SendError(Reason.UNKNOWN_ADDRESS, detail=detail, code=code)
    if about.status in ("5.2.3", "5.3.4"):
        detail = "the message is larger than the other MMS network takes"
        return Status.FAILED, SendError(Reason.TOO_LARGE, detail=detail, code=code)
    if about.status.endswith(".4.7"):
        detail = "the other MMS network was not reached in time"
        return Status.FAILED, SendError(Reason.EXPIRED, detail=detail, code=code)
    detail = "the mail to the other MMS network came back"
    return Status.FAILED, SendError(Reason.UNDELIVERABLE, detail=detail, code=code)


def request_status(verdict: SendError | None) -> str:
    """X-Mms-Request-Status-Code for what became of a message here."""
    if verdict is None:
        return codes.OK
    if verdict.retryable:
        return codes.NETWORK_PROBLEM
    return _CODES.get(verdict.reason, codes.UNSPECIFIED)


def mm_status(notice: Notice) -> str:
    """X-Mms-MM-Status-Code for what we tell of a message."""
    if notice.status in (Status.DELIVERED, Status.DISPLAYED):
        return "Retrieved"
    if notice.status is Status.FAILED:
        return _MM_STATUS.get(notice.cause, "Rejected")
    return "Indeterminate"
