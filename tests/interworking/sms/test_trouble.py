"""Bad peers and bad days: one outcome for every delivery, whatever happens."""

import asyncio
import random
from collections import Counter

import pytest

from opencpm.domain.delivery import OutcomeKind
from opencpm.interworking.sms import build

from .support import Inbox, context, delivery, eventually, rig


@pytest.mark.parametrize("seed", range(3))
async def test_one_outcome_each(seed):
    chance = random.Random(seed)
    async with rig(window=7, response_timeout=0.1, queue=100) as it:
        total = 0
        for _ in range(12):
            fault = chance.choice(["none", "no_response", "delay", "disconnect", "refuse", "down"])
            it.smsc.faults.clear()
            if fault == "no_response":
                it.smsc.faults.no_response = chance.randrange(1, 5)
            elif fault == "delay":
                it.smsc.faults.delay = 0.15
            elif fault == "refuse":
                it.smsc.refuse("+12025550101", chance.choice([0x08, 0x45, 0x0B]))
            size = chance.randrange(1, 30)
            text = "x" * chance.choice([10, 300])
            it.connector.send([delivery(text, id=f"d{total + n}") for n in range(size)])
            total += size
            if fault in ("disconnect", "down"):
                taken, changes = it.smsc.taken, len(it.inbox.healths)
                await eventually(lambda before=taken: it.smsc.taken > before)  # some are on their way
                await (it.smsc.disconnect() if fault == "disconnect" else it.smsc.down())
                await it.smsc.up()
                await eventually(lambda before=changes: len(it.inbox.healths) >= before + 2)  # down, up
        await eventually(lambda: len(it.inbox.outcomes) >= total)
        assert Counter(o.delivery_id for o in it.inbox.outcomes) == Counter(f"d{n}" for n in range(total))
        assert it.connector.health().backlog == 0
        assert {o.kind for o in it.inbox.outcomes} == {OutcomeKind.ACCEPTED, OutcomeKind.FAILED}
        assert all(o.error.detail for o in it.inbox.outcomes if o.kind is OutcomeKind.FAILED)


@pytest.mark.parametrize(
    "garbage",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        bytes.fromhex("00000000000000000000000000000000"),
        bytes.fromhex("00000010800000090000000000000001") + b"\xff" * 64,
        bytes.fromhex("00000010800000090000000000000001") + bytes.fromhex("0000001400000005000000000000000500000000"),
        b"",
    ],
)
async def test_a_peer_that_talks_nonsense_is_left_and_tried_again(garbage):
    visits = 0

    async def serve(reader, writer):
        nonlocal visits
        visits += 1
        await reader.read(1024)
        writer.write(garbage)
        await writer.drain()
        if visits < 3:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    connector, inbox = build({"port": port, "reconnect_min": 0.01, "reconnect_max": 0.02}, context()), Inbox()
    task = asyncio.create_task(connector.run(inbox))
    await eventually(lambda: visits >= 3)
    assert not task.done()
    task.cancel()
    await asyncio.wait([task])
    server.close()
