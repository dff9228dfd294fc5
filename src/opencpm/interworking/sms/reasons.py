"""SMPP's errors and receipts in neutral reasons."""

from __future__ import annotations

from collections.abc import Mapping

from opencpm.domain.errors import Reason, SendError
from opencpm.domain.report import Status
from opencpm.protocols.smpp.receipt import Receipt, State
from opencpm.protocols.smpp.status import RMSGQFUL, RTHROTTLED, Retry, status_of

THROTTLING = frozenset({RTHROTTLED, RMSGQFUL})
"""Answers that mean: the same again, later and slower."""

_FEW = 3
_WORDS = 120

# neutral reason of the status table -> ours, and what the sender reads
_REASONS: Mapping[str, tuple[Reason, str]] = {
    "too-long": (Reason.TOO_LARGE, "the SMS network says the message is too long"),
    "protocol-error": (Reason.INTERNAL, "the SMS network did not understand the request"),
    "unsupported": (Reason.NOT_ACCEPTABLE, "the SMS network does not support this"),
    "not-bound": (Reason.NETWORK_DOWN, "the link to the SMS network was not ready"),
    "invalid-request": (Reason.NOT_ACCEPTABLE, "the SMS network refused the request"),
    "temporary-failure": (Reason.UNREACHABLE, "the SMS network has a passing problem"),
    "invalid-source": (Reason.INVALID_SOURCE, "the SMS network refused the sender's number"),
    "invalid-destination": (Reason.UNKNOWN_ADDRESS, "the SMS network does not know this number"),
    "unknown-message": (Reason.NOT_ACCEPTABLE, "the SMS network does not know this message"),
    "authentication": (Reason.AUTHENTICATION, "the SMS network refused our account"),
    "congestion": (Reason.CONGESTION, "the SMS network's queue is full"),
    "throttled": (Reason.CONGESTION, "the SMS network takes no more at present"),
    "permanent-failure": (Reason.UNDELIVERABLE, "the SMS network cannot deliver this"),
    "rejected": (Reason.REJECTED, "the SMS network rejected the message"),
    "barred": (Reason.BARRED, "the SMS network does not allow this"),
}


def refused(status: int, attempt: int = 1, said: str = "") -> SendError:
    """The error of a submit that got this command_status on its ``attempt``-th try (from 1); ``said``: the SMSC's words
    about it (additional_status_info_text).
    """
    known = status_of(status)
    reason, detail = _REASONS.get(known.reason, (Reason.REJECTED, "the SMS network refused the message"))
    retryable = known.retry in (Retry.LATER, Retry.REBIND) or (known.retry is Retry.FEW and attempt < _FEW)
    words = f": {said[:_WORDS]}" if said.isprintable() and said else ""
    return SendError(reason, retryable=retryable, detail=detail, code=f"SMPP 0x{status:08X} {known.name}{words}")


_UNCLEAR = "no answer from the SMS network; whether the message went is not known"


def unanswered() -> SendError:
    """No response: whether the SMSC has it is not known, and a retry may double it."""
    return SendError(Reason.TIMEOUT, retryable=True, detail=_UNCLEAR)


def no_link(detail: str = "") -> SendError:
    return SendError(Reason.NETWORK_DOWN, retryable=True, detail=detail or "no link to the SMS network")


def queue_full() -> SendError:
    return SendError(
        Reason.CONGESTION, retryable=True, retry_after=5.0, detail="too many messages wait for the SMS network"
    )


def too_late() -> SendError:
    return SendError(Reason.CONGESTION, retryable=True, detail="the SMS network did not take it in time")


def expired() -> SendError:
    return SendError(Reason.EXPIRED, detail="its validity was over before it could be sent")


_FAILED: Mapping[State, tuple[Reason, str]] = {
    State.EXPIRED: (Reason.EXPIRED, "the phone was not reached in time"),
    State.DELETED: (Reason.CANCELLED, "the message was deleted in the SMS network"),
    State.UNDELIVERABLE: (Reason.UNDELIVERABLE, "the SMS network could not deliver it to the phone"),
    State.REJECTED: (Reason.REJECTED, "the SMS network rejected the message"),
    State.SKIPPED: (Reason.UNDELIVERABLE, "the SMS network skipped the message"),
}


def status_said(receipt: Receipt) -> tuple[Status, SendError | None]:
    """What a receipt claims. Anything that is not final, or not understood, is pending: nothing is invented."""
    if receipt.state is State.DELIVERED:
        return Status.DELIVERED, None
    failed = None if receipt.state is None else _FAILED.get(receipt.state)
    if failed is None:
        return Status.PENDING, None
    return Status.FAILED, SendError(failed[0], detail=failed[1], code=receipt.detail)
