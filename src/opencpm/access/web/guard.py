"""Event streams are opened by one-time tickets."""

from __future__ import annotations

from collections import OrderedDict
from hashlib import sha256

_MOST = 10_000  # tickets at once


class Tickets:
    """One-time, short-lived keys for what cannot send an Authorization header (an EventSource). Kept as hashes."""

    LIFE = 30.0  # seconds

    __slots__ = ("_owners",)

    def __init__(self) -> None:
        self._owners: OrderedDict[bytes, tuple[str, float]] = OrderedDict()

    def issue(self, ticket: str, owner: str, now: float) -> None:
        self._owners[_hash(ticket)] = (owner, now + self.LIFE)
        if len(self._owners) > _MOST:
            self._owners.popitem(last=False)

    def take(self, ticket: str, now: float) -> str | None:
        """Whose ticket this is; it is used up."""
        owner, until = self._owners.pop(_hash(ticket), ("", 0.0))
        return owner if owner and now < until else None


def _hash(ticket: str) -> bytes:
    return sha256(ticket.encode("utf-8", "surrogatepass")).digest()
