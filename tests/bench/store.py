"""CPU time of the store per message: ``python -m tests.bench.store [messages] [group]``.

A message here is what one costs from acceptance to receipt: itself, a delivery, a reference, two updates and four
trail lines, as five units of work. Times are user + system of the whole process, the commit thread included.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

from opencpm.domain.address import Address
from opencpm.domain.delivery import DeliveryState
from opencpm.domain.message import Message, message_ident, text_part
from opencpm.domain.report import Reference
from opencpm.domain.trail import Step, TrailEntry
from opencpm.interfaces import Changes, DeliveryRecord, DeliveryUpdate, ReferenceRow
from opencpm.storage.sqlite import SqliteStore, open_store

PLAN = json.dumps({"action": "send", "chosen": "sms", "candidates": ["x" * 60] * 6})


def accepted(i: int) -> Changes:
    """What messaging commits when a message comes in."""
    sender, recipient = Address("sip", f"user{i % 500}@cpm.test"), Address("tel", f"+4477009{i % 10000:05d}")
    ident = message_ident(sender, f"m-{i}-{os.getpid()}")
    message = Message(
        id=ident,
        message_id=f"{ident[::-1]}@cpm.test",
        sender=sender,
        recipients=(recipient,),
        parts=(text_part("Shall we meet at the cinema at eight? " * 3),),
        sent_at=1e9 + i,
        received_at=1e9 + i,
        origin="sip",
        conversation_id=f"c{i % 500}",
        contribution_id=f"x{i}",
    )
    record = DeliveryRecord(
        id=f"{ident}.0",
        message=message,
        recipient=recipient,
        state=DeliveryState.SENDING,
        created_at=1e9 + i,
        expires_at=2e9,
        network="sms",
        source=Address("tel", "+447700900000"),
        target=recipient,
        attempt=1,
        token=1,
        lease_until=1e9 + i + 60,
        sent_thread=f"user{i % 500}|tel:{recipient.value}",
        updated_at=1e9 + i,
    )
    trail = [
        TrailEntry(ident, 1e9 + i, Step.RECEIVED, "received from a device over SIP"),
        TrailEntry(ident, 1e9 + i, Step.SELECTED, "SMS: the only network that serves the number", record.id, PLAN),
    ]
    return Changes(messages=[message], deliveries=[record], trail=trail)


def updated(record: DeliveryRecord, state: DeliveryState, step: Step, references: list[ReferenceRow]) -> Changes:
    """What messaging commits when an outcome or a report comes in."""
    update = DeliveryUpdate(
        record.id, state, "sms", str(record.source), str(record.target), 1, 1, 0.0, 0.0, "", 1, 1, "", "", 1e9
    )
    entry = TrailEntry(record.message.id, 1e9, step, "the SMSC said so", record.id)
    return Changes(updates=[update], references=references, trail=[entry])


async def _run(store: SqliteStore, units: list[Changes], group: int) -> float:
    """CPU seconds for all of them, ``group`` under way at a time."""
    loop = asyncio.get_running_loop()
    finished = loop.create_future()
    waiting = iter(units)
    left = len(units)

    def done(_: Any) -> None:
        nonlocal left
        left -= 1
        if not left:
            finished.set_result(None)
        elif (unit := next(waiting, None)) is not None:
            store.commit(unit, done)

    before = time.process_time()
    for unit in [next(waiting) for _ in range(min(group, left))]:
        store.commit(unit, done)
    await finished
    return time.process_time() - before


def _each(name: str, call: Callable[[], Any], count: int) -> dict[str, float]:
    before = time.process_time()
    for _ in range(count):
        call()
    return {name: round((time.process_time() - before) / count * 1e6, 1)}


async def measure(path: str, count: int, group: int) -> dict[str, float]:
    store = await open_store(path)
    first = [accepted(i) for i in range(count)]
    records = [unit.deliveries[0] for unit in first]
    reference = [[ReferenceRow("sms", r.id, Reference(key=f"{n:08X}"))] for n, r in enumerate(records)]
    second = [
        updated(r, DeliveryState.ACCEPTED, Step.ACCEPTED, keys) for r, keys in zip(records, reference, strict=True)
    ]
    third = [updated(r, DeliveryState.DELIVERED, Step.DELIVERED, []) for r in records]
    figures = {}
    for name, units in (("accept_us", first), ("outcome_us", second), ("report_us", third)):
        figures[name] = round(await _run(store, units, group) / count * 1e6, 1)
    figures["whole_us"] = round(sum(figures.values()), 1)
    figures |= _each("read_delivery_us", lambda: store.delivery(records[count // 2].id), 2000)
    figures |= _each("read_referenced_us", lambda: store.referenced("sms", f"{count // 2:08X}"), 2000)
    figures |= _each("read_history_100_us", lambda: store.history("user7", f"tel:+4477009{7:05d}"), 100)
    figures |= _each("read_next_due_us", store.next_due, 2000)
    await store.close()
    return figures


if __name__ == "__main__":
    _count = int(sys.argv[1]) if len(sys.argv) > 1 else 20000
    _group = int(sys.argv[2]) if len(sys.argv) > 2 else 64
    with tempfile.TemporaryDirectory() as _folder:
        print(json.dumps(asyncio.run(measure(f"{_folder}/bench.db", _count, _group))))
