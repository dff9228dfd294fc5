"""The group committer: many units of work, one transaction, one fsync.

Units handed in during a turn of the loop, or while a COMMIT runs, wait in memory and become one group. Its
statements run on the loop's thread: in a thread of their own they would fight the loop for the interpreter lock, row
by row. Only COMMIT, which waits for the disk with the lock released, runs in a worker thread. When it has ended, one
call back to the loop calls every unit's ``done`` in order.

A group that fails is rolled back and cut in two, each half a group of its own, until the unit that cannot be stored
stands alone: it gets the error, the others are stored.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from opencpm.storage.sqlite.connection import rollback

log = logging.getLogger("opencpm.storage")

GROUP_LIMIT = 512
"""Units in one group at most, so that their statements do not hold up the loop for long."""

BUSY_PAUSE = 0.02
"""Seconds until the next try while another process is writing."""


class Work(NamedTuple):
    """Something to be done in a transaction. ``done(result, None)`` after the commit, ``done(None, error)`` else."""

    what: Any
    done: Callable[[Any, Exception | None], None]


Apply = Callable[[Sequence[Any]], list[Any]]
"""Does each ``what`` in the open transaction, in order; one result for each. Any exception fails the group."""

Commit = Callable[[Callable[[Exception | None], None]], None]
"""Commits the open transaction, then calls back on the loop, at once or later."""


def commit_inline(connection: sqlite3.Connection) -> Commit:
    """For a database in memory: there is no disk to wait for."""

    def commit(ended: Callable[[Exception | None], None]) -> None:
        ended(_try_commit(connection))

    return commit


def _try_commit(connection: sqlite3.Connection) -> Exception | None:
    try:
        connection.commit()
    except sqlite3.Error as error:
        return error
    return None


class CommitThread:
    """One thread that does nothing but COMMIT."""

    def __init__(self, connection: sqlite3.Connection, loop: asyncio.AbstractEventLoop) -> None:
        self._connection = connection
        self._loop = loop
        self._jobs: queue.SimpleQueue[Callable[[Exception | None], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="opencpm-commit", daemon=True)
        self._thread.start()

    def __call__(self, ended: Callable[[Exception | None], None]) -> None:
        self._jobs.put(ended)

    def stop(self) -> None:
        """End the thread; call it when no commit is under way."""
        self._jobs.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (ended := self._jobs.get()) is not None:
            error = _try_commit(self._connection)
            try:
                self._loop.call_soon_threadsafe(ended, error)
            except RuntimeError:  # the loop is closed: nobody is there to be told
                return


class Committer:
    def __init__(
        self,
        connection: sqlite3.Connection,
        apply: Apply,
        commit: Commit,
        loop: asyncio.AbstractEventLoop,
        failed: Callable[[], None],
    ) -> None:
        """``failed`` is called after each rollback."""
        self._connection = connection
        self._apply = apply
        self._commit = commit
        self._loop = loop
        self._after_rollback = failed
        self._waiting: deque[Work] = deque()
        self._halves: deque[list[Work]] = deque()  # of failed groups; they go first
        self._running = False  # a group is in its transaction
        self._scheduled = False
        self._idle: asyncio.Event | None = None

    def submit(self, what: Any, done: Callable[[Any, Exception | None], None]) -> None:
        self._waiting.append(Work(what, done))
        self._schedule()

    def backlog(self) -> int:
        """Units waiting for their group."""
        return len(self._waiting) + sum(map(len, self._halves))

    async def drain(self) -> None:
        """Wait until everything handed in has its answer."""
        while self._running or self._scheduled or self.backlog():
            self._idle = asyncio.Event()
            await self._idle.wait()

    def _schedule(self) -> None:
        """Begin a group when this turn of the loop has handed in all it has."""
        if self._running or self._scheduled:
            return
        if self._waiting or self._halves:
            self._scheduled = True
            self._loop.call_soon(self._begin)
        elif self._idle is not None:
            self._idle.set()

    def _begin(self) -> None:
        group = self._next_group()
        try:
            self._connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            self._not_begun(group, error)
            return
        self._scheduled, self._running = False, True
        try:
            results = self._apply([work.what for work in group])
        except Exception as error:  # noqa: BLE001  whatever it is, it is the answer to the unit that raised it
            self._failed(group, error)
            return
        self._commit(lambda error: self._ended(group, results, error))

    def _next_group(self) -> list[Work]:
        if self._halves:
            return self._halves.popleft()
        waiting = self._waiting
        return [waiting.popleft() for _ in range(min(len(waiting), GROUP_LIMIT))]

    def _not_begun(self, group: list[Work], error: sqlite3.OperationalError) -> None:
        if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY:
            self._halves.appendleft(group)
            self._loop.call_later(BUSY_PAUSE, self._begin)
            return
        self._scheduled = False
        self._answer(group, [None] * len(group), error)

    def _ended(self, group: list[Work], results: list[Any], error: Exception | None) -> None:
        if error is not None:
            self._failed(group, error)
        else:
            self._answer(group, results, None)

    def _failed(self, group: list[Work], error: Exception) -> None:
        rollback(self._connection)
        self._after_rollback()
        if len(group) == 1:
            log.error("a unit of work is not stored: %s: %s", type(error).__name__, error)
            self._answer(group, [None], error)
            return
        middle = len(group) // 2
        self._halves.extendleft((group[middle:], group[:middle]))
        self._running = False
        self._schedule()

    def _answer(self, group: list[Work], results: list[Any], error: Exception | None) -> None:
        self._running = False
        for work, result in zip(group, results, strict=True):
            try:
                work.done(result, error)
            except Exception:
                log.exception("what was to happen after a commit failed")
        self._schedule()
