"""Small durable facts of a way to MMS, a row each, all of them in memory, too."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any, Generic, TypeVar

from opencpm.interfaces import KeyedState

log = logging.getLogger("opencpm.mms")

R = TypeVar("R", bound=Any)


class Rows(Generic[R]):
    """One kind of rows, dataclasses of JSON-able fields, by key."""

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
        self._state.put_state(self._room, key, json.dumps(asdict(row)).encode())

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
