"""The same job done by Kannel, where it is installed: HTTP in, spooled, SMPP out, with and without receipts.

CPU of bearerbox and smsbox together. Loopback only; both are ended by their own process id.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import socket
import threading
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from opencpm.lab.bench.cpu import Cpu, cpu_of
from opencpm.lab.bench.wire import LoadError

KEYS = ("kannel_us", "kannel_receipt_us")
_WARM_UP = 50
_PATIENCE = 60.0
_TEXT = "Are you coming to the concert on Friday? We meet at seven at the fountain."
_CONFIG = """
group = core
admin-port = {admin}
admin-interface = 127.0.0.1
admin-password = bench
smsbox-port = {boxes}
smsbox-interface = 127.0.0.1
box-allow-ip = 127.0.0.1
log-level = 4
store-type = spool
store-location = "{folder}/spool"
dlr-storage = internal

group = smsc
smsc = smpp
host = 127.0.0.1
port = {smsc}
transceiver-mode = true
smsc-username = kannel
smsc-password = bench
system-type = ""
max-pending-submits = 200

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {http}
sendsms-interface = 127.0.0.1
log-level = 4

group = sendsms-user
username = bench
password = bench
"""


def installed() -> bool:
    """Whether both of its programs are there."""
    return shutil.which("bearerbox") is not None and shutil.which("smsbox") is not None


async def measure_kannel(folder: Path, smsc: int, messages: int, window: int) -> dict[str, Any]:
    """CPU µs a message of its two processes. ``smsc`` is the port of the SMS centre; ``window`` receipts may
    be outstanding. :raises LoadError:"""
    async with _kannel(folder, smsc) as (admin, http, processes), _callbacks() as callbacks:
        found: dict[str, Any] = {"kannel_messages": messages}
        for key, receipt in zip(KEYS, (False, True), strict=True):
            sender = _Sender(http, callbacks, window if receipt else 0)
            await asyncio.to_thread(sender.send, _WARM_UP)
            await _idle(admin)
            before = [cpu_of(pid) for pid in processes]
            await asyncio.to_thread(sender.send, messages)
            await _idle(admin)
            spent = [cpu_of(pid).since(then) for pid, then in zip(processes, before, strict=True)]
            found[key] = round(sum(map(_seconds, spent)) * 1e6 / messages, 1)
    return found


def _seconds(cpu: Cpu) -> float:
    return cpu.user + cpu.system


@asynccontextmanager
async def _kannel(folder: Path, smsc: int) -> AsyncIterator[tuple[int, int, list[int]]]:
    admin, boxes, http = (_free_port() for _ in range(3))
    (folder / "spool").mkdir()
    config = folder / "kannel.conf"
    config.write_text(_CONFIG.format(admin=admin, boxes=boxes, http=http, smsc=smsc, folder=folder.as_posix()))
    async with AsyncExitStack() as stack:
        pids = []
        for program, port in (("bearerbox", boxes), ("smsbox", http)):
            pids.append(await stack.enter_async_context(_running(program, config)))
            await _listening(port)
        await _said(admin, b"online")
        yield admin, http, pids


@asynccontextmanager
async def _running(program: str, config: Path) -> AsyncIterator[int]:
    process = await asyncio.create_subprocess_exec(
        program, str(config), cwd=config.parent, stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield process.pid
    finally:
        process.terminate()
        try:
            async with asyncio.timeout(10):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


async def _listening(port: int) -> None:
    async with asyncio.timeout(_PATIENCE):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
                continue
            writer.close()
            return


async def _idle(admin: int) -> None:
    """Until nothing waits in its queues any more."""
    await _said(admin, rb"SMS: received \d+ \(0 queued\), sent \d+ \(0 queued\), store size 0")


async def _said(admin: int, pattern: bytes) -> None:
    """Until its status page says this."""
    async with asyncio.timeout(_PATIENCE):
        while True:
            if re.search(pattern, await asyncio.to_thread(_status, admin)):
                return
            await asyncio.sleep(0.05)  # it tells nobody when that changes


def _status(admin: int) -> bytes:
    connection = HTTPConnection("127.0.0.1", admin, timeout=10)
    try:
        connection.request("GET", "/status.txt?password=bench")
        return connection.getresponse().read()
    finally:
        connection.close()


class _Callbacks:
    """Counts the receipts that Kannel reports over HTTP."""

    def __init__(self) -> None:
        self.count = 0
        self.port = 0
        self.news = threading.Condition()

    def one_more(self) -> None:
        with self.news:
            self.count += 1
            self.news.notify_all()

    def wait(self, count: int) -> None:
        with self.news:
            if not self.news.wait_for(lambda: self.count >= count, _PATIENCE):
                raise LoadError(f"Kannel reported {self.count} receipts of {count}")


@asynccontextmanager
async def _callbacks() -> AsyncIterator[_Callbacks]:
    callbacks = _Callbacks()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            callbacks.one_more()
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Nobody wants to read it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    callbacks.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield callbacks
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Sender:
    """Sends over one kept connection; ``window`` receipts may be outstanding, 0: none is asked for."""

    def __init__(self, port: int, callbacks: _Callbacks, window: int) -> None:
        self._connection = HTTPConnection("127.0.0.1", port, timeout=_PATIENCE)
        self._callbacks, self._window = callbacks, window
        self._asked = callbacks.count

    def send(self, count: int) -> None:
        """:raises LoadError: a refusal, or receipts that do not come."""
        for number in range(count):
            self._one(f"+1202555{200 + number % 1000:04d}")
            if self._window:
                self._asked += 1
                self._callbacks.wait(self._asked - self._window)
        if self._window:
            self._callbacks.wait(self._asked)

    def _one(self, to: str) -> None:
        values = {"username": "bench", "password": "bench", "from": "60606", "to": to, "text": _TEXT}
        if self._window:
            values |= {"dlr-mask": "3", "dlr-url": f"http://127.0.0.1:{self._callbacks.port}/?%d"}
        self._connection.request("GET", f"/cgi-bin/sendsms?{urlencode(values)}")
        response = self._connection.getresponse()
        if response.status != 202:
            raise LoadError(f"Kannel answered {response.status}: {response.read()[:200]!r}")
        response.read()


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
