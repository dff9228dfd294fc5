"""What happened to a message or session, and why; kept with it."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Step(StrEnum):
    RECEIVED = "received"
    REFUSED = "refused"
    SELECTED = "selected"  # data: the plan
    SUBMITTED = "submitted"
    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    DISPLAYED = "displayed"
    FAILED = "failed"
    DEFERRED = "deferred"
    RETRIED = "retried"
    EXPIRED = "expired"
    CANCELLED = "cancelled"  # taken back by its sender
    REPLACED = "replaced"  # other content, by its sender
    REPORTED = "reported"  # the original sender was told
    INVITED = "invited"
    RINGING = "ringing"
    ESTABLISHED = "established"
    CLOSING = "closing"
    CLOSED = "closed"
    FEEDBACK = "feedback"


class TrailEntry(NamedTuple):
    """One line. ``subject``: a message's or session's id; ``delivery_id`` names one recipient; ``data``: JSON text."""

    subject: str
    at: float
    step: Step
    what: str  # one sentence
    delivery_id: str = ""
    data: str = ""
