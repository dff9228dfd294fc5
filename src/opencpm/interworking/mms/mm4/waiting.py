"""Requests that a mail server took and no RES has answered yet, durable: sent again with the same Transaction-ID."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace

from opencpm.interfaces import KeyedState

log = logging.getLogger("opencpm.mm4")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """``reference`` is the key by which reports name the message; empty for a report of ours. ``sent`` mails so far."""

    transaction: str
    peer: str
    recipient: str
    reference: str
    due: float
    sent: int = 1


class Waiting:
    """By peer and transaction. The mails themselves are read from the store only when they go again."""

    def __init__(self, state: KeyedState, name: str) -> None:
        self._state, self._rows, self._mails = state, f"{name}.waiting", f"{name}.mails"
        self._pending: dict[str, Pending] = {}

    def __len__(self) -> int:
        return len(self._pending)

    def load(self) -> None:
        for key, value in self._state.all_state(self._rows).items():
            try:
                self._pending[key] = Pending(**json.loads(value))
            except (ValueError, TypeError):
                log.error("a request that waits for its response cannot be read and is dropped")
                self._drop(key)

    def add(self, pending: Pending, mail: bytes) -> None:
        key = _key(pending.peer, pending.transaction)
        self._state.put_state(self._mails, key, mail)
        self._put(key, pending)

    def get(self, peer: str, transaction: str) -> Pending | None:
        """What a RES is about."""
        return self._pending.get(_key(peer, transaction))

    def over(self, pending: Pending) -> None:
        """It waits no more."""
        key = _key(pending.peer, pending.transaction)
        if self._pending.pop(key, None) is not None:
            self._drop(key)

    def due(self, now: float) -> Iterator[tuple[Pending, bytes]]:
        """Those whose time has come, with their mails."""
        for key, pending in list(self._pending.items()):
            if pending.due <= now:
                yield pending, self._state.get_state(self._mails, key) or b""

    def again(self, pending: Pending, due: float, *, sent: bool) -> None:
        """Wait on; ``sent``: the mail went once more."""
        key = _key(pending.peer, pending.transaction)
        if key in self._pending:
            self._put(key, replace(pending, due=due, sent=pending.sent + sent))

    def _put(self, key: str, pending: Pending) -> None:
        self._pending[key] = pending
        self._state.put_state(self._rows, key, json.dumps(asdict(pending)).encode())

    def _drop(self, key: str) -> None:
        self._state.put_state(self._rows, key, None)
        self._state.put_state(self._mails, key, None)


def _key(peer: str, transaction: str) -> str:
    return f"{peer}/{transaction}"
