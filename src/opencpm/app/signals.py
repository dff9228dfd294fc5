"""Run a server until it is told to stop: signals, systemd, the event loop."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Coroutine
from importlib.util import find_spec
from typing import Any, TypeVar

from opencpm.app.server import App
from opencpm.settings import Settings, SettingsError

log = logging.getLogger("opencpm.app")

Result = TypeVar("Result")


def run(duty: Coroutine[Any, Any, Result], event_loop: str = "auto") -> Result:
    """``asyncio.run``, by default on uvloop where it is installed: half the CPU for sockets."""
    if event_loop == "asyncio" or (event_loop == "auto" and find_spec("uvloop") is None):
        return asyncio.run(duty)
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(duty)


async def serve(
    app: App, ready: Callable[[App], None], *, until_eof: bool = False, reread: Callable[[], Settings] | None = None
) -> None:
    """Start, call ``ready``, and stop in good order at SIGTERM or SIGINT; with ``until_eof`` also when stdin ends,
    which is how a server learns that who started it is gone. At SIGHUP the policy of the settings ``reread`` is taken.

    :raises StartError: it cannot start. :raises Exception: a part failed that it cannot do without.
    """
    stop = stop_asked()
    if until_eof:
        watch_stdin(stop)
    if reread is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, reload, app, reread)
    async with app.running():
        settle_memory()
        tell_systemd("READY=1")
        ready(app)
        stopped = asyncio.create_task(stop.wait())
        failed = asyncio.create_task(app.failed())
        await asyncio.wait([stopped, failed], return_when=asyncio.FIRST_COMPLETED)
        tell_systemd("STOPPING=1")
        stopped.cancel()
        failed.cancel()
        if failed.done() and not failed.cancelled():
            failed.result()


def reload(app: App, reread: Callable[[], Settings]) -> None:
    """Take the operator's new policy; settings that cannot be used change nothing."""
    try:
        settings = reread()
    except SettingsError as error:
        log.error("the changed settings cannot be used, the old ones hold: %s", error)
        return
    app.messaging.set_policy(settings.policy_values())
    log.info("the section [policy] is taken anew; other sections hold from the next start on")


def stop_asked() -> asyncio.Event:
    """Set by SIGTERM and SIGINT (also where a shell started us with SIGINT ignored)."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop


def watch_stdin(stop: asyncio.Event) -> None:
    """Set the event when stdin ends."""
    loop, stdin = asyncio.get_running_loop(), sys.stdin.fileno()

    def readable() -> None:
        if not os.read(stdin, 4096):
            loop.remove_reader(stdin)
            stop.set()

    loop.add_reader(stdin, readable)


def settle_memory() -> None:
    """What is there now stays: the cycle collector need not look at it again, nor so often at what messages leave,
    which reference counts free (a message leaves no cycle). What is under way is looked at in bites of at most
    200,000 objects, so that nobody waits long for the collector."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 10, 100)


def tell_systemd(state: str) -> None:
    """sd_notify(3), when a service manager asked for it."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        try:
            sock.sendto(state.encode(), "\0" + address[1:] if address.startswith("@") else address)
        except OSError as error:
            log.warning("the service manager does not hear us: %s", error)


def set_up_logging(level: str) -> None:
    """To stderr; the journal adds the time itself (and wants the syslog level in front)."""
    form = "%(levelname).1s %(name)s: %(message)s"
    if "JOURNAL_STREAM" not in os.environ:
        form = "%(asctime)s " + form
    logging.basicConfig(level=level.upper(), format=form, stream=sys.stderr, datefmt="%H:%M:%S")
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
