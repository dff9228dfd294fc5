"""What this centre remembers, durably: messages that wait to be fetched, and messages that phones sent."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Generic, TypeVar

from opencpm.interfaces import KeyedState

log = logging.getLogger("opencpm.mm1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A delivery for a phone, by the unguessable name under which it is fetched, which is its transaction, too.

    ``notified`` counts notifications, ``again`` is when the next one is due (0: none). ``fetched``: the phone has had
    the content; ``over``: what became of it is told, it may only be fetched again and be read. ``message_id`` is ours,
    of the stored message.
    """

    delivery_id: str
    message_id: str
    target: str
    source: str
    until: float
    again: float = 0.0
    notified: int = 1
    fetched: bool = False
    over: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A message of a phone, by our message id. ``receivers``: our address -> as the phone wrote it."""

    at: float
    number: str
    receivers: Mapping[str, str] = field(default_factory=dict)


R = TypeVar("R", Kept, Sent)


class Rows(Generic[R]):
    """One kind of rows, all in memory and in the store."""

    def __init__(self, state: KeyedState, room: str, kind: Callable[..., R]) -> None:
        self._state, self._room = state, room
        self._kind: Callable[..., R] = kind
        self._rows: dict[str, R] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def load(self) -> None:
        for key, value in self._state.all_state(self._room).items():
            row = self._read(value)
            if row is not None:
                self._rows[key] = row

    def get(self, key: str) -> R | None:
        return self._rows.get(key)

    def put(self, key: str, row: R) -> None:
        self._rows[key] = row
        self._state.put_state(self._room, key, json.dumps(_plain(row)).encode())

    def drop(self, key: str) -> None:
        if self._rows.pop(key, None) is not None:
            self._state.put_state(self._room, key, None)

    def all(self) -> Iterator[tuple[str, R]]:
        return iter(list(self._rows.items()))

    def _read(self, value: bytes) -> R | None:
        try:
            row: R = self._kind(**json.loads(value))
            return row
        except (ValueError, TypeError):
            log.error("a row of %s cannot be read and is left alone", self._room)
            return None


def _plain(row: Kept | Sent) -> dict[str, Any]:
    return asdict(row)
