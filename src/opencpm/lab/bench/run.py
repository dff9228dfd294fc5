"""The scenarios: the server in its own process, the SMS centre in another, the load in this one."""

from __future__ import annotations

import asyncio
import os
import platform
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opencpm.lab.bench import kannel
from opencpm.lab.bench.cpu import Cpu, cpu_of
from opencpm.lab.bench.load import Count, Job, carry
from opencpm.lab.bench.smpp import LoadCentre, LoadEsme, LoadPeer, SmppJob, carry_smpp
from opencpm.lab.bench.texts import LONG_TEXT, TEXT, message
from opencpm.lab.bench.wire import LoadDevice
from opencpm.lab.http import Api
from opencpm.lab.process import ServerProcess

DOMAIN = "cpm.test"
SENDERS = 4
WARM_UP = 500
LOOK = 0.1
KANNEL_MESSAGES = 3000
_BY_SMPP = ("esme", "phone")
_UNDER_WAY = ("sending", "queued")


@dataclass(frozen=True, slots=True)
class Rig:
    """What a scenario's server is to be."""

    storage: bool = True
    receipts: str = "always"
    smpp: bool = False  # ESMEs may bind


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
    to: str  # sms, sip or away; esme: from an ESME to sms; phone: from a phone to devices
    done_on: str
    text: str = TEXT


SCENARIOS = (
    Scenario("sip_to_sms_receipt_us", Rig(), "UDP", True, "sms", "notices"),
    Scenario("sip_to_sms_us", Rig(receipts="asked"), "UDP", False, "sms", "accepted"),
    Scenario("no_storage_us", Rig(storage=False), "UDP", True, "sms", "notices"),
    Scenario("sip_to_sip_us", Rig(), "UDP", False, "sip", "arrived"),
    Scenario("offline_store_us", Rig(), "UDP", False, "away", "accepted"),
    Scenario("sip_to_sms_long_us", Rig(), "UDP", True, "sms", "notices", LONG_TEXT),
    Scenario("smpp_submit_route_submit_us", Rig(receipts="asked", smpp=True), "SMPP", False, "esme", "accepted"),
    Scenario("mo_to_device_us", Rig(), "UDP", False, "phone", "arrived"),
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
        if kannel.installed() and (not wanted or set(wanted) & set(kannel.KEYS)):
            tell(kannel.KEYS[0])
            with tempfile.TemporaryDirectory(prefix="opencpm-bench-") as where:
                found |= await kannel.measure_kannel(Path(where), port, min(messages, KANNEL_MESSAGES), window)
    found |= _beside_kannel(found)
    found |= {
        "messages": messages,
        "window": window,
        "python": f"{platform.python_implementation()} {platform.python_version()} ({sys.executable})",
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "no_storage_is": "the first one with a store that acknowledges and drops (store_messages = false)",
    }
    return found


def _beside_kannel(found: Mapping[str, Any]) -> dict[str, Any]:
    """Our share of what Kannel takes for the same, where both were measured in this run."""
    pairs = (("sip_to_sms", "kannel_us"), ("sip_to_sms_receipt", "kannel_receipt_us"))
    return {
        f"{ours}_of_kannel": round(found[f"{ours}_us"] / found[theirs], 3)
        for ours, theirs in pairs
        if f"{ours}_us" in found and found.get(theirs)
    }


async def _one(
    scenario: Scenario, prepare: Prepare, port: int, messages: int, window: int, profile: Path | None
) -> dict[str, Any]:
    centre = LoadCentre() if scenario.to == "phone" else None
    with tempfile.TemporaryDirectory(prefix="opencpm-bench-") as where:
        folder = Path(where)
        ready = await prepare(folder, scenario.rig, centre.port if centre else port)
        dump = profile / f"{scenario.key}.prof" if profile else None
        server = ServerProcess(ready.config, folder / "server.log", dump)
        await server.start()
        try:
            if centre is not None:
                await asyncio.to_thread(centre.bound)
            api = Api(*server.endpoints["web"]["http"], ready.token)
            await _linked(api)
            load = _smpp_load(scenario, server, ready, centre) if scenario.to in _BY_SMPP else None
            cpu, count = await (load or _sip_load(scenario, server, ready)).measured(server, api, messages, window)
        finally:
            await server.stop()
            if centre is not None:
                centre.close()
    return _figures(scenario, cpu, count, messages)


def _figures(scenario: Scenario, cpu: Cpu, count: Count, messages: int) -> dict[str, Any]:
    latencies, name = sorted(count.latencies), scenario.key.removesuffix("_us")
    answer = "response" if scenario.to in _BY_SMPP else "202"
    return {
        scenario.key: round((cpu.user + cpu.system) * 1e6 / messages, 1),
        f"{name}_user_us": round(cpu.user * 1e6 / messages, 1),
        f"{name}_system_us": round(cpu.system * 1e6 / messages, 1),
        f"{name}_per_second": round(messages / count.seconds),
        f"{name}_{answer}_p50_ms": round(latencies[len(latencies) // 2] * 1e3, 2),
        f"{name}_{answer}_p99_ms": round(latencies[len(latencies) * 99 // 100] * 1e3, 2),
    }


@dataclass(slots=True)
class Load:
    """``run(messages, first serial number, window)`` carries so many."""

    run: Callable[[int, int, int], Count]
    ends: Sequence[LoadDevice | LoadPeer]
    busy: tuple[str, ...]  # states of deliveries that are under way

    async def measured(self, server: ServerProcess, api: Api, messages: int, window: int) -> tuple[Cpu, Count]:
        """CPU time of the server for the messages, without the warm-up."""
        try:
            await asyncio.to_thread(self.run, WARM_UP, 1, window)
            await _settled(api, self.busy)
            before = cpu_of(server.pid)
            count = await asyncio.to_thread(self.run, messages, 1 + WARM_UP, window)
            await _settled(api, self.busy)
            return cpu_of(server.pid).since(before), count
        finally:
            for end in self.ends:
                end.close()


def _sip_load(scenario: Scenario, server: ServerProcess, ready: Ready) -> Load:
    where = server.endpoints["sip"][scenario.transport.lower()]
    senders = _devices("load", ready, where, scenario)
    receivers = _devices("far", ready, where, scenario) if scenario.to == "sip" else []
    builds = [
        (d, message(d.user, DOMAIN, d.local, d.transport, receipt=scenario.receipt, text=scenario.text))
        for d in senders
    ]

    def run(count: int, first: int, window: int) -> Count:
        return carry(
            Job(
                senders=builds, receivers=receivers, targets=_targets(scenario.to), messages=count, window=window,
                done_on=scenario.done_on, first=first,
            )
        )  # fmt: skip

    return Load(run, [*senders, *receivers], ("sending",) if scenario.to == "away" else _UNDER_WAY)


def _smpp_load(scenario: Scenario, server: ServerProcess, ready: Ready, centre: LoadCentre | None) -> Load:
    """An ESME for each sender, or the SMS centre and a device for each receiver."""
    devices: list[LoadDevice] = []
    peers: list[tuple[LoadPeer, list[str]]]
    if centre is None:
        where, phones = server.endpoints["smpp"]["smpp"], [number(n)[1:] for n in range(200, 1200)]
        peers = [(LoadEsme(f"load{n}", ready.password, number(n)[1:], where), phones) for n in range(SENDERS)]
    else:
        devices = _devices("load", ready, server.endpoints["sip"][scenario.transport.lower()], scenario)
        peers = [(centre.peer, [number(n)[1:] for n in range(SENDERS)])]

    def run(count: int, first: int, window: int) -> Count:
        return carry_smpp(SmppJob(peers=peers, devices=devices, messages=count, window=window, first=first))

    return Load(run, [*devices, *(peer for peer, _ in peers)], _UNDER_WAY)


def number(n: int) -> str:
    """The telephone number of the ``n``-th person."""
    return f"+1202555{n:04d}"


def _devices(prefix: str, ready: Ready, where: tuple[str, int], scenario: Scenario) -> list[LoadDevice]:
    devices = [LoadDevice(f"{prefix}{n}", DOMAIN, ready.password, where, scenario.transport) for n in range(SENDERS)]
    for device in devices:
        device.register()
    return devices


def _targets(to: str) -> list[str]:
    if to == "sms":
        return [f"tel:{number(n)}" for n in range(200, 1200)]
    return [f"sip:away@{DOMAIN}"] if to == "away" else [f"sip:far{n}@{DOMAIN}" for n in range(SENDERS)]


async def _linked(api: Api) -> None:
    while True:
        status = await api.get("/status")
        if all(one["state"] == "up" for one in status["connectors"]):
            return
        await asyncio.sleep(LOOK)


async def _settled(api: Api, busy: Sequence[str]) -> None:
    """Until nothing is under way any more."""
    while True:
        counts = (await api.get("/status"))["counts"]
        if not any(counts.get(state, 0) for state in busy):
            return
        await asyncio.sleep(LOOK)


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
