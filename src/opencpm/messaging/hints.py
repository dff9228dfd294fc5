"""What the people's open pages are told: that something changed, never what it says."""

from __future__ import annotations

from opencpm.interfaces import Bus, DeliveryRecord, SessionRecord


def told_new(bus: Bus, record: DeliveryRecord) -> None:
    """A message entered the histories of its sender and receiver."""
    for thread, direction in ((record.sent_thread, "sent"), (record.received_thread, "received")):
        if record.withheld and direction == "received":
            continue
        if thread and bus.heard(topic := _topic(thread)):
            bus.publish(
                topic,
                {
                    "type": "message",
                    "peer": _peer(thread),
                    "message": record.message.id,
                    "delivery": record.id,
                    "direction": direction,
                },
            )


def told_state(bus: Bus, record: DeliveryRecord) -> None:
    """A delivery moved on."""
    for thread in (record.sent_thread, "" if record.withheld else record.received_thread):
        if thread and bus.heard(topic := _topic(thread)):
            bus.publish(
                topic,
                {
                    "type": "state",
                    "peer": _peer(thread),
                    "message": record.message.id,
                    "delivery": record.id,
                    "state": record.state.value,
                    "status": record.state.value,
                },
            )


def told_session(bus: Bus, record: SessionRecord) -> None:
    """A session moved on."""
    for thread in record.owner_threads:
        bus.publish(
            _topic(thread),
            {
                "type": "session",
                "session": record.id,
                "peer": _peer(thread),
                "state": record.state.value,
                "reason": record.reason,
            },
        )


def _topic(thread: str) -> str:
    return "user:" + thread[: thread.find("|")]


def _peer(thread: str) -> str:
    return thread[thread.find("|") + 1 :]
