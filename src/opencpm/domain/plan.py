"""What selection decided for one attempt, and why."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from opencpm.domain.address import Address
from opencpm.domain.errors import SendError


class Action(StrEnum):
    SEND = "send"
    DEFER = "defer"  # keep it, try again at ``not_before`` or when something changes
    REFUSE = "refuse"


class Form(StrEnum):
    """How it goes: itself; or, where a network cannot carry it, as something that stands for it."""

    WHOLE = "whole"
    LINK = "link"  # a text with a link to the message
    TEXTS = "texts"  # a session bridged message by message


class Note(NamedTuple):
    """One rule applied: its name, whether the candidate stood, and the evidence in words."""

    rule: str
    kept: bool
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One network considered, with every rule that kept or dropped it."""

    network: str
    target: Address
    source: Address
    notes: tuple[Note, ...]
    kept: bool
    losses: tuple[str, ...] = ()  # what conversion would lose: "subject becomes a prefix"
    form: Form = Form.WHOLE


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The decision. ``facts`` are the checks made before any network is looked at (content, address, status)."""

    action: Action
    chosen: Candidate | None
    candidates: tuple[Candidate, ...]
    facts: tuple[Note, ...]
    reason: str  # one sentence: why this action
    error: SendError | None = None  # for REFUSE, and what DEFER waits for
    not_before: float = 0.0  # for DEFER: when to look again at the latest
    waits_for: str = ""  # for DEFER: "user:<id>", "network:<name>" or "presence:<network>:<address>"
    expires_at: float = 0.0
    max_segments: int = 0
