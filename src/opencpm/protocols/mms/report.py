"""What became of a message: MMStatus of MM7, X-Mms-MM-Status-Code of MM4 and X-Mms-Status of MM1, as one."""

from __future__ import annotations

from types import MappingProxyType
from typing import NamedTuple


class Outcome(NamedTuple):
    """A delivery status in neutral words."""

    state: str
    """delivered, failed, pending or unknown."""
    final: bool
    reason: str = ""
    """Of a failure: expired, rejected, unsupported or unreachable."""


_PENDING = Outcome("pending", False)
_UNKNOWN = Outcome("unknown", False)

# Forwarded is never final: a live MMSC sends it, repeatedly, once its notification has gone out.
_OUTCOMES = MappingProxyType(
    {
        "retrieved": Outcome("delivered", True),
        "expired": Outcome("failed", True, "expired"),
        "rejected": Outcome("failed", True, "rejected"),
        "unrecognised": Outcome("failed", True, "unsupported"),
        "unrecognized": Outcome("failed", True, "unsupported"),
        "notsupported": Outcome("failed", True, "unsupported"),
        "unreachable": Outcome("failed", False, "unreachable"),
        "deferred": _PENDING,
        "forwarded": _PENDING,
        "indeterminate": _UNKNOWN,
    }
)


def outcome(status: str) -> Outcome:
    """The meaning of a status in any spelling of case; one we do not know is unknown and not final."""
    return _OUTCOMES.get(status.strip().lower().replace("-", ""), _UNKNOWN)


def was_read(status: str) -> bool | None:
    """Of a read status: read, deleted unread, or neither word."""
    word = status.strip().lower()
    return True if word == "read" else False if word.startswith("deleted") else None
