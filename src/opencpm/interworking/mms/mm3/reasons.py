"""What relays and mail systems say, in neutral reasons, and ours in theirs. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from opencpm.domain.delivery import Notice
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.report import Status
from opencpm.protocols.mail.reports import DsnRecipient
from opencpm.transport.smtp_sender import HostLost, MailRefused

_STATUSES: Final[Mapping[str, str]] = {
    Reason.EXPIRED.value: "5.4.7",
    Reason.UNSUPPORTED_MEDIA.value: "5.6.1",
    Reason.NOT_ACCEPTABLE.value: "5.6.1",
    Reason.TOO_LARGE.value: "5.2.3",
    Reason.UNKNOWN_ADDRESS.value: "5.1.1",
    Reason.BARRED.value: "5.7.1",
    Reason.REJECTED.value: "5.7.1",
}
_TOO_LARGE: Final = (552, 523)


def refused(error: MailRefused) -> SendError:
    """The error of an SMTP reply."""
    said = f"SMTP {error.code} {error.text}"[:160]
    if error.retryable:
        return SendError(
            Reason.CONGESTION, retryable=True, detail="the mail system takes no mail at present", code=said
        )
    if error.code in _TOO_LARGE:
        return SendError(Reason.TOO_LARGE, detail="the message is larger than the mail system takes", code=said)
    if error.stage == "connect" or error.code in (530, 535):
        detail = "the mail system does not let us in"
        return SendError(Reason.AUTHENTICATION, retryable=True, detail=detail, code=said)
    if error.stage == "rcpt":
        return SendError(Reason.UNKNOWN_ADDRESS, detail="there is no such mailbox", code=said)
    return SendError(Reason.REJECTED, detail="the mail system refused the message", code=said)


def lost(error: HostLost) -> SendError:
    if error.doubtful:
        detail = "no answer from the mail system; whether the message went is not known"
        return SendError(Reason.TIMEOUT, retryable=True, detail=detail, code=str(error)[:160])
    detail = "the mail system cannot be reached"
    return SendError(Reason.NETWORK_DOWN, retryable=True, detail=detail, code=str(error)[:160])


def said(about: DsnRecipient) -> tuple[Status, SendError | None]:
    """The claim of a delivery report: relayed and expanded are no delivery, nobody will say more."""
    if about.action == "delivered":
        return Status.DELIVERED, None
    if about.action != "failed":
        return Status.PENDING, None
    return Status.FAILED, _failed(about)


def _failed(about: DsnRecipient) -> SendError:
    code = f"DSN {about.status} {about.diagnostic}".strip()[:160]
    subject = about.status[2:]
    if subject.startswith("1.") or subject == "2.1":
        return SendError(Reason.UNKNOWN_ADDRESS, detail="there is no such mailbox", code=code)
    if subject in ("2.3", "3.4"):
        return SendError(Reason.TOO_LARGE, detail="the message is larger than the mailbox takes", code=code)
    if subject == "4.7":
        return SendError(Reason.EXPIRED, detail="the mailbox was not reached in time", code=code)
    if subject.startswith("6."):
        return SendError(Reason.UNSUPPORTED_MEDIA, detail="the mail system does not take this content", code=code)
    if subject.startswith("7."):
        return SendError(Reason.REJECTED, detail="the mail system refused the message", code=code)
    return SendError(Reason.UNDELIVERABLE, detail="the mail could not be delivered", code=code)


def action(notice: Notice) -> tuple[str, str]:
    """Action and status of a delivery report of ours."""
    if notice.status is Status.FAILED:
        return "failed", _STATUSES.get(notice.cause, "5.0.0")
    return "delivered", "2.1.5"


def reply(error: SendError) -> str:
    """The SMTP reply for a mail that was not taken."""
    if error.retryable:
        return f"451 4.3.0 {error.reason.value}"
    return f"550 {_STATUSES.get(error.reason.value, '5.7.0')} {error.reason.value}"
