"""A plan for people and programs: JSON with stable keys, and lines for a terminal."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from opencpm.domain.address import Address
from opencpm.domain.errors import SendError
from opencpm.domain.plan import Candidate, Form, Note, Plan


def as_json(plan: Plan) -> dict[str, Any]:
    """All of a plan as JSON-able values; the keys are part of the API."""
    chosen = plan.chosen
    return {
        "action": plan.action.value,
        "reason": plan.reason,
        "chosen": None
        if chosen is None
        else {
            "network": chosen.network,
            "target": str(chosen.target),
            "source": str(chosen.source),
            "form": chosen.form.value,
        },
        "facts": _notes(plan.facts),
        "candidates": [_candidate(candidate) for candidate in plan.candidates],
        "error": None if plan.error is None else _error(plan.error),
        "waits_for": plan.waits_for,
        "not_before": plan.not_before,
        "expires_at": plan.expires_at,
        "max_segments": plan.max_segments,
    }


def as_json_text(plan: Plan) -> str:
    """``json.dumps(as_json(plan))``, put together from remembered pieces: the trail keeps one for each message."""
    chosen = plan.chosen
    candidates = ",".join([_candidate_text(one) for one in plan.candidates])
    picked = "null" if chosen is None else _chosen_text(chosen.network, chosen.target, chosen.source, chosen.form)
    error = "null" if plan.error is None else json.dumps(_error(plan.error))
    return (
        f'{{"action":"{plan.action.value}","reason":{_text(plan.reason)},"chosen":{picked}'
        f',"facts":{_notes_text(plan.facts)},"candidates":[{candidates}],"error":{error}'
        f',"waits_for":{_text(plan.waits_for)},"not_before":{plan.not_before!r}'
        f',"expires_at":{plan.expires_at!r},"max_segments":{plan.max_segments}}}'
    )


def as_text(plan: Plan) -> list[str]:
    """Lines to read in a terminal: the decision, the facts, then each network with its reasons."""
    lines = [f"{plan.action.value}: {plan.reason}"]
    if plan.chosen is not None:
        lines.append(f"  by {plan.chosen.network}, from {plan.chosen.source} to {plan.chosen.target}")
    if plan.error is not None:
        lines.append(f"  {plan.error.reason.value}" + (f" ({plan.error.code})" if plan.error.code else ""))
    lines += _lines(plan.facts, "  ")
    for candidate in plan.candidates:
        mark = "chosen" if candidate is plan.chosen else "usable" if candidate.kept else "dropped"
        lines.append(f"  {candidate.network} → {candidate.target}: {mark}")
        lines += _lines(candidate.notes, "    ")
        lines += [f"    loses: {loss}" for loss in candidate.losses]
    return lines


def _lines(notes: Sequence[Note], indent: str) -> list[str]:
    return [f"{indent}{'✓' if note.kept else '✗'} {note.rule}: {note.evidence}" for note in notes]


def _notes(notes: Sequence[Note]) -> list[dict[str, Any]]:
    return [{"rule": note.rule, "kept": note.kept, "evidence": note.evidence} for note in notes]


def _candidate(candidate: Candidate) -> dict[str, Any]:
    return {
        "network": candidate.network,
        "target": str(candidate.target),
        "source": str(candidate.source),
        "kept": candidate.kept,
        "notes": _notes(candidate.notes),
        "losses": list(candidate.losses),
        "form": candidate.form.value,
    }


def _error(error: SendError) -> dict[str, Any]:
    return {
        "reason": error.reason.value,
        "detail": error.detail,
        "retryable": error.retryable,
        "code": error.code,
    }


@lru_cache(maxsize=4096)
def _text(text: str) -> str:
    return json.dumps(text)


@lru_cache(maxsize=4096)
def _notes_text(notes: tuple[Note, ...]) -> str:
    return json.dumps(_notes(notes), separators=(",", ":"))


@lru_cache(maxsize=4096)
def _losses_text(losses: tuple[str, ...]) -> str:
    return json.dumps(losses, separators=(",", ":"))


@lru_cache(maxsize=16384)
def _chosen_text(network: str, target: Address, source: Address, form: Form) -> str:
    return f'{{"network":{_text(network)},{_ends_text(target, source)},"form":"{form.value}"}}'


@lru_cache(maxsize=16384)
def _ends_text(target: Address, source: Address) -> str:
    return f'"target":{json.dumps(str(target))},"source":{json.dumps(str(source))}'


def _candidate_text(candidate: Candidate) -> str:
    return (
        f'{{"network":{_text(candidate.network)},{_ends_text(candidate.target, candidate.source)}'
        f',"kept":{"true" if candidate.kept else "false"},"notes":{_notes_text(candidate.notes)}'
        f',"losses":{_losses_text(candidate.losses)},"form":"{candidate.form.value}"}}'
    )
