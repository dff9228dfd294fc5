"""Remember what was made of a large frozen value, by its identity."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")


def by_identity(maxsize: int) -> Callable[[Callable[[K], V]], Callable[[K], V]]:
    """Like ``lru_cache`` of one argument, for values whose hash would visit thousands of fields on every call.

    The argument is kept alive as long as the entry, so an id is never that of another value. It must not change.
    """

    def decorate(make: Callable[[K], V]) -> Callable[[K], V]:
        made: dict[int, tuple[K, V]] = {}

        def get(key: K) -> V:
            found = made.get(id(key))
            if found is None:
                if len(made) >= maxsize:
                    made.clear()
                found = made[id(key)] = (key, make(key))
            return found[1]

        return get

    return decorate
