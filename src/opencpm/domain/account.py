"""How a linked account is, in no network's terms."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class AccountState(StrEnum):
    CONNECTED = "connected"
    CONNECTING = "connecting"
    BAD_CREDENTIALS = "bad-credentials"  # not tried again until the user links it anew
    ELSEWHERE = "elsewhere"  # the same account signed in somewhere else; not fought
    DISABLED = "disabled"  # switched off by the user or the operator; the connector is not asked
    UNREACHABLE = "unreachable"  # the service does not answer, or turned us away for now; tried again by itself


SETTLED = frozenset(AccountState) - {AccountState.CONNECTING}
"""States that tell how an attempt to sign in has ended."""


@dataclass(frozen=True, slots=True)
class AccountStatus:
    """``detail``: one sentence for its user, what is wrong and what to do; no secrets. ``since``: epoch seconds."""

    state: AccountState
    detail: str = ""
    since: float = 0.0
