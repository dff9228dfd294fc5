"""What has to be known later of messages whose id alone does not say it: long ones, those to several, those of 3.3.

Durable, a row a message, by the name in its id. Rows are kept as long as a receipt may come.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from typing import NamedTuple

from opencpm.interfaces import KeyedState

log = logging.getLogger("opencpm.access.smpp")

_ROOM = "smpp.ledger"
KEPT = 15 * 86400.0
"""Seconds: longer than any message may live and any receipt may take."""


class Row(NamedTuple):
    """``message_ids``: ours; ``pieces``: the numbers of the segments of which the ESME wants receipts."""

    message_ids: tuple[str, ...]
    pieces: tuple[int, ...]
    at: float


class Ledger:
    def __init__(self, state: KeyedState, now: float) -> None:
        self._state = state
        self._rows: dict[str, Row] = {}
        for name, value in state.all_state(_ROOM).items():
            self._load(name, value)
        self.forget(now)

    def __len__(self) -> int:
        return len(self._rows)

    def get(self, name: str) -> Row | None:
        return self._rows.get(name)

    def add(self, name: str, message_ids: Sequence[str], pieces: Sequence[int], now: float) -> None:
        """Durable before anything that is handed in afterwards. A name that comes again adds to its row."""
        before = self._rows.get(name) or Row((), (), now)
        row = Row((*before.message_ids, *message_ids), tuple(sorted({*before.pieces, *pieces})), now)
        self._rows[name] = row
        value = json.dumps({"ids": row.message_ids, "pieces": row.pieces, "at": now})
        self._state.put_state(_ROOM, name, value.encode())

    def forget(self, now: float) -> None:
        """Drop what is old."""
        for name in [name for name, row in self._rows.items() if row.at < now - KEPT]:
            del self._rows[name]
            self._state.put_state(_ROOM, name, None)

    def _load(self, name: str, value: bytes) -> None:
        try:
            read = json.loads(value)
            row = Row(tuple(map(str, read["ids"])), tuple(map(int, read["pieces"])), float(read["at"]))
        except (ValueError, KeyError, TypeError):
            log.error("a stored message id cannot be read and is dropped: %s", name)
            self._state.put_state(_ROOM, name, None)
            return
        self._rows[name] = row
