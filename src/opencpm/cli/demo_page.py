"""The demo with its page: runs until Ctrl-C."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import sys
import webbrowser
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import click
import uvicorn

from opencpm.app.signals import stop_asked
from opencpm.cli.demo_setup import prepare
from opencpm.cli.options import print_json
from opencpm.lab.demo_api import LabDesk, card, lab_api
from opencpm.lab.town import Prepared, Wishes
from opencpm.lab.world import World

HOST = "127.0.0.1"


async def play(folder: Path, port: int, browse: bool, as_json: bool) -> None:
    """Start everything, say where, open the page, and stay until SIGINT or SIGTERM."""
    stop = stop_asked()
    async with World(folder, prepare, with_home=True) as world, _listening(lab_api(LabDesk(world))) as lab:
        world.preparing(lambda where, wishes: _with_card(where, wishes, lab))
        await world.start_server({"host": HOST, "port": _free(port)})
        await world.bob_signs_in()
        host, at = world.server.endpoints["web"]["http"]
        url = f"http://{host}:{at}/"
        _say(world, url, as_json)
        if browse and _has_screen():
            await asyncio.to_thread(webbrowser.open, url)
        await stop.wait()


async def _with_card(folder: Path, wishes: Wishes, lab: str) -> Prepared:
    """The settings name the lab and Alice's token, so that the server can tell its page."""
    return await prepare(folder, wishes, lambda tokens: card(lab, tokens["alice"]))


def _say(world: World, url: str, as_json: bool) -> None:
    if as_json:
        print_json({"ready": True, "page": url, "endpoints": world.server.endpoints})
        return
    click.echo(f"The page:      {url}")
    click.echo(f"The API:       {url}api/docs")
    password = world.prepared.passwords["alice"]
    for kind, (host, port) in world.server.endpoints["sip"].items():
        click.echo(f"{'SIP over ' + kind.upper():<14} {host}:{port}   (user alice, password {password})")
    click.echo("Stop with Ctrl-C.")


class _Quiet(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Ctrl-C belongs to the command."""
        yield


@asynccontextmanager
async def _listening(app: Any) -> AsyncIterator[str]:
    """Serve on a free port of this machine; gives the address."""
    listener = socket.create_server((HOST, 0))
    config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=1)
    server = _Quiet(config)
    serving = asyncio.create_task(server.serve([listener]))
    try:
        yield f"http://{HOST}:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await serving


def _has_screen() -> bool:
    """Elsewhere a browser in text mode would take over the terminal."""
    if sys.platform in ("darwin", "win32"):
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))


def _free(port: int) -> int:
    """The port, or 0 where somebody has it."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((HOST, port))
        except OSError:
            return 0
    return port
