"""What came from peers, by our message id: to know a repeated transaction, and to send reports where they belong.

Durable before the message itself is handed in (writes are applied in the order of the calls).
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from opencpm.interfaces import KeyedState

log = logging.getLogger("opencpm.mm4")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """``sender`` and the values of ``receivers`` are addresses as they were written, ``mm_id`` the X-Mms-Message-ID;
    ``status`` the X-Mms-Request-Status-Code that was given, empty while none was; ``for_user``: the sender wants
    delivery reports, and not only their centre."""

    at: float
    peer: str
    mm_id: str
    sender: str
    system: str
    status: str = ""
    for_user: bool = True
    receivers: Mapping[str, str] = field(default_factory=dict)  # our address -> theirs


class Ledger:
    def __init__(self, state: KeyedState, name: str, kept: float) -> None:
        self._state, self._room, self._kept = state, f"{name}.received", kept
        self._known: dict[str, float] = {}

    def __len__(self) -> int:
        return len(self._known)

    def load(self, now: float) -> None:
        for ident, value in self._state.all_state(self._room).items():
            row = _row(value)
            self._known[ident] = row.at if row is not None else 0.0
        self.forget(now)

    def get(self, ident: str) -> Row | None:
        if ident not in self._known:
            return None
        value = self._state.get_state(self._room, ident)
        return _row(value) if value else None

    def put(self, ident: str, row: Row) -> None:
        self._known[ident] = row.at
        self._state.put_state(self._room, ident, json.dumps(asdict(row)).encode())

    def drop(self, ident: str) -> None:
        if self._known.pop(ident, None) is not None:
            self._state.put_state(self._room, ident, None)

    def forget(self, now: float) -> None:
        """Drop what is old."""
        for ident in [ident for ident, at in self._known.items() if at < now - self._kept]:
            self.drop(ident)


def _row(value: bytes) -> Row | None:
    try:
        return Row(**json.loads(value))
    except (ValueError, TypeError):
        log.error("what is stored of a message cannot be read and is left alone")
        return None
