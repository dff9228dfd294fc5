"""Errors that answer two questions: may it be retried, and what may the user read?"""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """Why something was refused or failed, in no network's terms. The value is what the trail and the API show."""

    UNKNOWN_ADDRESS = "unknown-address"  # nobody there, in any network: SIP 404
    UNREACHABLE = "unreachable"  # known, not reachable now: SIP 480
    OFFLINE = "offline"  # signed out of that network: SIP 480
    BUSY = "busy"  # SIP 486
    DECLINED = "declined"  # the person said no: SIP 603
    NO_ANSWER = "no-answer"  # rang, nobody answered: SIP 408/480
    LEFT = "left"  # the other side left the session
    BARRED = "barred"  # no right to do this, or blocked by policy: SIP 403
    NO_ROUTE = "no-route"  # no network may or can carry it: SIP 404/480 by cause
    NO_ACCOUNT = "no-account"  # the sender has no account on that network
    TOO_LARGE = "too-large"  # SIP 413
    UNSUPPORTED_MEDIA = "unsupported-media"  # SIP 415
    NOT_ACCEPTABLE = "not-acceptable"  # session terms: SIP 488
    MALFORMED = "malformed"  # SIP 400
    INVALID_SOURCE = "invalid-source"  # the network refused our sender address
    CONGESTION = "congestion"  # throttled or queue full: SIP 503 with Retry-After
    NETWORK_DOWN = "network-down"  # no link to the network: SIP 503
    AUTHENTICATION = "authentication"  # the account was refused by the network
    TIMEOUT = "timeout"  # no response: outcome unknown
    EXPIRED = "expired"  # its validity is over
    UNDELIVERABLE = "undeliverable"  # the network gave up
    REJECTED = "rejected"  # the network or its user refused it
    CANCELLED = "cancelled"  # taken back by its sender
    INTERNAL = "internal"  # our fault
    TOO_LATE = "too-late"  # it has gone too far to be taken back or replaced: SIP 409


class SendError(Exception):
    """A message or session that did not go through.

    :param reason: neutral reason, readable by sender and operator.
    :param retryable: whether the same thing may be tried again (on this or the next network).
    :param detail: one sentence for the user: what happened and what to do; no secrets, no bodies.
    :param retry_after: seconds to wait before the next try, when the network named them.
    :param code: the network's own code or text, for the operator ("SMPP 0x00000058").
    """

    __slots__ = ("code", "detail", "reason", "retry_after", "retryable")

    def __init__(
        self,
        reason: Reason,
        *,
        retryable: bool = False,
        detail: str = "",
        retry_after: float = 0.0,
        code: str = "",
    ) -> None:
        super().__init__(detail or reason.value)
        self.reason = reason
        self.retryable = retryable
        self.detail = detail or reason.value.replace("-", " ")
        self.retry_after = retry_after
        self.code = code

    def __repr__(self) -> str:
        return f"SendError({self.reason.value}, retryable={self.retryable}, detail={self.detail!r}, code={self.code!r})"
