"""What linked accounts cost: thousands of them in one server, each signed in at the lab's MSN service."""

from __future__ import annotations

import asyncio
import os
import resource
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple

from opencpm.lab.msn.log import Line
from opencpm.lab.msn.service import LabMsn
from opencpm.lab.process import ServerProcess

KEYS = ("msn_account_kb", "msn_rest_cpu_percent", "msn_restore_seconds")
ACCOUNTS = 2000
CONTACTS = 5  # of each account, all of them accounts here
REST = 20.0  # seconds over which the CPU time at rest is taken
AT_A_TIME = 64  # sign-ons; no limit a second
PATIENCE = 300.0
_SPARE_FILES = 256


class Linked(NamedTuple):
    """One account to be linked, by a user of its own."""

    user: str
    address: str
    password: str


PrepareAccounts = Callable[[Path, dict[str, Any], list[Linked]], Awaitable[Path]]
"""(folder, settings of the network "msn", accounts): writes settings and people; returns the settings file."""


async def measure_accounts(prepare: PrepareAccounts, count: int = ACCOUNTS, rest: float = REST) -> dict[str, Any]:
    """Memory of an account, CPU at rest, and the time until all are back after kill -9."""
    room = _more_files(count * 2 + _SPARE_FILES) - _SPARE_FILES
    count = min(count, room // 2)
    async with LabMsn() as lab:
        accounts = _open_accounts(lab, count)
        with tempfile.TemporaryDirectory(prefix="opencpm-bench-") as where:
            empty = await _memory_without(prepare, Path(where) / "empty", lab)
            config = await prepare(_made(Path(where) / "full"), _network(lab), accounts)
            server = ServerProcess(config, Path(where) / "server.log")
            first = await _start_until_all_are_online(server, lab, accounts)
            memory = _resident_kb(server.pid)
            before, at = _cpu(server.pid), time.monotonic()
            await asyncio.sleep(rest)
            busy = (_cpu(server.pid) - before) / (time.monotonic() - at)
            await server.kill()
            again = await _start_until_all_are_online(server, lab, accounts)
            version = lab.dialect_of(accounts[0].address)
            await server.stop()
    return {
        "msn_accounts": count,
        "msn_account_kb": round((memory - empty) / count, 1),
        "msn_rest_cpu_percent": round(busy * 100, 2),
        "msn_restore_seconds": round(again, 1),
        "msn_first_sign_in_seconds": round(first, 1),
        "msn_version": version,
    }


def _open_accounts(lab: LabMsn, count: int) -> list[Linked]:
    addresses = [f"user{number}@msn.test" for number in range(count)]
    accounts = [lab.account(address) for address in addresses]
    for number, address in enumerate(addresses):
        for step in range(1, min(CONTACTS, count - 1) + 1):
            lab.befriend(address, addresses[(number + step) % count])
    return [Linked(f"user{number}", a.address, a.password) for number, a in enumerate(accounts)]


def _network(lab: LabMsn) -> dict[str, Any]:
    return {"type": "msn", **lab.settings, "sign_ons_at_a_time": AT_A_TIME, "sign_ons_per_second": 0.0}


async def _memory_without(prepare: PrepareAccounts, folder: Path, lab: LabMsn) -> int:
    """What the server takes with one account: the rooms are loaded, nobody else is there."""
    only = lab.account("only@msn.test")
    linked = [Linked("only", only.address, only.password)]
    server = ServerProcess(await prepare(_made(folder), _network(lab), linked), folder / "server.log")
    await _start_until_all_are_online(server, lab, linked)
    memory = _resident_kb(server.pid)
    await server.stop()
    return memory


async def _start_until_all_are_online(server: ServerProcess, lab: LabMsn, accounts: list[Linked]) -> float:
    """Seconds from the start of the process. Online is who has published their presence. :raises TimeoutError:"""
    missing, everybody = {account.address for account in accounts}, asyncio.Event()

    def heard(line: Line) -> None:
        if line.verb == "CHG" and line.direction == "S":
            missing.discard(line.account)
            if not missing:
                everybody.set()

    end = lab.log.subscribe(heard)
    began = time.monotonic()
    try:
        await server.start()
        async with asyncio.timeout(PATIENCE):
            await everybody.wait()
        return time.monotonic() - began
    finally:
        end()


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _resident_kb(pid: int) -> int:
    """See proc(5): VmRSS of status."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS:")).split()[1])


def _cpu(pid: int) -> float:
    """Seconds of CPU time, proc(5), fields 14 and 15 of stat."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _more_files(wanted: int) -> int:
    """Let this process and those it starts hold so many files, as far as the system allows; how many it is."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        soft = min(wanted, hard) if hard != resource.RLIM_INFINITY else wanted
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return soft
