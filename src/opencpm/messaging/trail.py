"""The lines that messaging writes into a message's trail."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

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


def line(record: DeliveryRecord, step: Step, what: str, now: float, losses: Sequence[str] = ()) -> TrailEntry:
    """``losses``: what conversion cost, kept as data."""
    data = json.dumps({"losses": list(losses)}) if losses else ""
    return TrailEntry(record.message.id, now, step, what, record.id, data)


def losses_of(entries: Iterable[TrailEntry]) -> dict[str, list[str]]:
    """By delivery: what its last attempt cost. What a network said of a real conversion stands before what selection
    foresaw."""
    found: dict[str, list[str]] = {}
    for entry in entries:
        if not entry.data:
            continue
        data = json.loads(entry.data)
        if entry.step is Step.SELECTED:
            found[entry.delivery_id] = _foreseen(data)
        elif "losses" in data:
            found[entry.delivery_id] = list(data["losses"])
    return {delivery: losses for delivery, losses in found.items() if losses}


def _foreseen(plan: dict[str, Any]) -> list[str]:
    chosen = plan.get("chosen") or {}
    for candidate in plan.get("candidates", ()):
        if candidate["kept"] and all(candidate[name] == chosen.get(name) for name in ("network", "target", "form")):
            return list(candidate["losses"])
    return []
