"""Waiting for an answer of the store."""

from __future__ import annotations

from asyncio import Future
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def into(future: Future[T]) -> Callable[[T], None]:
    """A callback that puts the answer into ``future``, if somebody still waits: the server may have begun to stop."""

    def answer(value: T) -> None:
        if not future.done():
            future.set_result(value)

    return answer
