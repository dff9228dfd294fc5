"""What telephone calls cost: so many lines called at the same moment, each brought a text as sound."""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path
from typing import Any

from opencpm.lab.bench.cpu import cpu_of
from opencpm.lab.line import LabExchange
from opencpm.lab.town import Person, Prepare, Town, Wishes

KEYS = ("line_call_ms",)
CALLS = 200
PATIENCE = 90.0
_CENTRE, _ALICE = "+442079460199", "+442079460100"
_TEXT = ("The quick brown fox jumps over the lazy dog. " * 4)[:160]
_LOOK = 0.05


async def measure_lines(prepare: Prepare, calls: int = CALLS) -> dict[str, Any]:
    """CPU of the whole server for each call, from the message to the last BYE, and what became of the texts.

    The exchange with its handsets, and the device that sends, run in this process.
    """
    with tempfile.TemporaryDirectory(prefix="opencpm-bench-") as folder:
        async with LabExchange() as exchange, Town(Path(folder), prepare) as town:
            numbers = [f"+4420794{at:05d}" for at in range(calls)]
            handsets = [exchange.handset(number, _CENTRE) for number in numbers]
            await town.serve(_wishes(exchange, calls))
            async with town.device(transport="UDP") as device:
                await device.register()
                before, began = cpu_of(town.server.pid), time.monotonic()
                for number in numbers:
                    await device.message(f"tel:{number}", _TEXT, wants=())
                most = await _until_quiet(exchange, calls)
                spent, lasted = cpu_of(town.server.pid).since(before), time.monotonic() - began
            status = await town.api().get("/status")
    facts = next(one["facts"] for one in status["connectors"] if one["name"] == "line")
    return {
        "line_call_ms": round(1000 * (spent.user + spent.system) / calls, 1),
        "line_calls": calls,
        "line_calls_at_once": most,
        "line_texts_delivered": sum(len(handset.texts) == 1 for handset in handsets),
        "line_core_percent": round(100 * (spent.user + spent.system) / lasted, 1),
        "line_late_beats": facts["late beats"],
        "line_seconds": round(lasted, 1),
    }


def _wishes(exchange: LabExchange, calls: int) -> Wishes:
    host, port = exchange.address
    network = {
        "type": "fixedline",
        "listen_port": 0,
        "host": host,
        "port": port,
        "number": _CENTRE,
        "calls": min(calls, 500),
    }
    return Wishes(
        networks={"line": network},
        sections={"policy": {"order": ["line"], "home_region": "GB"}},
        people=(Person("alice", "Alice", _ALICE),),
    )


async def _until_quiet(exchange: LabExchange, calls: int) -> int:
    """Until so many calls were made and nobody talks any more; how many talked at once. :raises TimeoutError:"""
    most = 0
    async with asyncio.timeout(PATIENCE):
        while len(exchange.log) < min(calls, 200) or exchange.phone.agent.calls:
            most = max(most, exchange.phone.agent.calls)
            await asyncio.sleep(_LOOK)
    return most
