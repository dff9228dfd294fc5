"""What Yahoo's refusals mean, in no network's terms."""

from __future__ import annotations

from opencpm.domain.errors import Reason, SendError
from opencpm.domain.profile import Availability, Reach

_LIST_FULL = 6
_NOBODY = 3
_HOLDS_ALREADY = frozenset({0, 2})


def listed(verb: str, who: str, code: int) -> SendError | None:
    """Key 66 of the answer to a change of the list; None: it is so now."""
    if code in _HOLDS_ALREADY:
        return None
    if code == _NOBODY:
        return unknown(who, f"YMSG 66={code}")
    detail = "the list is full" if code == _LIST_FULL else f"the service refused it (code {code})"
    return SendError(
        Reason.REJECTED,
        detail=f"{who} could not be changed on the Yahoo list ({verb}): {detail}.",
        code=f"YMSG 66={code}",
    )


def unknown(who: str, code: str = "") -> SendError:
    """There is no such id."""
    return SendError(Reason.UNKNOWN_ADDRESS, detail=f"There is no {who} on Yahoo.", code=code)


def not_listed(why: str) -> SendError:
    """The list could not be changed now."""
    return SendError(Reason.UNDELIVERABLE, retryable=True, detail=f"The list on Yahoo could not be changed: {why}.")


def offline(who: str) -> SendError:
    """They are not signed in (or do not want to be seen)."""
    return SendError(Reason.OFFLINE, retryable=True, detail=f"{who} is not online on Yahoo.")


def unseen(who: str) -> SendError:
    """Nobody knows whether they are there."""
    detail = f"{who} is not on your Yahoo list, so nobody knows whether they are online; send a message instead."
    return SendError(Reason.UNREACHABLE, retryable=True, detail=detail)


def busy(who: str) -> SendError:
    """The person shows that they do not want to be disturbed."""
    return SendError(Reason.BUSY, detail=f"{who} is busy on Yahoo; send a message instead.", code="YMSG 10=2")


def unsure(why: str) -> SendError:
    """Written, and no sign that the server has read it."""
    return SendError(Reason.TIMEOUT, retryable=True, detail=f"Yahoo did not show that it has the message: {why}.")


def late() -> SendError:
    """Its time ran out while it waited for its turn."""
    return SendError(Reason.TIMEOUT, retryable=True, detail="Yahoo did not take the message in time.")


def down(why: str) -> SendError:
    """No connection to the service."""
    return SendError(Reason.NETWORK_DOWN, retryable=True, detail=f"Yahoo cannot be reached now: {why}.")


def no_account(address: str) -> SendError:
    """Nobody of ours has this account."""
    return SendError(Reason.NO_ACCOUNT, detail=f"{address} is not linked; link it to use Yahoo.")


def wrong_password(address: str) -> SendError:
    """The service refused the account."""
    return SendError(Reason.AUTHENTICATION, detail=f"Yahoo refused {address}; link the account again.")


def elsewhere(address: str) -> SendError:
    """The person uses the account with another program."""
    return SendError(Reason.UNREACHABLE, detail=f"{address} is signed in to Yahoo elsewhere.", code="YMSG 02 status -1")


def no_dispositions() -> SendError:
    """Yahoo cannot carry word of what became of a message."""
    return SendError(Reason.NOT_ACCEPTABLE, detail="Yahoo carries no notifications about messages.")


NO_ACCOUNT_REACH = Reach(Availability.UNKNOWN, detail="no account linked")
