"""The way of word about a message back to its sender on a foreign network: the way the message came, and no other."""

from __future__ import annotations

from opencpm.domain.address import Address
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.plan import Action, Candidate, Note, Plan
from opencpm.domain.policy import Policy
from opencpm.domain.profile import HealthState
from opencpm.selection.request import NetworkView


def back(
    view: NetworkView,
    about: Address,
    policy: Policy,
    now: float,
    *,
    tried: frozenset[str] = frozenset(),
    attempt: int = 1,
    expires_at: float = 0.0,
) -> Plan:
    """Send by the network of ``view`` to its target, from the receiver of the message; or wait until it is up."""
    label = view.profile.label
    notes = (Note("origin", True, f"the message came by {label}"), _tried(view, tried), _health(view))
    target = view.target or about
    kept = all(note.kept for note in notes)
    candidate = Candidate(network=view.name, target=target, source=about, notes=notes, kept=kept)
    action, error = Action.SEND, None
    if not notes[1].kept:
        action, error = (
            Action.REFUSE,
            SendError(Reason.UNDELIVERABLE, detail=f"{label} has refused word of the message"),
        )
    elif not notes[2].kept:
        action, error = Action.DEFER, SendError(Reason.NETWORK_DOWN, retryable=True, detail=notes[2].evidence)
    return Plan(
        action=action,
        chosen=candidate if kept else None,
        candidates=(candidate,),
        facts=(),
        reason=error.detail if error else f"word goes back by {label}, the way the message came",
        error=error,
        not_before=_not_before(policy, now, attempt, expires_at) if action is Action.DEFER else 0.0,
        waits_for=f"network:{view.name}" if action is Action.DEFER else "",
        expires_at=expires_at,
    )


def _tried(view: NetworkView, tried: frozenset[str]) -> Note:
    return Note(
        "tried", view.name not in tried, "it has refused this already" if view.name in tried else "not tried yet"
    )


def _health(view: NetworkView) -> Note:
    health = view.health
    return Note("health", health.state is HealthState.UP, f"{view.profile.label} is {health.state.value}")


def _not_before(policy: Policy, now: float, attempt: int, expires_at: float) -> float:
    schedule = policy.retry_schedule or (60.0,)
    later = now + schedule[min(max(attempt, 1), len(schedule)) - 1]
    return min(later, expires_at) if expires_at else later
