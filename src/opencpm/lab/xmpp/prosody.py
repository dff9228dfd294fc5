"""Prosody, where it is installed: a real XMPP server with our component and people, on loopback, in its own folder."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import socket
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

HOST = "127.0.0.1"
DOMAIN, COMPONENT, ROOMS = "xmpp.test", "cpm.xmpp.test", "rooms.xmpp.test"
_PATIENCE = 15.0

# No server to server, no TLS: nothing leaves this machine. The rest is what a server for people has as a rule.
_CONFIG = """
daemonize = false
run_as_root = {root}
data_path = "{folder}/data"
certificates = "{folder}"
log = {{ info = "*console" }}
plugin_paths = {{ }}
interfaces = {{ "{host}" }}
modules_enabled = {{ "roster"; "saslauth"; "disco"; "ping"; "private"; "vcard_legacy"; "carbons"; "offline"; "blocklist"; "pep" }}
modules_disabled = {{ "s2s"; "tls" }}
component_ports = {{ {component_port} }}
component_interfaces = {{ "{host}" }}
c2s_ports = {{ {client_port} }}
c2s_interfaces = {{ "{host}" }}
c2s_direct_tls_ports = {{ }}
legacy_ssl_ports = {{ }}
c2s_require_encryption = false
allow_unencrypted_plain_auth = true
allow_registration = false
authentication = "internal_plain"
storage = "internal"
VirtualHost "{domain}"
Component "{component}"
  component_secret = "{secret}"
Component "{rooms}" "muc"
  restrict_room_creation = false
"""  # noqa: E501


def installed() -> bool:
    return shutil.which("prosody") is not None


class ProsodyServer:
    """``async with`` starts it and ends it by its own process id."""

    def __init__(self, folder: Path, people: Sequence[str] = ("bob",)) -> None:
        self.folder = folder
        self.passwords = {user: secrets.token_hex(8) for user in people}
        self.client_port = self.component_port = 0
        self.said: list[str] = []
        self._secret = secrets.token_hex(8)
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None

    @property
    def settings(self) -> dict[str, Any]:
        """Of a network that is to be this server's component."""
        return {"host": HOST, "port": self.component_port, "component": COMPONENT, "secret": self._secret}

    async def __aenter__(self) -> Self:
        self._prepare()
        await self.up()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.down()

    async def up(self) -> None:
        """Start it; after ``down``, on the same ports with the same data. Raises RuntimeError with what it said."""
        self._process = process = await asyncio.create_subprocess_exec(
            "prosody", "--config", str(self.folder / "prosody.cfg.lua"), "-F",
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        ready = asyncio.Event()
        self._reading = asyncio.create_task(self._read(process, ready))
        try:
            async with asyncio.timeout(_PATIENCE):
                await ready.wait()
        except TimeoutError:
            await self.down()
        if process.returncode is not None or self._process is None:
            raise RuntimeError("Prosody did not start: " + " / ".join(self.said[-5:]))

    async def down(self) -> None:
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            process.terminate()
            try:
                async with asyncio.timeout(5):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()
        if self._reading is not None:
            await self._reading

    async def _read(self, process: asyncio.subprocess.Process, ready: asyncio.Event) -> None:
        """Its log; it is ready once both kinds of ports are open."""
        assert process.stdout is not None
        opened: set[str] = set()
        while line := (await process.stdout.readline()).decode("utf-8", "replace"):
            self.said = [*self.said[-500:], line.rstrip()]
            opened.update(kind for kind in ("'c2s'", "'component'") if "Activated service" in line and kind in line)
            if len(opened) == 2:
                ready.set()
        ready.set()

    def _prepare(self) -> None:
        accounts = self.folder / "data" / quote(DOMAIN).replace(".", "%2e") / "accounts"
        accounts.mkdir(parents=True)
        for user, password in self.passwords.items():
            (accounts / f"{user}.dat").write_text(f'return {{ ["password"] = "{password}"; }};\n')
        self.component_port, self.client_port = _free_ports()
        config = _CONFIG.format(
            root="true" if os.geteuid() == 0 else "false",
            folder=self.folder.as_posix(),
            host=HOST,
            component_port=self.component_port,
            client_port=self.client_port,
            domain=DOMAIN,
            component=COMPONENT,
            secret=self._secret,
            rooms=ROOMS,
        )
        path = self.folder / "prosody.cfg.lua"
        path.write_text(config)
        path.chmod(0o600)


def _free_ports() -> tuple[int, int]:
    """Two that are free now: Prosody cannot choose one itself."""
    with socket.socket() as one, socket.socket() as other:
        one.bind((HOST, 0))
        other.bind((HOST, 0))
        return int(one.getsockname()[1]), int(other.getsockname()[1])
