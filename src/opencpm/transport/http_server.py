"""uvicorn inside the running loop: our socket, no signal handlers, a stop in good order."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import Callable, Iterator
from typing import Any

import uvicorn

from opencpm.transport.patience import PatientProtocol

log = logging.getLogger("opencpm.transport")
STOP = 5.0  # seconds open requests have to end


class _Quiet(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals belong to the process, not to one of its listeners."""
        yield


class Server:
    """Serves an ASGI application on ``host``:``port`` (0: any free port) until :meth:`run` is cancelled.

    ``stopping`` is called before the listener closes. ``name`` says whose it is, in logs and errors. ``certificate``
    and ``key`` (PEM files) make it HTTPS.
    """

    def __init__(
        self,
        app: Any,
        host: str,
        port: int,
        stopping: Callable[[], None] = lambda: None,
        *,
        name: str = "web",
        certificate: str = "",
        key: str = "",
    ) -> None:
        self._app = app
        self._host = host
        self._port = port
        self._stopping = stopping
        self._name = name
        self._certificate, self._key = certificate or None, key or None

    async def run(self, listening: Callable[[tuple[str, int]], None]) -> None:
        """:raises OSError: the address cannot be bound."""
        listener = self._bind()
        server = _Quiet(self._config())
        serving = asyncio.create_task(server.serve([listener]), name=f"{self._name} listener")
        try:
            await _started(server, serving)
            address = listener.getsockname()
            listening((address[0], address[1]))
            log.info("listening on http%s://%s:%d", "s" if self._certificate else "", address[0], address[1])
            await asyncio.shield(serving)
            raise RuntimeError("the HTTP listener ended by itself")
        finally:
            self._stopping()
            server.should_exit = True
            await asyncio.wait([serving], timeout=STOP)
            serving.cancel()
            listener.close()

    def _bind(self) -> socket.socket:
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((self._host, self._port))
        except OSError as error:
            listener.close()
            what = f"{self._name}: cannot listen on {self._host}:{self._port}: {error.strerror}"
            raise OSError(error.errno, what) from error
        listener.listen(512)
        listener.setblocking(False)
        return listener

    def _config(self) -> uvicorn.Config:
        return uvicorn.Config(
            self._app,
            loop="none",
            http=PatientProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=30,
            timeout_graceful_shutdown=3,
            ssl_certfile=self._certificate,
            ssl_keyfile=self._key,
        )


async def _started(server: _Quiet, serving: asyncio.Task[None]) -> None:
    ready = asyncio.create_task(server.ready.wait())
    await asyncio.wait([ready, serving], return_when=asyncio.FIRST_COMPLETED)
    ready.cancel()
    if serving.done():
        serving.result()
