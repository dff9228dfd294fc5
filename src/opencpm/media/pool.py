"""The front of the workers: ``await pool.adapt(parts, target)``. A worker that misbehaves dies; only its job fails."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from types import TracebackType
from typing import Any, NamedTuple, Self

from opencpm.domain.errors import Reason, SendError
from opencpm.domain.media import Adapted, Target
from opencpm.domain.message import Part
from opencpm.media import wire
from opencpm.media.values import DEFAULT_LIMITS, Limits

log = logging.getLogger("opencpm.media")

_MODULE = "opencpm.media.worker"
_RETRY_AFTER = 5.0


class Job(NamedTuple):
    parts: tuple[Part, ...]
    target: Target


class Pool:
    """``workers`` processes, started when first needed (or by :meth:`start`), replaced after ``limits.jobs`` jobs.

    Use as an async context manager, or call :meth:`close`.
    """

    def __init__(self, workers: int = 2, limits: Limits = DEFAULT_LIMITS) -> None:
        self._limits = limits
        self._free = asyncio.Semaphore(workers)
        self._workers = workers
        self._idle: list[Worker] = []
        self._all: set[Worker] = set()
        self._leaving: list[Worker] = []  # killed, not yet seen to be gone
        self._pending = 0
        self._closed = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def start(self) -> None:
        """Have all workers ready. Raises SendError (INTERNAL) where they do not start."""
        async with asyncio.TaskGroup() as group:
            for _ in range(self._workers - len(self._all)):
                group.create_task(self._start_idle())

    async def close(self) -> None:
        """End all workers, whatever they are doing."""
        self._closed = True
        workers = [*self._all, *self._leaving]
        for worker in workers:
            worker.kill()
        for worker in workers:
            await worker.ended()
        self._all.clear()
        self._idle.clear()
        self._leaving.clear()

    async def adapt(self, parts: Sequence[Part], target: Target) -> Adapted:
        """Parts that fit the target, and what was lost.

        Raises SendError: UNSUPPORTED_MEDIA or TOO_LARGE for good; CONGESTION and INTERNAL may be tried again.
        """
        self._admit(parts)
        self._pending += 1
        try:
            async with self._free:
                return await self._run(parts, target)
        finally:
            self._pending -= 1

    async def adapt_many(self, jobs: Sequence[Job]) -> list[Adapted | SendError]:
        """A batch: each job's result or error, in order. A job that fails costs only itself."""
        tasks = (self.adapt(job.parts, job.target) for job in jobs)
        results = await asyncio.gather(*tasks, return_exceptions=True)
        done: list[Adapted | SendError] = []
        for result in results:
            if isinstance(result, BaseException) and not isinstance(result, SendError):
                raise result
            done.append(result)
        return done

    def _admit(self, parts: Sequence[Part]) -> None:
        if sum(len(part.body) for part in parts) > self._limits.input_bytes or len(parts) > self._limits.parts:
            raise SendError(Reason.TOO_LARGE, detail="the message is too large to adapt")
        if self._closed:
            raise SendError(Reason.INTERNAL, retryable=True, detail="the server is stopping")
        if self._pending >= self._workers + self._limits.waiting:
            detail = "too many pictures are being converted"
            raise SendError(Reason.CONGESTION, retryable=True, detail=detail, retry_after=_RETRY_AFTER)

    async def _run(self, parts: Sequence[Part], target: Target) -> Adapted:
        worker = self._living() or await self._started()
        keep = False
        try:
            async with asyncio.timeout(self._limits.wall):
                said, bodies = await worker.ask(wire.job(parts, target))
            keep = True
            return wire.read_result(said, bodies, len(parts))
        except TimeoutError:
            log.warning("worker %d took more than %g s and was ended", worker.pid, self._limits.wall)
            raise SendError(Reason.UNSUPPORTED_MEDIA, detail="the media take too long to convert") from None
        except (OSError, EOFError, wire.WireError) as error:
            keep = False
            log.warning("worker %d was lost: %s", worker.pid, await worker.ended() or error)
            raise SendError(Reason.UNSUPPORTED_MEDIA, detail="the media cannot be read safely") from None
        finally:
            self._put_back(worker, keep)

    def _living(self) -> Worker | None:
        while self._idle:
            worker = self._idle.pop()
            if worker.alive:
                return worker
            self._all.discard(worker)
        return None

    def _put_back(self, worker: Worker, keep: bool) -> None:
        worker.jobs += 1
        if keep and worker.jobs < self._limits.jobs and not self._closed:
            self._idle.append(worker)
        else:
            worker.kill()
            self._all.discard(worker)
            self._leaving = [*(other for other in self._leaving if other.alive), worker]

    async def _start_idle(self) -> None:
        self._idle.append(await self._started())

    async def _started(self) -> Worker:
        worker = await Worker.start(self._limits)
        self._all.add(worker)
        return worker


def _environment() -> dict[str, str]:
    """No secret of ours, and the same modules: what the server found by a relative path, from / as well."""
    return {"PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path))}


class Worker:
    """One process."""

    def __init__(self, process: asyncio.subprocess.Process, limits: Limits) -> None:
        self._process, self._limits = process, limits
        self.pid = process.pid
        self.jobs = 0

    @classmethod
    async def start(cls, limits: Limits) -> Worker:
        """Raises SendError (INTERNAL) if it does not come up: the installation is broken."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-s", "-m", _MODULE, json.dumps(asdict(limits))),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=_environment(),
            cwd="/",
            start_new_session=True,
        )
        worker = cls(process, limits)
        try:
            async with asyncio.timeout(limits.start):
                said, _ = await worker._answer()
        except BaseException as error:
            await worker.ended()
            if isinstance(error, TimeoutError | EOFError | OSError | wire.WireError):
                detail = "the media converter does not start"
                raise SendError(Reason.INTERNAL, retryable=True, detail=detail) from error
            raise
        log.info("worker %d is ready (%s)", worker.pid, "pictures, sound, video" if said.get("video") else "pictures")
        return worker

    @property
    def alive(self) -> bool:
        return self._process.returncode is None

    async def ask(self, job: bytes) -> tuple[dict[str, Any], list[bytes]]:
        """Raises OSError or EOFError when the process dies, WireError for nonsense."""
        stdin = self._process.stdin
        assert stdin is not None
        stdin.write(job)
        await stdin.drain()
        return await self._answer()

    async def _answer(self) -> tuple[dict[str, Any], list[bytes]]:
        stdout = self._process.stdout
        assert stdout is not None
        prefix = await stdout.readexactly(wire.PREFIX.size)
        header, bodies = wire.lengths(prefix, self._limits.input_bytes)
        return wire.unframe(await stdout.readexactly(header), await stdout.readexactly(bodies))

    def kill(self) -> None:
        try:
            self._process.kill()
        except ProcessLookupError:
            pass

    async def ended(self) -> str:
        """How it ended, once it has."""
        self.kill()
        code = await self._process.wait()
        return f"signal {-code}" if code < 0 else f"exit {code}"
