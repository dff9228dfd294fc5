from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from opencpm.domain.message import Part
from opencpm.interfaces import Changes, Committed
from opencpm.storage.sqlite import SqliteStore, open_store
from opencpm.storage.sqlite.committer import GROUP_LIMIT, Committer, commit_inline
from opencpm.storage.sqlite.connection import connect
from tests.contract.drive import claim, commit, stored
from tests.contract.values import NOW, delivery, message, unit

Answers = list[tuple[Any, Exception | None]]


class Bench:
    """A committer over a table of numbers, with failures on demand."""

    def __init__(self, commit: Callable[[Callable[[Exception | None], None]], None] | None = None) -> None:
        self.connection = connect(":memory:")
        self.connection.execute("CREATE TABLE number (n INTEGER)")
        self.groups: list[list[int]] = []
        self.answers: list[tuple[int, Exception | None]] = []
        self.rollbacks = 0
        self.committer = Committer(
            self.connection,
            self._apply,
            commit or commit_inline(self.connection),
            asyncio.get_running_loop(),
            self._rolled_back,
        )

    def _apply(self, group: Sequence[int]) -> list[int]:
        self.groups.append(list(group))
        for n in group:
            if n < 0:
                raise ValueError(f"{n} cannot be stored")
            self.connection.execute("INSERT INTO number VALUES (?)", (n,))
        return list(group)

    def _rolled_back(self) -> None:
        self.rollbacks += 1

    def submit(self, *numbers: int) -> None:
        for n in numbers:
            self.committer.submit(n, partial(self._done, n))

    def _done(self, n: int, _result: object, error: Exception | None) -> None:
        self.answers.append((n, error))

    def stored(self) -> list[int]:
        return [n for (n,) in self.connection.execute("SELECT n FROM number ORDER BY rowid")]


async def test_what_one_turn_hands_in_is_one_group() -> None:
    bench = Bench()
    bench.submit(1, 2, 3)
    assert bench.groups == []
    assert bench.committer.backlog() == 3
    await bench.committer.drain()
    assert bench.groups == [[1, 2, 3]]
    assert bench.answers == [(1, None), (2, None), (3, None)]
    assert bench.committer.backlog() == 0


async def test_a_group_has_a_limit() -> None:
    bench = Bench()
    bench.submit(*range(GROUP_LIMIT + 1))
    await bench.committer.drain()
    assert [len(group) for group in bench.groups] == [GROUP_LIMIT, 1]


async def test_what_comes_during_a_commit_waits_for_its_end() -> None:
    ended: list[Callable[[Exception | None], None]] = []
    bench = Bench(ended.append)
    bench.submit(1)
    while not ended:
        await asyncio.sleep(0)
    bench.submit(2, 3)
    await asyncio.sleep(0)
    assert bench.groups == [[1]]
    assert bench.answers == []
    bench.connection.commit()
    ended.pop()(None)
    assert bench.answers == [(1, None)]
    while not ended:
        await asyncio.sleep(0)
    assert bench.groups == [[1], [2, 3]]
    bench.connection.commit()
    ended.pop()(None)
    await bench.committer.drain()
    assert bench.stored() == [1, 2, 3]


async def test_a_unit_that_fails_is_alone_with_its_error() -> None:
    bench = Bench()
    bench.submit(1, 2, -3, 4, 5, 6, -7)
    await bench.committer.drain()
    assert bench.stored() == [1, 2, 4, 5, 6]
    assert [n for n, _ in bench.answers] == [1, 2, -3, 4, 5, 6, -7]
    assert {n for n, error in bench.answers if error is not None} == {-3, -7}
    assert bench.rollbacks > 0


async def test_a_commit_that_fails_is_tried_in_halves() -> None:
    def refuse_groups_with_two(ended: Callable[[Exception | None], None]) -> None:
        if 2 in bench.groups[-1]:
            ended(sqlite3.OperationalError("database or disk is full"))
        else:
            bench.connection.commit()
            ended(None)

    bench = Bench(refuse_groups_with_two)
    bench.submit(1, 2, 3, 4)
    await bench.committer.drain()
    assert bench.stored() == [1, 3, 4]
    assert [type(error) for _, error in bench.answers] == [type(None), sqlite3.OperationalError, *[type(None)] * 2]


async def test_a_database_that_is_gone_is_an_answer_too() -> None:
    bench = Bench()
    bench.connection.execute("BEGIN")  # so that the committer's BEGIN fails, and not because another writes
    bench.submit(1)
    await bench.committer.drain()
    ((_, error),) = bench.answers
    assert isinstance(error, sqlite3.OperationalError)
    bench.connection.execute("ROLLBACK")
    bench.submit(2)
    await bench.committer.drain()
    assert bench.stored() == [2]


async def test_while_another_process_writes_the_group_waits(tmp_path: Path) -> None:
    store = await open_store(str(tmp_path / "store.db"))
    other = connect(str(tmp_path / "store.db"))
    other.execute("BEGIN IMMEDIATE")
    answers: list[Committed] = []
    store.commit(unit("m1"), answers.append)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert answers == []
    other.execute("COMMIT")
    await stored(store, unit("m2"))
    assert [answer.error for answer in answers] == [None]
    await store.close()
    other.close()


def fill(store: SqliteStore, pages: int) -> None:
    """Let the file grow by so many pages, then no more: SQLite itself says that the disk is full."""
    connection = store._written
    (count,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {count + pages}")


async def test_a_full_disk_fails_the_unit_that_does_not_fit(tmp_path: Path) -> None:
    store = await open_store(str(tmp_path / "store.db"))
    await stored(store, unit("first"))
    fill(store, 40)
    large = message("large", parts=(Part("image/png", bytes(400_000)),))
    too_large = Changes(messages=[large], deliveries=[delivery(large)])
    answers = await commit(store, unit("a"), too_large, unit("b"), unit("c"))
    assert [answer.error is None for answer in answers] == [True, False, True, True]
    assert store.message(large.id) is None
    assert store.delivery("d-large@device.test") is None
    assert [store.message(message(name).id) is not None for name in ("a", "b", "c")] == [True] * 3
    fill(store, 1_000_000)
    await stored(store, too_large)
    assert store.message(large.id) == large
    await store.close()


async def test_a_text_that_is_no_text_fails_its_unit_alone(tmp_path: Path) -> None:
    store = await open_store(str(tmp_path / "store.db"))
    answers = await commit(store, unit("a"), unit("b", detail="\ud800"), unit("c"))
    assert [answer.error is None for answer in answers] == [True, False, True]
    assert len(await claim(store, NOW, NOW + 60)) == 2
    await store.close()
