"""The numbered errors of MSNP and what each means for a retry.

The table is the protocol's own: which words a person reads is decided by the interworking function.
"""

from enum import Enum
from typing import NamedTuple


class MsnpError(ValueError):
    """Octets, a field or a call that MSNP does not allow; the only error the package raises."""


class Kind(Enum):
    """What an error number means to the one who caused it."""

    SUCCESS = "success"  # the wanted state already holds
    NOT_FOUND = "not-found"
    OFFLINE = "offline"
    BUSY = "busy"
    AUTHENTICATION = "authentication"
    PERMANENT = "permanent"
    TEMPORARY = "temporary"


class Trouble(NamedTuple):
    """One error number explained. `retry_after` is in seconds, 0 where waiting is the caller's choice."""

    code: int
    kind: Kind
    text: str
    retry_after: float = 0.0

    @property
    def retryable(self) -> bool:
        """True where the same command may succeed later without anybody changing anything."""
        return self.kind in _RETRYABLE


_RETRYABLE = frozenset({Kind.OFFLINE, Kind.BUSY, Kind.TEMPORARY})

_KNOWN: dict[int, tuple[Kind, str, float]] = {
    200: (Kind.PERMANENT, "syntax error", 0),
    201: (Kind.PERMANENT, "invalid parameter", 0),
    204: (Kind.PERMANENT, "invalid network id", 0),
    205: (Kind.NOT_FOUND, "invalid user", 0),
    206: (Kind.NOT_FOUND, "domain missing", 0),
    207: (Kind.PERMANENT, "already logged in", 0),
    208: (Kind.NOT_FOUND, "invalid user name", 0),
    209: (Kind.PERMANENT, "invalid friendly name or unverified account", 0),
    210: (Kind.PERMANENT, "contact list full", 0),
    215: (Kind.SUCCESS, "already there", 0),
    216: (Kind.PERMANENT, "not on the list, or blocked", 0),
    217: (Kind.OFFLINE, "not online, unknown or blocking", 0),
    218: (Kind.SUCCESS, "already in that mode", 0),
    219: (Kind.PERMANENT, "in the opposite list", 0),
    280: (Kind.TEMPORARY, "switchboard failed", 0),
    281: (Kind.TEMPORARY, "transfer to the switchboard failed", 0),
    282: (Kind.PERMANENT, "bad peer-to-peer message", 0),
    300: (Kind.PERMANENT, "required field missing", 0),
    302: (Kind.TEMPORARY, "not logged in", 0),
    402: (Kind.TEMPORARY, "contact list unavailable", 0),
    403: (Kind.TEMPORARY, "contact list error", 0),
    502: (Kind.PERMANENT, "command disabled", 0),
    540: (Kind.AUTHENTICATION, "challenge response failed", 0),
    600: (Kind.BUSY, "server busy", 60),
    601: (Kind.BUSY, "server unavailable", 60),
    605: (Kind.BUSY, "server unavailable", 60),
    713: (Kind.BUSY, "too many invitations", 60),
    714: (Kind.BUSY, "too many sessions", 60),
    715: (Kind.PERMANENT, "not expected, or unverified account", 0),
    717: (Kind.PERMANENT, "bad contact file", 0),
    731: (Kind.PERMANENT, "not expected", 0),
    800: (Kind.BUSY, "changing too fast", 60),
    911: (Kind.AUTHENTICATION, "authentication failed", 0),
    913: (Kind.PERMANENT, "not allowed while hidden", 0),
    917: (Kind.AUTHENTICATION, "authentication failed", 0),
    923: (Kind.AUTHENTICATION, "child account without consent", 0),
    924: (Kind.AUTHENTICATION, "account not verified", 0),
    927: (Kind.AUTHENTICATION, "account suspended", 0),
    928: (Kind.AUTHENTICATION, "bad ticket", 0),
}

# Whole ranges, read when a number is not listed by itself.
_RANGES: tuple[tuple[range, Kind, str, float], ...] = (
    (range(200, 300), Kind.PERMANENT, "request refused", 0),
    (range(500, 530), Kind.TEMPORARY, "server error", 0),
    (range(600, 607), Kind.TEMPORARY, "server going down", 60),
    (range(700, 713), Kind.TEMPORARY, "service error", 0),
    (range(910, 923), Kind.BUSY, "server too busy", 60),
)


def trouble(code: int) -> Trouble:
    """Explain an error number (0..999); an unknown one counts as temporary, for it proves nothing."""
    if code in _KNOWN:
        kind, text, wait = _KNOWN[code]
        return Trouble(code, kind, text, wait)
    for numbers, kind, text, wait in _RANGES:
        if code in numbers:
            return Trouble(code, kind, text, wait)
    return Trouble(code, Kind.TEMPORARY, "unknown error", 0)
