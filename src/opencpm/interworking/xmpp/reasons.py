"""What XMPP's errors mean, in no network's terms, and back (RFC 6120 §8.3.3, RFC 7247 §7)."""

from __future__ import annotations

from opencpm.domain.errors import Reason, SendError
from opencpm.protocols.xmpp.stanza_error import StanzaError

# condition -> reason, whether it may be tried again, and what the sender reads ({0}: whom they wrote to)
_MEANINGS: dict[str, tuple[Reason, bool, str]] = {
    "bad-request": (Reason.INTERNAL, False, "The XMPP server did not understand the message."),
    "conflict": (Reason.REJECTED, False, "{0} refused the message."),
    "feature-not-implemented": (Reason.NOT_ACCEPTABLE, False, "{0} cannot take such a message."),
    "forbidden": (Reason.BARRED, False, "{0} does not take messages from you."),
    "gone": (Reason.UNKNOWN_ADDRESS, False, "{0} has moved or is gone."),
    "internal-server-error": (Reason.UNDELIVERABLE, True, "The XMPP server of {0} has a problem."),
    "item-not-found": (Reason.UNKNOWN_ADDRESS, False, "There is no {0} on XMPP."),
    "jid-malformed": (Reason.UNKNOWN_ADDRESS, False, "{0} is no address on XMPP."),
    "not-acceptable": (Reason.NOT_ACCEPTABLE, False, "{0} does not accept such a message."),
    "not-allowed": (Reason.BARRED, False, "The XMPP server does not allow messages to {0}."),
    "not-authorized": (Reason.AUTHENTICATION, False, "The XMPP server wants to know who you are first."),
    "payment-required": (Reason.BARRED, False, "The XMPP server wants to be paid for messages to {0}."),
    "policy-violation": (Reason.BARRED, False, "The message is against the policy of the XMPP server."),
    "recipient-unavailable": (Reason.OFFLINE, False, "{0} is not online on XMPP."),
    "redirect": (Reason.UNKNOWN_ADDRESS, False, "{0} has another address now."),
    "registration-required": (Reason.BARRED, False, "{0} takes messages from members only."),
    "remote-server-not-found": (Reason.UNKNOWN_ADDRESS, False, "There is no XMPP server for {0}."),
    "remote-server-timeout": (Reason.UNDELIVERABLE, True, "The XMPP server of {0} does not answer."),
    "resource-constraint": (Reason.CONGESTION, True, "The XMPP server of {0} is busy; try again later."),
    # Servers say this of users who are away, of those they do not know and of those who blocked the sender alike.
    "service-unavailable": (Reason.UNREACHABLE, False, "{0} cannot be reached on XMPP: no such user, or away."),
    "subscription-required": (Reason.BARRED, False, "{0} takes messages from contacts only."),
    "undefined-condition": (Reason.UNDELIVERABLE, False, "XMPP could not deliver the message."),
    "unexpected-request": (Reason.REJECTED, True, "The XMPP server did not expect this now."),
}

_CONDITIONS: dict[Reason, str] = {
    Reason.UNKNOWN_ADDRESS: "item-not-found",
    Reason.UNREACHABLE: "recipient-unavailable",
    Reason.OFFLINE: "recipient-unavailable",
    Reason.BUSY: "recipient-unavailable",
    Reason.DECLINED: "forbidden",
    Reason.NO_ANSWER: "recipient-unavailable",
    Reason.LEFT: "recipient-unavailable",
    Reason.BARRED: "forbidden",
    Reason.NO_ROUTE: "item-not-found",
    Reason.NO_ACCOUNT: "registration-required",
    Reason.TOO_LARGE: "policy-violation",
    Reason.UNSUPPORTED_MEDIA: "not-acceptable",
    Reason.NOT_ACCEPTABLE: "not-acceptable",
    Reason.MALFORMED: "bad-request",
    Reason.INVALID_SOURCE: "jid-malformed",
    Reason.CONGESTION: "resource-constraint",
    Reason.NETWORK_DOWN: "remote-server-timeout",
    Reason.AUTHENTICATION: "not-authorized",
    Reason.TIMEOUT: "remote-server-timeout",
    Reason.EXPIRED: "recipient-unavailable",
    Reason.UNDELIVERABLE: "service-unavailable",
    Reason.REJECTED: "not-acceptable",
    Reason.CANCELLED: "undefined-condition",
    Reason.TOO_LATE: "undefined-condition",
    Reason.INTERNAL: "internal-server-error",
}


def refused(error: StanzaError, who: str) -> SendError:
    """What an error stanza about a message to ``who`` (a bare address) means.

    The type "wait" says that it may be tried again; for what is never temporary it is not believed.
    """
    reason, retryable, detail = _MEANINGS.get(error.condition, _MEANINGS["undefined-condition"])
    again = retryable if error.type in ("", "cancel") else error.temporary and reason in _PASSING
    return SendError(
        reason,
        retryable=again,
        detail=detail.format(who),
        code=f"XMPP {error.type} {error.condition}" + (f": {error.text[:200]}" if error.text else ""),
    )


_PASSING = frozenset(
    {Reason.UNDELIVERABLE, Reason.CONGESTION, Reason.OFFLINE, Reason.UNREACHABLE, Reason.REJECTED, Reason.INTERNAL}
)


def told(error: SendError) -> StanzaError:
    """The error that an XMPP user gets for what was not taken."""
    condition = _CONDITIONS[error.reason]
    return StanzaError(condition, "wait" if error.retryable else "", error.detail)


def failed_later(cause: str, reason: str) -> StanzaError:
    """For a message that was taken and could not be delivered in the end. ``cause``: a Reason value, or nothing;
    ``reason``: what people may read. It is final, so it never says "wait"."""
    condition = _CONDITIONS[Reason(cause)] if cause in _VALUES else "service-unavailable"
    return StanzaError(condition, "cancel", reason or "the message could not be delivered")


_VALUES = frozenset(Reason)


def no_link(detail: str = "") -> SendError:
    return SendError(Reason.NETWORK_DOWN, retryable=True, detail=detail or "no link to the XMPP server")


def lost() -> SendError:
    """No confirmation: whether the server has it is not known, and a retry may double it (with the same id)."""
    detail = "the link to the XMPP server broke; whether the message went is not known"
    return SendError(Reason.TIMEOUT, retryable=True, detail=detail)


def queue_full() -> SendError:
    detail = "too many messages wait for the XMPP server"
    return SendError(Reason.CONGESTION, retryable=True, retry_after=5.0, detail=detail)


def expired() -> SendError:
    return SendError(Reason.EXPIRED, detail="its validity was over before it could be sent")


def no_address(who: str) -> SendError:
    return SendError(Reason.UNKNOWN_ADDRESS, detail=f"{who} is no address on XMPP")


def is_room(who: str) -> SendError:
    return SendError(Reason.NOT_ACCEPTABLE, detail=f"{who} is a room; ask it for a session to join it.")


def no_source(who: str) -> SendError:
    return SendError(Reason.INVALID_SOURCE, detail=f"{who} cannot be shown as a sender on XMPP")
