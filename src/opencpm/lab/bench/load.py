"""Send so many messages with so many under way, and answer what comes; one loop over sockets, no tasks."""

from __future__ import annotations

import selectors
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from opencpm.lab.bench.wire import LoadDevice, LoadError, ok

STALL = 15.0
"""Seconds without any progress after which it is given up."""

Build = Callable[[str, int], bytes]


@dataclass(slots=True)
class Count:
    """What happened. A message is done when ``done_on`` of it came: its 202, its IMDN, or itself at the receiver."""

    sent: int = 0
    accepted: int = 0
    refused: int = 0
    notices: int = 0
    arrived: int = 0
    seconds: float = 0.0
    began: dict[bytes, float] = field(default_factory=dict)
    latencies: list[float] = field(default_factory=list)  # to the 202


@dataclass(slots=True, kw_only=True)
class Job:
    """``senders`` share ``messages``; ``targets`` take turns. ``done_on``: accepted, notices or arrived."""

    senders: Sequence[tuple[LoadDevice, Build]]
    receivers: Sequence[LoadDevice] = ()
    targets: Sequence[str]
    messages: int
    window: int
    done_on: str
    first: int = 0


def carry(job: Job) -> Count:
    """Run a job. :raises LoadError: a stall, or a refusal."""
    count = Count()
    with selectors.DefaultSelector() as selector:
        devices = {device for device, _ in job.senders} | set(job.receivers)
        for device in devices:
            selector.register(device.socket, selectors.EVENT_READ, device)
        start = moved = time.monotonic()
        _fill(job, count)
        while getattr(count, job.done_on) < job.messages:
            ready = selector.select(0.5)
            for key, _ in ready:
                answer(key.data, count)
            _fill(job, count)
            now = time.monotonic()
            if ready:
                moved = now
            elif now - moved > STALL:
                raise LoadError(
                    f"no progress for {STALL:.0f} s: {count.sent} sent, {count.accepted} accepted, "
                    f"{count.notices} notices, {count.arrived} arrived"
                )
        count.seconds = time.monotonic() - start
    return count


def _fill(job: Job, count: Count) -> None:
    under_way = count.sent - min(count.accepted, getattr(count, job.done_on))
    senders, targets = job.senders, job.targets
    for number in range(count.sent, min(job.messages, count.sent + job.window - under_way)):
        device, build = senders[number % len(senders)]
        serial = job.first + number
        count.sent += 1
        count.began[b"%010d" % serial] = time.monotonic()
        device.send(build(targets[number % len(targets)], serial))


def answer(device: LoadDevice, count: Count) -> None:
    """Take what came to a device: count it, and answer requests with 200."""
    out = []
    for data in device.receive():
        if data.startswith(b"SIP/2.0 20"):
            _accepted(data, count)
        elif data.startswith(b"MESSAGE "):
            out.append(ok(data))
            if b"<imdn" in data:
                count.notices += 1
            else:
                count.arrived += 1
        elif data.startswith(b"SIP/2.0 "):
            raise LoadError(f"refused: {data[: data.find(b'Via')]!r}")
    if device.transport == "TCP":
        if out:
            device.send(b"".join(out))
    else:
        for one in out:
            device.send(one)


def _accepted(data: bytes, count: Count) -> None:
    count.accepted += 1
    at = data.find(b"branch=z9hG4bK") + 24
    began = count.began.pop(data[at : at + 10], None)
    if began is not None:
        count.latencies.append(time.monotonic() - began)
