"""The server as a whole: what is built, in which order it starts and stops."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from opencpm import numbering
from opencpm.access import mm7, sip, smpp, web
from opencpm.app.chance import RandomIds, SystemClock
from opencpm.app.lock import alone
from opencpm.app.networks import build_network
from opencpm.app.people import opened
from opencpm.app.sip_values import sip_values
from opencpm.app.supervision import StartError, Supervised
from opencpm.cluster.local import LocalBus
from opencpm.interfaces import NOTHING, Clock, Connector, Context, Numbers, Store
from opencpm.media import Pool
from opencpm.messaging import Messaging
from opencpm.messaging.directory import StoredDirectory
from opencpm.messaging.shares import Shares
from opencpm.settings import Settings, SettingsError
from opencpm.storage.uploads import DiskUploads, UploadLimits

log = logging.getLogger("opencpm.app")

READY_PATIENCE = 20.0
STOP_PATIENCE = 10.0
FOLLOW = 1.0
"""Seconds between looks at whether another process (`opencpm user add`) changed something."""

Endpoints = Mapping[str, Mapping[str, tuple[str, int]]]


class App:
    """One server. Use :meth:`running`; the parts are there while it runs."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.store: Store
        self.directory: StoredDirectory
        self.messaging: Messaging
        self.media: Pool
        self.uploads: DiskUploads
        self.files: Shares
        self.numbers: Numbers | None = None
        self.connectors: Sequence[Supervised] = ()
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def endpoints(self) -> Endpoints:
        """Where each connector listens: ``endpoints["sip"]["udp"] == ("127.0.0.1", 5060)``."""
        return {one.name: dict(one.endpoints) for one in self.connectors if one.endpoints}

    @asynccontextmanager
    async def running(self) -> AsyncIterator[App]:
        """Start; inside the block all is ready; leaving it stops in good order.

        :raises StartError: something cannot start; nothing runs then.
        :raises opencpm.settings.SettingsError: a network cannot use its settings.
        """
        async with opened(self.settings) as (self.store, self.directory), alone(self.settings.data_dir):
            self._build()
            try:
                await self._start()
                log.info("ready: %s", _where(self.endpoints))
                yield self
            finally:
                log.info("stopping")
                await self._stop()

    async def failed(self) -> None:
        """Wait until something fails that the server cannot do without. :raises Exception: what it was."""
        done, _ = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
        raise RuntimeError("a part of the server ended by itself")

    def _build(self) -> None:
        clock, ids = SystemClock(), RandomIds()
        policy = self.settings.policy_values()
        self.uploads = _uploads(self.settings, clock, ids)
        self.files = Shares(self.store, clock, self.settings.secret_key, self._web_address, self.uploads)
        self.numbers = _numbers(self.settings, clock)
        self.messaging = Messaging(
            store=self.store,
            directory=self.directory,
            policy=policy,
            clock=clock,
            ids=ids,
            bus=LocalBus(),
            shares=self.files if self.settings.web.enabled else None,
            numbers=self.numbers,
        )

        self.media = Pool()
        self.messaging.every_minute(self.files.tidy)

        def context(name: str) -> Context:
            return Context(
                name=name,
                clock=clock,
                ids=ids,
                store=self.store,
                directory=self.directory,
                media=self.media,
                files=self.files if self.settings.web.enabled else NOTHING,
                messages=self.store,
            )

        connectors: list[Connector] = []
        if self.settings.sip.enabled:
            connectors.append(sip.build(sip_values(self.settings), context("sip")))
        if self.settings.web.enabled:
            files = web.FileDesk(self.files, self.uploads, self.settings.realm, self.settings.files.digest_downloads)
            connectors.append(web.build(self.settings.web, context("web"), messaging=self.messaging, files=files))
        if self.settings.smpp.enabled:
            connectors.append(smpp.build(self.settings.smpp, context("smpp"), store=self.store))
        if self.settings.mm7.enabled:
            connectors.append(mm7.build(self.settings.mm7, context("mm7"), store=self.store, realm=self.settings.realm))
        connectors += [build_network(values, context(name)) for name, values in self.settings.networks.items()]
        self.connectors = [Supervised(one, clock) for one in connectors]
        self.messaging.attach(self.connectors)

    def _web_address(self) -> str:
        """Where people reach the web access."""
        if self.settings.web.public_url:
            return self.settings.web.public_url.rstrip("/")
        host, port = self.endpoints.get("web", {}).get("http", (self.settings.web.host, self.settings.web.port))
        if host in ("0.0.0.0", "::"):  # noqa: S104 - compared, not listened on: nobody can follow a link to a wildcard
            host = self.settings.domain
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    async def _start(self) -> None:
        await self.messaging.recover()
        self._run(self.messaging.run(), "messaging")
        self._run(self._follow(), "people")
        if self.numbers is not None:
            self._run(self.numbers.run(), "numbers")
        for connector in self.connectors:
            self._run(connector.run(self.messaging), connector.name)
        async with asyncio.timeout(READY_PATIENCE):
            while not all(one.listening for one in self.connectors):
                await self._breathe()
        for connector in self.connectors:
            connector.started()

    def _run(self, duty: object, name: str) -> None:
        assert asyncio.iscoroutine(duty)
        self._tasks.append(asyncio.create_task(duty, name=name))

    async def _breathe(self) -> None:
        """Let the parts start; whoever fails now ends the start."""
        done, _ = await asyncio.wait(self._tasks, timeout=0.005, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            if task.cancelled() or task.exception() is None:
                raise StartError(f"{task.get_name()} ended while starting")
            task.result()

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(FOLLOW)
            self.directory.refresh()

    async def _stop(self) -> None:
        """Messaging first (it closes the sessions), then the connectors; the store comes after all."""
        messaging, *others = self._tasks
        await _end([messaging])
        await _end(others)
        await self.media.close()
        self.files.write_down()
        self._tasks = []


def _uploads(settings: Settings, clock: SystemClock, ids: RandomIds) -> DiskUploads:
    """:raises StartError: the folder cannot be used."""
    files = settings.files
    limits = UploadLimits(
        file=settings.policy.limits.message_bytes,
        per_user=files.per_user,
        per_user_bytes=files.per_user_bytes,
        all_bytes=files.all_bytes,
        keep=files.keep,
        keep_partial=files.keep_partial,
    )
    try:
        return DiskUploads(settings.uploads, clock, ids, limits)
    except OSError as error:
        raise StartError(f"the folder {settings.uploads} cannot be used: {error}") from error


def _numbers(settings: Settings, clock: Clock) -> Numbers | None:
    """:raises SettingsError: the table of numbers cannot be read."""
    try:
        return numbering.build(settings.numbers, clock)
    except ValueError as error:
        raise SettingsError([f"numbers.table: {error}"]) from None


async def _end(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks, timeout=STOP_PATIENCE)
    for task in tasks:
        if not task.done():
            log.warning("%s did not stop within %.0f s", task.get_name(), STOP_PATIENCE)
        elif not task.cancelled() and task.exception() is not None:
            error = task.exception()
            plain = isinstance(error, StartError) and isinstance(
                error.__cause__, OSError
            )  # a port in use: words will do
            log.error("%s failed: %s", task.get_name(), error, exc_info=None if plain else error)


def _where(endpoints: Endpoints) -> str:
    return ", ".join(
        f"{name} {kind} {host}:{port}" for name, kinds in endpoints.items() for kind, (host, port) in kinds.items()
    )
