"""The decision: facts, candidates, choice. Nothing here reads a clock or asks a network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from opencpm.domain.address import Address
from opencpm.domain.contact import Contact
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.plan import Action, Candidate, Form, Note, Plan
from opencpm.domain.roster import LIVE
from opencpm.domain.subscriber import LinkedAccount, Subscriber, WhenUnavailable
from opencpm.selection.case import Case, Failing, case_of, note, refusal
from opencpm.selection.facts import FACTS, moment, valid_until
from opencpm.selection.rank import difference, key, why
from opencpm.selection.request import NetworkView, Request
from opencpm.selection.rules import RULES, bridged, segment_limit

_CHECKS = tuple(check for _, check, _ in RULES)
_CARRYING = frozenset(at for at, (name, _, __) in enumerate(RULES) if name in ("fit", "segments"))
_FACT_CHECKS = tuple(check for _, check, _ in FACTS)


class Judged(NamedTuple):
    """A network after all rules. ``dropped_by``: index into ``RULES``, or -1 where it stands."""

    view: NetworkView
    candidate: Candidate
    dropped_by: int


def select(request: Request) -> Plan:
    """Find the way for a message or an invitation. Pure; the same request gives the same plan."""
    case = case_of(request)
    end = valid_until(request)
    facts, error = _facts(case)
    if error is not None:
        return _refuse(error, (), facts, end)
    judged = [_judge(case, view, view.target) for view in request.networks if view.target is not None]
    judged = [_linked(case, one) for one in judged]
    kept = [one for one in judged if one.dropped_by < 0]
    plan = _send(case, kept, judged, facts, end) if kept else _otherwise(case, judged, facts, end)
    if request.message is not None and request.message.not_before > request.now:
        return _held(plan, request.message.not_before, request)
    return plan


def _held(plan: Plan, until: float, request: Request) -> Plan:
    """What can go is kept until the time its sender wants, and decided anew then; what never can is refused now."""
    if plan.action is Action.REFUSE or request.session:
        return plan
    reason = f"kept until {moment(until, request.now)} as its sender asked"
    return replace(plan, action=Action.DEFER, chosen=None, reason=reason, error=None, not_before=until, waits_for="")


# ------------------------------------------------------------------------------------------------ judging


def _facts(case: Case) -> tuple[tuple[Note, ...], SendError | None]:
    told: list[Note] = []
    for at, check in enumerate(_FACT_CHECKS):
        fact = check(case)
        if fact is None:
            continue
        told.append(fact)
        if not fact.kept:
            return tuple(told), FACTS[at][2](case, fact)
    return tuple(told), None


def _judge(case: Case, view: NetworkView, target: Address) -> Judged:
    notes: list[Note] = []
    dropped_by = -1
    for at, check in enumerate(_CHECKS):
        told = check(case, view)
        if told is None:
            continue
        notes.append(told)
        if not told.kept:
            dropped_by = at
            break
    candidate = Candidate(
        network=view.name,
        target=target,
        source=_source(case, view),
        notes=tuple(notes),
        kept=dropped_by < 0,
        losses=view.fit.losses,
        form=Form.TEXTS if bridged(case, view) else Form.WHOLE,
    )
    return Judged(view, candidate, dropped_by)


def _linked(case: Case, one: Judged) -> Judged:
    """A network that cannot carry the message itself may carry a text with a link to it."""
    view = one.view
    if one.dropped_by not in _CARRYING or view.linked is None or not case.sender.links:
        return one
    other = _judge(case, view._replace(fit=view.linked), one.candidate.target)
    if other.dropped_by in _CARRYING:
        return one
    told = note("form", True, f"a text with a link instead: {one.candidate.notes[-1].evidence}")
    losses = ("goes as a text with a link", *view.linked.losses)
    candidate = replace(other.candidate, notes=(told, *other.candidate.notes), losses=losses, form=Form.LINK)
    return Judged(other.view, candidate, other.dropped_by)


def account_for(sender: Subscriber, network: str, target: Address | None, contact: Contact) -> LinkedAccount | None:
    """Of several accounts on a network the one that has this person on its list; else the one linked first."""
    accounts = sender.on_network(network)
    if len(accounts) > 1 and contact.owner == sender.id:
        listing = {m.account for m in contact.marks if (m.network, m.address) == (network, target) and m.tie in LIVE}
        return next((account for account in accounts if account.address in listing), accounts[0])
    return accounts[0] if accounts else None


def _source(case: Case, view: NetworkView) -> Address:
    """The sender's own address on that network; where they have none, the address they wrote from."""
    address, sender = case.request.sender_address, case.request.sender
    if sender is None or view.profile.access:
        return address
    if view.profile.needs_account:
        account = account_for(sender, view.name, view.target, case.request.contact)
        return address if account is None else account.address
    schemes = view.profile.schemes
    if address.scheme in schemes or (address.scheme == "alpha" and "tel" in schemes):
        return address  # a name of one's own is a sender wherever numbers are
    for own in sender.addresses:
        if own.scheme in schemes:
            return own
    return address


# ----------------------------------------------------------------------------------------------- deciding


def _send(
    case: Case, kept: Sequence[Judged], judged: Sequence[Judged], facts: tuple[Note, ...], expires_at: float
) -> Plan:
    if len(kept) == 1:
        best, criterion = kept[0], -1
    else:
        best, criterion = _best(case, kept)
    return Plan(
        action=Action.SEND,
        chosen=best.candidate,
        candidates=tuple([one.candidate for one in judged]),
        facts=facts,
        reason=why(best.view.profile.label, criterion, len(kept) - 1),
        expires_at=expires_at,
        max_segments=segment_limit(case, best.view),
    )


def _best(case: Case, judged: Sequence[Judged]) -> tuple[Judged, int]:
    """The best of several, and the criterion that decided between it and the next."""
    ranked = sorted([(key(case, one.view, one.candidate.form), at) for at, one in enumerate(judged)])
    return judged[ranked[0][1]], difference(ranked[0][0], ranked[1][0])


def _otherwise(case: Case, judged: Sequence[Judged], facts: tuple[Note, ...], expires_at: float) -> Plan:
    """No network stands: wait where waiting may help and is wanted, else refuse with the nearest miss."""
    candidates = tuple([one.candidate for one in judged])
    if not judged:
        return _refuse(_nowhere(case), candidates, facts, expires_at)
    failing = [(one, _failing(case, one)) for one in judged]
    waiting = [(one, why_not) for one, why_not in failing if _may_wait(case, why_not)]
    if not waiting:
        nearest = min(failing, key=lambda pair: (-pair[0].dropped_by, key(case, pair[0].view, pair[0].candidate.form)))
        return _refuse(nearest[1].error, candidates, facts, expires_at)
    best, why_not = min(waiting, key=lambda pair: key(case, pair[0].view, pair[0].candidate.form))
    return Plan(
        action=Action.DEFER,
        chosen=None,
        candidates=candidates,
        facts=facts,
        reason=_waiting_for(case, best.view, why_not),
        error=why_not.error,
        not_before=_not_before(case.request, why_not, expires_at),
        waits_for=why_not.waits,
        expires_at=expires_at,
        max_segments=segment_limit(case, best.view),
    )


def _failing(case: Case, one: Judged) -> Failing:
    return RULES[one.dropped_by][2](case, one.view, one.candidate.notes[-1])


def _may_wait(case: Case, failing: Failing) -> bool:
    if not failing.waits or case.request.session:
        return False
    if failing.waits.startswith("network:"):
        return case.request.policy.defer_when_down
    return failing.waits.startswith("presence:") or case.receiver.when_unavailable is WhenUnavailable.DEFER


def _not_before(request: Request, failing: Failing, expires_at: float) -> float:
    """The retry schedule by attempt; for people only its last step: their coming back is told to us."""
    schedule = request.policy.retry_schedule or (60.0,)
    step = max(0, min(request.attempt, len(schedule)) - 1) if failing.waits.startswith("network:") else -1
    return min(request.now + schedule[step], expires_at)


def _waiting_for(case: Case, view: NetworkView, failing: Failing) -> str:
    label = view.profile.label
    if failing.waits.startswith("network:"):
        return f"kept until {label} can take it: {failing.error.detail}"
    if failing.waits.startswith("user:"):
        return f"kept until {case.who} is online"
    return f"kept until {case.who} is online on {label}"


def _nowhere(case: Case) -> SendError:
    address = case.request.recipient_address
    if case.request.recipient is not None:
        return refusal(Reason.UNREACHABLE, f"{case.who} has no way to be reached here; try again later.", True)
    if address.scheme == "tel":
        return refusal(Reason.NO_ROUTE, "No network here carries messages to telephone numbers; ask the operator.")
    return refusal(
        Reason.NO_ROUTE, f"No network here leads to {address}; add another address of {case.who} to your contacts."
    )


def _refuse(error: SendError, candidates: tuple[Candidate, ...], facts: tuple[Note, ...], expires_at: float) -> Plan:
    return Plan(
        action=Action.REFUSE,
        chosen=None,
        candidates=candidates,
        facts=facts,
        reason=error.detail,
        error=error,
        expires_at=expires_at,
    )
