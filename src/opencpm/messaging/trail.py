"""The lines that messaging writes into a message's trail."""

from __future__ import annotations

from opencpm.domain.errors import SendError
from opencpm.domain.message import Message
from opencpm.domain.plan import Action, Plan
from opencpm.domain.trail import Step, TrailEntry
from opencpm.interfaces import DeliveryRecord
from opencpm.selection.explain import as_json_text


def received(message: Message, now: float) -> TrailEntry:
    if len(message.parts) == 1:
        content = message.parts[0].media_type
    else:
        content = " + ".join(part.media_type for part in message.parts) or "nothing"
    what = f"{content}, {message.size} bytes, from {message.sender} by {message.origin}"
    return TrailEntry(message.id, now, Step.RECEIVED, what)


def refused(subject: str, error: SendError, now: float, plan: Plan | None = None, delivery_id: str = "") -> TrailEntry:
    data = as_json_text(plan) if plan else ""
    return TrailEntry(subject, now, Step.REFUSED, f"{error.reason.value}: {error.detail}", delivery_id, data)


def selected(subject: str, delivery_id: str, plan: Plan, now: float) -> TrailEntry:
    """The decision with its reasons; a deferral is a decision too."""
    step = Step.SELECTED if plan.action is Action.SEND else Step.DEFERRED
    return TrailEntry(subject, now, step, plan.reason, delivery_id, as_json_text(plan))


def line(record: DeliveryRecord, step: Step, what: str, now: float) -> TrailEntry:
    return TrailEntry(record.message.id, now, step, what, record.id)
