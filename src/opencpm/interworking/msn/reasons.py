"""What MSN's errors mean, in no network's terms."""

from __future__ import annotations

from opencpm.domain.errors import Reason, SendError
from opencpm.domain.profile import Availability, Reach
from opencpm.protocols.msnp.errors import Kind, Trouble

_REASONS = {
    Kind.SUCCESS: Reason.INTERNAL,
    Kind.NOT_FOUND: Reason.UNKNOWN_ADDRESS,
    Kind.OFFLINE: Reason.OFFLINE,
    Kind.BUSY: Reason.CONGESTION,
    Kind.AUTHENTICATION: Reason.AUTHENTICATION,
    Kind.PERMANENT: Reason.REJECTED,
    Kind.TEMPORARY: Reason.UNDELIVERABLE,
}
_HIDDEN = 913


def refused(trouble: Trouble, who: str) -> SendError:
    """An error number about `who`."""
    if trouble.code == _HIDDEN:
        return hidden()
    detail = {
        Kind.NOT_FOUND: f"There is no {who} on MSN.",
        Kind.OFFLINE: f"{who} is not online on MSN (or has blocked you).",
        Kind.BUSY: "MSN is too busy now; try again in a minute.",
        Kind.AUTHENTICATION: "MSN refused the account; check its password.",
    }.get(trouble.kind, f"MSN refused: {trouble.text}.")
    return SendError(
        _REASONS[trouble.kind],
        retryable=trouble.retryable,
        detail=detail,
        retry_after=trouble.retry_after,
        code=f"MSNP {trouble.code}",
    )


def unknown(who: str, code: str = "") -> SendError:
    """The service knows no such account; `code` is its own word for that."""
    return SendError(Reason.UNKNOWN_ADDRESS, detail=f"There is no {who} on MSN.", code=code)


def not_listed(why: str) -> SendError:
    """The contact list could not be changed."""
    return SendError(
        Reason.UNDELIVERABLE, retryable=True, detail=f"The contact list on MSN could not be changed: {why}."
    )


def hidden() -> SendError:
    """Who appears offline cannot invite anybody."""
    detail = "You appear offline on MSN; show yourself to write to people who are online there."
    return SendError(Reason.REJECTED, detail=detail, code="MSNP 913")


def not_kept(why: str, retryable: bool, code: str = "") -> SendError:
    """The service did not keep a message for somebody who is offline."""
    detail = f"MSN did not keep the message for later: {why}."
    return SendError(
        Reason.UNDELIVERABLE if retryable else Reason.REJECTED, retryable=retryable, detail=detail, code=code
    )


def busy(who: str, status: str) -> SendError:
    """The person shows that they do not want to be disturbed."""
    detail = f"{who} is busy on MSN; send a message instead."
    return SendError(Reason.BUSY, detail=detail, code=f"MSNP status {status}")


def no_answer(who: str, rang: bool) -> SendError:
    """Invited, and did not come."""
    detail = f"{who} did not answer on MSN." if rang else "MSN did not answer the invitation."
    return SendError(Reason.NO_ANSWER if rang else Reason.TIMEOUT, retryable=True, detail=detail)


def declined(who: str) -> SendError:
    """Came and went at once: MSN's way to say no."""
    return SendError(Reason.DECLINED, detail=f"{who} closed the conversation at once.")


def lost(cause: str) -> SendError:
    """No ACK. Whether the message arrived is not known, unless the service said NAK."""
    if "NAK" in cause:
        return SendError(Reason.UNDELIVERABLE, retryable=True, detail="MSN could not deliver the message.", code="NAK")
    return SendError(Reason.TIMEOUT, retryable=True, detail=f"MSN did not confirm the message: {cause}.")


def down(why: str) -> SendError:
    """No connection to the service."""
    return SendError(Reason.NETWORK_DOWN, retryable=True, detail=f"MSN cannot be reached now: {why}.")


def no_account(address: str) -> SendError:
    """Nobody of ours has this account."""
    return SendError(Reason.NO_ACCOUNT, detail=f"{address} is not linked; link it to use MSN.")


def wrong_password(address: str) -> SendError:
    """The service refused the account's password."""
    return SendError(Reason.AUTHENTICATION, detail=f"MSN refused the password of {address}; link the account again.")


def elsewhere(address: str) -> SendError:
    """The person uses the account with another program."""
    return SendError(Reason.UNREACHABLE, detail=f"{address} is signed in to MSN elsewhere.", code="OUT OTH")


def no_dispositions() -> SendError:
    """MSN cannot tell that a message was delivered or displayed."""
    return SendError(Reason.NOT_ACCEPTABLE, detail="MSN carries no notifications about messages.")


NO_ACCOUNT_REACH = Reach(Availability.UNKNOWN, detail="no account linked")
