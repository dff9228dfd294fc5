"""baresip without a screen, driven over its TCP control port."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from tests.interop.house import DOMAIN, HOST, free_port
from tests.interop.programs import Program, running

CONFIG = """\
sip_listen {host}:0
net_interface {host}
dns_server {host}:9
module_path {modules}
module stdio.so
module_app account.so
module_app contact.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen {host}:{port}
"""
PLACES = ("/usr/lib/baresip/modules", "/usr/local/lib/baresip/modules", "/usr/lib64/baresip/modules")


class Baresip:
    """One running baresip. What it prints is in `program`."""

    def __init__(self, program: Program, port: int) -> None:
        self.program, self._port = program, port
        self._reader: asyncio.StreamReader
        self._writer: asyncio.StreamWriter

    async def connect(self) -> None:
        await self.program.says("baresip is ready")
        self._reader, self._writer = await asyncio.open_connection(HOST, self._port)

    async def command(self, name: str, parameters: str = "") -> str:
        """Give a command (in a netstring); what it answered."""
        request = json.dumps({"command": name, "params": parameters, "token": "t"}).encode()
        self._writer.write(b"%d:%s," % (len(request), request))
        async with asyncio.timeout(10):
            while True:
                size = int((await self._reader.readuntil(b":"))[:-1])
                answer = json.loads((await self._reader.readexactly(size + 1))[:-1])
                if answer.get("response"):
                    return str(answer["data"])

    async def message(self, text: str) -> None:
        """Send to the current contact."""
        await self.command("message", text)

    async def quit(self) -> int:
        """Unregister and end; its exit status."""
        self._writer.write(b'18:{"command":"quit"},')
        status = await self.program.ended()
        self._writer.close()
        return status


@asynccontextmanager
async def baresip(
    home: Path, user: str, password: str, server: int, *, contact: str = "", transport: str = "udp"
) -> AsyncIterator[Baresip]:
    """`contact` is whom it writes to; `server` our port for `transport`."""
    port = free_port(socket.SOCK_STREAM)
    home.mkdir()
    proxy = f"sip:{HOST}:{server};transport={transport}"
    account = f'<sip:{user}@{DOMAIN};transport={transport}>;auth_pass="{password}";outbound="{proxy}";regint=600'
    (home / "config").write_text(CONFIG.format(host=HOST, modules=_modules(), port=port))
    authority = home.parent / "certificate.pem"
    if authority.exists():
        with (home / "config").open("a") as config:
            config.write(f"sip_cafile {authority}\n")
    (home / "accounts").write_text(account + "\n")
    (home / "contacts").write_text(f'"Peer" <{contact}>\n' if contact else "")
    async with running("baresip", "-4", "-s", "-f", str(home), home=home) as program:
        one = Baresip(program, port)
        await one.connect()
        if contact:
            await one.command("contact_next")
        yield one


def _modules(places: Sequence[str] = PLACES) -> str:
    return next((place for place in places if Path(place).is_dir()), places[0])
