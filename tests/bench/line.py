"""What telephone calls cost the server: ``python -m tests.bench.line [calls] [rounds]``.

The connector runs here and is measured; the exchange with its handsets runs in a process of its own. Every round
brings one text of 160 characters to each of so many lines at the same moment. CPU is user and system time of this
process, from the first INVITE to the last BYE, SIP, RTP and modem included; a beat is late when it comes 40 ms or more
after its time.
"""

from __future__ import annotations

import asyncio
import json
import platform
import subprocess
import sys
import time
from collections import Counter

import uvloop

from opencpm.domain.address import Address
from opencpm.domain.delivery import OutcomeKind
from opencpm.lab.line import LabExchange
from tests.interworking.fixedline.support import CENTRE, LineInbox, context, delivery
from tests.interworking.fixedline.support import start as start_connector

TEXT = "The quick brown fox jumps over the lazy dog. " * 4
_PATIENCE = 120.0


def number(at: int) -> str:
    return f"+4420794{at:05d}"


async def exchange(lines: int) -> None:
    """The other process: handsets, until our input ends."""
    async with LabExchange() as lab:
        for at in range(lines):
            lab.handset(number(at), CENTRE)
        print(json.dumps(lab.address), flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


async def measured(address: tuple[str, int], calls: int, rounds: int) -> None:
    class There:
        """What the connector's support needs of an exchange."""

        def __init__(self) -> None:
            self.address = address

        def connect(self, server: tuple[str, int]) -> None:
            pass

    rig = await start_connector(There(), where=context(), calls=min(calls, 500), queue=5000)
    inbox: LineInbox = rig.inbox
    for at in range(rounds):
        begun, cpu, late = time.monotonic(), time.process_time(), rig.connector.describe()["late beats"]
        rig.send(
            *[delivery(TEXT[:160], id=f"{at}-{line}", target=Address("tel", number(line))) for line in range(calls)]
        )
        await inbox.until(lambda at=at: len(inbox.outcomes) >= calls * (at + 1), _PATIENCE)
        while any(trunk["calls"] for trunk in rig.connector.describe()["trunks"]):
            await asyncio.sleep(0.05)
        spent, lasted = time.process_time() - cpu, time.monotonic() - begun
        failures = Counter(repr(o.error) for o in inbox.outcomes[calls * at :] if o.error)
        delivered = sum(outcome.kind is OutcomeKind.DELIVERED for outcome in inbox.outcomes[calls * at :])
        print(
            f"{calls:4d} calls at once: {delivered} delivered, {1000 * spent / calls:.1f} ms CPU a call, "
            f"{lasted:.1f} s, {100 * spent / lasted:.0f} % of a core, "
            f"{rig.connector.describe()['late beats'] - late} late beats",
            flush=True,
        )
        for error, count in failures.most_common(3):
            print(f"     {count} times {error}", flush=True)
    await rig.stop()


def main() -> None:
    if sys.argv[1:2] == ["exchange"]:
        uvloop.run(exchange(int(sys.argv[2])))
        return
    calls = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 2
    print(f"Python {platform.python_version()} ({platform.python_build()[1]}, {platform.python_compiler()})")
    other = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.line", "exchange", str(calls)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert other.stdout is not None
        host, port = json.loads(other.stdout.readline())
        uvloop.run(measured((host, port), calls, rounds))
    finally:
        assert other.stdin is not None
        other.stdin.close()
        other.wait(10)


if __name__ == "__main__":
    main()
