"""Exim as the relay between our mail gateway and mailboxes of its own, as a daemon of the test's."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.interop.programs import running

_CONFIGURATION = """\
primary_hostname = mail.test
qualify_domain = mail.test
spool_directory = {folder}/spool
log_file_path = {folder}/log/%slog
local_interfaces = 127.0.0.1
daemon_smtp_ports = {port}
acl_smtp_rcpt = accept
acl_smtp_data = accept
dsn_advertise_hosts = *
tls_advertise_hosts =
host_lookup =
rfc1413_query_timeout = 0s
deliver_drop_privilege = true
local_from_check = false
keep_environment =
add_environment = PATH=/usr/bin:/bin
log_selector = +smtp_confirmation

begin routers
back:
  driver = manualroute
  domains = {domain}
  route_list = * 127.0.0.1
  self = send
  transport = out
nobody:
  driver = redirect
  local_parts = nobody
  allow_fail
  data = :fail: no such mailbox
box:
  driver = accept
  domains = mail.test
  local_parts = bob
  transport = box

begin transports
out:
  driver = smtp
  port = {ours}
  hosts_try_auth =
box:
  driver = appendfile
  file = {folder}/mbox
  create_file = anywhere
  check_owner = false
  use_lockfile = false

begin retry
* * F,1h,1s
"""


@dataclass
class Exim:
    folder: Path
    port: int

    @property
    def mailbox(self) -> str:
        file = self.folder / "mbox"
        return file.read_text(errors="replace") if file.exists() else ""

    @property
    def log(self) -> str:
        return "".join(file.read_text(errors="replace") for file in sorted((self.folder / "log").glob("*log")))


def free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port: int = held.getsockname()[1]
        return port


@asynccontextmanager
async def exim(port: int, ours: int, domain: str) -> AsyncIterator[Exim]:
    """A daemon that takes mail for everybody on ``port``, and brings that for ``domain`` to our port.

    It gives up root, so its folder stands where its own user can reach it.
    """
    with TemporaryDirectory(prefix="opencpm-exim-") as place:
        folder = Path(place)
        for name in (".", "spool", "log"):
            (folder / name).mkdir(exist_ok=True)
            os.chmod(folder / name, 0o777)
        configuration = folder / "exim.conf"
        configuration.write_text(_CONFIGURATION.format(folder=folder, port=port, ours=ours, domain=domain))
        async with running("exim4", "-bdf", "-q5s", "-C", str(configuration), home=folder) as program:
            async with asyncio.timeout(15):
                while not await _listens(port):
                    assert not program.said, program.said
                    await asyncio.sleep(0.05)
            yield Exim(folder, port)


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True
