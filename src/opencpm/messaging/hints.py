"""What the people's open pages are told: that something changed, never what it says."""

from __future__ import annotations

from opencpm.domain.report import Status
from opencpm.interfaces import Bus, DeliveryRecord, SessionRecord


def told_new(bus: Bus, record: DeliveryRecord) -> None:
    """A message entered the histories of its sender and receiver."""
    for thread, direction in ((record.sent_thread, "sent"), (record.received_thread, "received")):
        if thread:
            owner, _, peer = thread.partition("|")
            bus.publish(
                f"user:{owner}",
                {
                    "type": "message",
                    "peer": peer,
                    "message": record.message.id,
                    "delivery": record.id,
                    "direction": direction,
                },
            )


def told_state(bus: Bus, record: DeliveryRecord, status: Status | str) -> None:
    """A delivery moved on."""
    for thread in (record.sent_thread, record.received_thread):
        if thread:
            owner, _, peer = thread.partition("|")
            bus.publish(
                f"user:{owner}",
                {
                    "type": "state",
                    "peer": peer,
                    "message": record.message.id,
                    "delivery": record.id,
                    "state": record.state.value,
                    "status": str(status),
                },
            )


def told_session(bus: Bus, record: SessionRecord) -> None:
    """A session moved on."""
    for thread in record.owner_threads:
        owner, _, peer = thread.partition("|")
        bus.publish(
            f"user:{owner}",
            {
                "type": "session",
                "session": record.id,
                "peer": peer,
                "state": record.state.value,
                "reason": record.reason,
            },
        )
