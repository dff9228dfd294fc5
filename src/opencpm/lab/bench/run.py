"""The scenarios: the server in its own process, the SMS centre in another, the load in this one."""

from __future__ import annotations

import asyncio
import os
import platform
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from opencpm.lab.bench.load import Count, Job, carry
from opencpm.lab.bench.texts import message
from opencpm.lab.bench.wire import LoadDevice
from opencpm.lab.http import Api
from opencpm.lab.process import ServerProcess

DOMAIN = "cpm.test"
SENDERS = 4
WARM_UP = 500
LOOK = 0.1


@dataclass(frozen=True, slots=True)
class Rig:
    """What a scenario's server is to be."""

    storage: bool = True
    receipts: str = "always"


@dataclass(frozen=True, slots=True)
class Ready:
    """Settings on disk with the users of the benchmark: ``password`` is everybody's."""

    config: Path
    password: str
    token: str


Prepare = Callable[[Path, Rig, int], Awaitable[Ready]]
"""(folder, rig, port of the SMS centre); users are load0.. and far0.. (each SENDERS) and "away"."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """One figure."""

    key: str
    rig: Rig
    transport: str
    receipt: bool
    to: str  # sms, sip or away
    done_on: str


SCENARIOS = (
    Scenario("sip_to_sms_receipt_us", Rig(), "UDP", True, "sms", "notices"),
    Scenario("sip_to_sms_us", Rig(receipts="asked"), "UDP", False, "sms", "accepted"),
    Scenario("no_storage_us", Rig(storage=False), "UDP", True, "sms", "notices"),
    Scenario("sip_to_sip_us", Rig(), "UDP", False, "sip", "arrived"),
    Scenario("offline_store_us", Rig(), "UDP", False, "away", "accepted"),
    Scenario("sip_to_sms_receipt_tcp_us", Rig(), "TCP", True, "sms", "notices"),
    Scenario("sip_to_sip_tcp_us", Rig(), "TCP", False, "sip", "arrived"),
)


async def measure(
    prepare: Prepare,
    messages: int,
    window: int,
    wanted: Sequence[str] = (),
    profile: Path | None = None,
    tell: Callable[[str], None] = lambda text: None,
) -> dict[str, Any]:
    """All scenarios, or those wanted; CPU µs a message and what else was seen."""
    found: dict[str, Any] = {}
    async with sms_centre() as port:
        for scenario in SCENARIOS:
            if wanted and scenario.key not in wanted:
                continue
            tell(scenario.key)
            found |= await _one(scenario, prepare, port, messages, window, profile)
    found |= {
        "messages": messages,
        "window": window,
        "python": f"{platform.python_implementation()} {platform.python_version()} ({sys.executable})",
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "no_storage_is": "the first one with a store that acknowledges and drops (store_messages = false)",
    }
    return found


async def _one(
    scenario: Scenario, prepare: Prepare, port: int, messages: int, window: int, profile: Path | None
) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="opencpm-bench-") as where:
        folder = Path(where)
        ready = await prepare(folder, scenario.rig, port)
        dump = profile / f"{scenario.key}.prof" if profile else None
        server = ServerProcess(ready.config, folder / "server.log", dump)
        await server.start()
        try:
            api = Api(*server.endpoints["web"]["http"], ready.token)
            await _linked(api)
            cpu, count = await _load(scenario, server, ready, api, messages, window)
        finally:
            await server.stop()
    latencies, name = sorted(count.latencies), scenario.key.removesuffix("_us")
    return {
        scenario.key: round((cpu.user + cpu.system) * 1e6 / messages, 1),
        f"{name}_user_us": round(cpu.user * 1e6 / messages, 1),
        f"{name}_system_us": round(cpu.system * 1e6 / messages, 1),
        f"{name}_per_second": round(messages / count.seconds),
        f"{name}_202_p50_ms": round(latencies[len(latencies) // 2] * 1e3, 2),
        f"{name}_202_p99_ms": round(latencies[len(latencies) * 99 // 100] * 1e3, 2),
    }


async def _load(
    scenario: Scenario, server: ServerProcess, ready: Ready, api: Api, messages: int, window: int
) -> tuple[Cpu, Count]:
    """CPU time of the server for the messages, without the warm-up."""
    where = server.endpoints["sip"][scenario.transport.lower()]
    senders, receivers = _devices("load", ready, where, scenario), []
    if scenario.to == "sip":
        receivers = _devices("far", ready, where, scenario)
    builds = [(d, message(d.user, DOMAIN, d.local, d.transport, receipt=scenario.receipt)) for d in senders]

    def job(count: int, first: int) -> Job:
        return Job(
            senders=builds, receivers=receivers, targets=_targets(scenario.to), messages=count, window=window,
            done_on=scenario.done_on, first=first,
        )  # fmt: skip

    try:
        await asyncio.to_thread(carry, job(WARM_UP, 0))
        await _settled(api, scenario)
        before = cpu_of(server.pid)
        count = await asyncio.to_thread(carry, job(messages, WARM_UP))
        await _settled(api, scenario)
        return cpu_of(server.pid).since(before), count
    finally:
        for device in (*senders, *receivers):
            device.close()


def _devices(prefix: str, ready: Ready, where: tuple[str, int], scenario: Scenario) -> list[LoadDevice]:
    devices = [LoadDevice(f"{prefix}{n}", DOMAIN, ready.password, where, scenario.transport) for n in range(SENDERS)]
    for device in devices:
        device.register()
    return devices


def _targets(to: str) -> list[str]:
    if to == "sms":
        return [f"tel:+1202555{n:04d}" for n in range(200, 1200)]
    return [f"sip:away@{DOMAIN}"] if to == "away" else [f"sip:far{n}@{DOMAIN}" for n in range(SENDERS)]


async def _linked(api: Api) -> None:
    while True:
        status = await api.get("/status")
        if all(one["state"] == "up" for one in status["connectors"]):
            return
        await asyncio.sleep(LOOK)


async def _settled(api: Api, scenario: Scenario) -> None:
    """Until nothing is under way any more."""
    busy = ("sending",) if scenario.to == "away" else ("sending", "queued")
    while True:
        counts = (await api.get("/status"))["counts"]
        if not any(counts.get(state, 0) for state in busy):
            return
        await asyncio.sleep(LOOK)


class Cpu(NamedTuple):
    """Seconds of a process with all its threads."""

    user: float
    system: float

    def since(self, before: Cpu) -> Cpu:
        return Cpu(self.user - before.user, self.system - before.system)


def cpu_of(pid: int) -> Cpu:
    """See proc(5), fields 14 and 15 of stat."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    tick = os.sysconf("SC_CLK_TCK")
    return Cpu(int(fields[11]) / tick, int(fields[12]) / tick)


@asynccontextmanager
async def sms_centre() -> AsyncIterator[int]:
    """A stand-in SMS centre in its own process; gives its port."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "opencpm.lab.smsc", "--port", "0", "--no-log",
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        async with asyncio.timeout(20):
            line = await process.stdout.readline()
        yield int(line.decode().rpartition(":")[2])
    finally:
        process.terminate()
        await process.wait()
