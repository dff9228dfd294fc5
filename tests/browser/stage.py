"""The page on a running server, with the stand-in lab, in a thread of its own: the browser's side blocks."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from opencpm.transport.http_server import Server
from tests.access.web.world import BOB_MSN, BOB_PHONE, World, listening

from .lab import Lab, lab_app


class Stage:
    """``do`` runs a function on the server's loop and gives its result."""

    def __init__(self, demo: bool) -> None:
        self._demo = demo
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._over = asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._run(),), daemon=True)
        self.url = ""
        self.world: World
        self.lab: Lab

    def start(self) -> None:
        self._thread.start()
        assert self._ready.wait(20), "the server did not start"

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(20)
        self._loop.close()

    def do(self, work: Callable[[], Any]) -> Any:
        async def on_the_loop() -> Any:
            return work()

        return asyncio.run_coroutine_threadsafe(on_the_loop(), self._loop).result(20)

    async def _run(self) -> None:
        port = _free_port()
        card = {"lab": f"http://127.0.0.1:{port}", "bob_number": BOB_PHONE.value}
        card["bob_msn"] = BOB_MSN.value
        async with listening(demo=card if self._demo else None) as world:
            card["alice_token"] = world.token
            self.world, self.lab = world, Lab(world)
            server = Server(lab_app(self.lab), "127.0.0.1", port, lambda: None)
            up = asyncio.Event()
            serving = asyncio.create_task(server.run(lambda _: up.set()))
            await up.wait()
            host, web_port = world.connector.endpoints["http"]
            self.url = f"http://{host}:{web_port}"
            self._ready.set()
            await self._over.wait()
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)


@contextmanager
def stage(demo: bool = True) -> Iterator[Stage]:
    running = Stage(demo)
    running.start()
    try:
        yield running
    finally:
        running.stop()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        assert isinstance(port, int)
        return port
