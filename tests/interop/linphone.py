"""linphone without a screen: its daemon and its console program, driven over their standard input."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.interop.house import DOMAIN, HOST
from tests.interop.programs import Program, running

CONFIG = """\
[sip]
bind_address={host}
sip_port=-1
sip_tcp_port=-1
sip_tls_port=-1
root_ca={authority}
verify_server_cn=0
use_ipv6=0
register_only_when_network_is_up=0
register_only_when_upnp_is_ok=0
default_proxy=0
keepalive_period=60000

[net]
firewall_policy=0

[lime]
enabled=0

[proxy_0]
reg_proxy=<sip:{host}:{server};transport={transport}>
reg_route=<sip:{host}:{server};transport={transport};lr>
reg_identity=sip:{user}@{domain}
reg_expires=600
reg_sendregister=1
publish=0

[auth_info_0]
username={user}
passwd={password}
realm={domain}
domain={domain}
algorithm={algorithm}
"""
QUIET = ("--disable-stats-events",)


class Daemon:
    """linphone-daemon: commands in, "Status: Ok" out; events are asked for."""

    def __init__(self, program: Program, log: Path) -> None:
        self.program, self._log = program, log

    async def command(self, line: str) -> None:
        await self.program.write(line)
        await self.program.says(r"Status: Ok")

    async def message(self, to: str, text: str) -> None:
        await self.command(f"message {to} {text}")

    def log(self) -> str:
        """What went over its wire, among other things."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""


@asynccontextmanager
async def daemon(
    home: Path, user: str, password: str, server: int, transport: str = "udp", algorithm: str = "MD5"
) -> AsyncIterator[Daemon]:
    config, log = _prepare(home, user, password, server, transport, algorithm)
    command = ("linphone-daemon", "--config", str(config), "--log", str(log), *QUIET)
    async with running(*command, home=home) as program:
        yield Daemon(program, log)


@asynccontextmanager
async def console(home: Path, user: str, password: str, server: int, transport: str = "udp") -> AsyncIterator[Program]:
    config, log = _prepare(home, user, password, server, transport)
    async with running("linphonec", "-c", str(config), "-d", "6", "-l", str(log), home=home) as program:
        yield program


def _prepare(
    home: Path, user: str, password: str, server: int, transport: str, algorithm: str = "MD5"
) -> tuple[Path, Path]:
    home.mkdir()
    for folder in (".config", ".local/share/linphone", ".cache"):
        (home / folder).mkdir(parents=True)
    config = home / "linphonerc"
    config.write_text(
        CONFIG.format(
            host=HOST,
            authority=home.parent / "certificate.pem",
            server=server,
            transport=transport,
            user=user,
            domain=DOMAIN,
            password=password,
            algorithm=algorithm,
        )
    )
    return config, home / "log"
