"""What decides whether a network stands: one small function a rule, in the order of ``RULES``.

A network is dropped by the first rule that says no. Rules that time cannot mend come first, so what drops a network
by one of the last (health, reach) is worth waiting for, and a later drop is a nearer miss.
"""

from __future__ import annotations

import time
from functools import lru_cache

from opencpm.domain.errors import Reason
from opencpm.domain.plan import Note
from opencpm.domain.profile import Availability, Fit, HealthState
from opencpm.selection import numbers
from opencpm.selection.case import Case, Failing, NetworkRule, note, refusal
from opencpm.selection.request import NetworkView
from opencpm.selection.routes import Match

_UP, _BUSY = HealthState.UP, HealthState.BUSY


def _final(reason: Reason, detail: str) -> Failing:
    return Failing(refusal(reason, detail))


# ---------------------------------------------------------------------------------- what the sender chose


def _choice(case: Case, view: NetworkView) -> Note | None:
    if not case.route:
        return None
    if view.name == case.route:
        return note("choice", True, "the sender asked for it")
    return note("choice", False, f"the sender asked for {case.route} and nothing else") if case.strict else None


def _choice_failing(case: Case, _: NetworkView, __: Note) -> Failing:
    return _final(Reason.NO_ROUTE, f"{case.route} cannot carry this; choose another network for this message.")


# --------------------------------------------------------------------------------- what the operator says


def _receiver(case: Case, view: NetworkView) -> Note | None:
    """Subscribers are reached on their own devices; on another network only where the sender asked for it."""
    subscriber = case.request.recipient is not None
    if view.profile.access == subscriber or (subscriber and view.name == case.route):
        return None
    if subscriber:
        return note("receiver", False, f"{case.who} is a subscriber and is reached on their own devices")
    return note("receiver", False, f"{case.who} is not a subscriber")


def _receiver_failing(case: Case, view: NetworkView, _: Note) -> Failing:
    return _final(Reason.NO_ROUTE, f"{case.who} is not reached by {view.profile.label}.")


def _sessions(case: Case, view: NetworkView) -> Note | None:
    if not case.request.session:
        return None
    label = view.profile.label
    if view.profile.sessions:
        return note("sessions", True, f"{label} has sessions")
    if bridged(case, view):
        return note("sessions", True, f"{label} has none: offered by a text, and bridged message by message")
    return _no_sessions(label)


def bridged(case: Case, view: NetworkView) -> bool:
    """Whether a session goes over a network for texts: for people who have an address on no other."""
    if not case.request.session or view.profile.sessions or view.profile.kind != "sms":
        return False
    return case.request.policy.text_sessions.offered and not any(
        other.target is not None and other.profile.sessions for other in case.request.networks
    )


def _no_sessions(label: str) -> Note:
    return note("sessions", False, f"{label} has none")


def _sessions_failing(case: Case, _: NetworkView, __: Note) -> Failing:
    return _final(Reason.NOT_ACCEPTABLE, f"No session is possible with {case.who}; send a message instead.")


def _operator(case: Case, view: NetworkView) -> Note | None:
    allowed = case.request.policy.allowed
    if allowed is None or view.profile.access:
        return None
    if view.name in allowed:
        return note("operator", True, "allowed by the operator")
    return note("operator", False, "not allowed by the operator")


def _operator_failing(_: Case, view: NetworkView, __: Note) -> Failing:
    return _final(Reason.BARRED, f"The operator does not allow {view.profile.label}; ask the operator.")


def _route(case: Case, view: NetworkView) -> Note | None:
    if view.target is None or view.target.scheme != "tel" or view.profile.access:
        return None
    match = case.operator.match(view.target.value, view.facts)
    return None if match is None else _route_note(match, view.name)


@lru_cache(maxsize=4096)
def _route_note(match: Match, name: str) -> Note:
    where = ", then ".join(match.networks) or "not served"
    return Note("route", name in match.networks, f"route {match.label} → {where}")


def _route_failing(case: Case, _: NetworkView, told: Note) -> Failing:
    return _final(Reason.NO_ROUTE, f"The operator's {told.evidence}; {_other_address(case)}.")


def _number(case: Case, view: NetworkView) -> Note | None:
    if view.target is None or view.target.scheme != "tel" or len(view.profile.number_types) > 2:
        return None
    match = case.operator.match(view.target.value, view.facts)
    known = (match.number_type if match else "") or view.facts.number_type
    kind = known or numbers.number_type(view.target.value)
    return note("number", kind in view.profile.number_types, f"{view.target.value} is a {kind} number")


def _number_failing(case: Case, view: NetworkView, told: Note) -> Failing:
    return _final(
        Reason.NO_ROUTE, f"{told.evidence}, which {view.profile.label} does not reach; {_other_address(case)}."
    )


def _other_address(case: Case) -> str:
    return f"use another address of {case.who}"


# ------------------------------------------------------------------------------------- what people prefer


def _denied(case: Case, view: NetworkView) -> Note | None:
    if view.name not in case.preferences(view).denied:
        return None
    owner = case.who if view.profile.access else "the sender"
    return note("preferences", False, f"{owner} does not want to use {view.name}")


def _denied_failing(case: Case, view: NetworkView, _: Note) -> Failing:
    if view.profile.access:
        return _final(Reason.UNREACHABLE, f"{case.who} does not take messages on {view.profile.label}.")
    return _final(Reason.NO_ROUTE, f"You chose not to use {view.profile.label}; allow it in your preferences.")


def _account(case: Case, view: NetworkView) -> Note | None:
    if not view.profile.needs_account:
        return None
    sender = case.request.sender
    account = None if sender is None else sender.account(view.name)
    if account is not None:
        return note("account", True, f"{account.owner} has the account {account.address}")
    return note("account", False, f"the sender has no {view.name} account")


def _account_failing(_: Case, view: NetworkView, __: Note) -> Failing:
    return _final(Reason.NO_ACCOUNT, f"You have no account on {view.profile.label}; link one to reach this person.")


# ------------------------------------------------------------------------------------ what it must carry


def _fit(case: Case, view: NetworkView) -> Note | None:
    fit = view.fit
    if fit.error is not None:
        return note("fit", False, fit.error.detail)
    return None if case.request.session else _fit_note(fit, view.profile.kind == "sms")


@lru_cache(maxsize=4096)
def _fit_note(fit: Fit, counted: bool) -> Note:
    many = "" if not counted else "1 segment, " if fit.segments <= 1 else f"{fit.segments} segments, "
    return Note("fit", True, f"{many}{', '.join(fit.losses) or 'nothing is lost'}")


def _fit_failing(_: Case, view: NetworkView, told: Note) -> Failing:
    return Failing(view.fit.error or refusal(Reason.UNSUPPORTED_MEDIA, told.evidence))


def _segments(case: Case, view: NetworkView) -> Note | None:
    """Short messages are paid for one by one; other networks cut text where nobody sees it."""
    limit = segment_limit(case, view)
    if limit == 0 or view.fit.segments <= limit:
        return None
    return note("segments", False, f"{view.fit.segments} segments, and at most {limit} are allowed")


def segment_limit(case: Case, view: NetworkView) -> int:
    """The least of what the network, the operator and the sender set; 0: no limit, or not cut into segments."""
    own = view.profile.max_segments
    if view.profile.kind != "sms":
        return own
    return own if 0 < own < case.segments or not case.segments else case.segments


def _segments_failing(_: Case, view: NetworkView, told: Note) -> Failing:
    return _final(
        Reason.TOO_LARGE, f"Too long for {view.profile.label}: {told.evidence}. Shorten it, or raise your limit."
    )


# ------------------------------------------------------------------------------------- how things are now


def _tried(case: Case, view: NetworkView) -> Note | None:
    return note("tried", False, "it has refused this already") if view.name in case.request.tried else None


def _tried_failing(case: Case, _: NetworkView, __: Note) -> Failing:
    return _final(Reason.UNDELIVERABLE, f"Every network that could reach {case.who} has refused the message.")


def _health(_: Case, view: NetworkView) -> Note | None:
    health = view.health
    return _health_note(view.profile.label, health.state, health.detail, int(health.since))


@lru_cache(maxsize=4096)
def _health_note(label: str, state: HealthState, detail: str, since: int) -> Note:
    if state is _UP:
        return Note("health", True, "up" if not detail else f"up, {detail}")
    when = f" since {time.strftime('%H:%M:%S', time.gmtime(since))} UTC" if since else ""
    what = "its queue is full" if state is _BUSY else f"link to {label} is down{when}"
    return Note("health", False, f"{what}: {detail}" if detail else what)


def _health_failing(_: Case, view: NetworkView, __: Note) -> Failing:
    label, waits = view.profile.label, f"network:{view.name}"
    if view.health.state is _BUSY:
        return Failing(refusal(Reason.CONGESTION, f"{label} is busy now; try again in a moment.", True), waits)
    return Failing(refusal(Reason.NETWORK_DOWN, f"{label} cannot be reached now; try again later.", True), waits)


def _reach(case: Case, view: NetworkView) -> Note | None:
    if view.profile.access:
        return _device(case, view)
    availability = view.reach.availability
    if availability is Availability.UNKNOWN:
        return None
    away = availability is Availability.OFFLINE and not (view.profile.stores and not case.request.session)
    return _reach_note(not away, str(view.target), availability, view.reach.detail)


def _device(case: Case, view: NetworkView) -> Note:
    if case.receiver.status is Availability.OFFLINE:
        return note("status", False, f"{case.who} holds messages (offline, set by hand)")
    availability = view.reach.availability
    return _reach_note(availability is not Availability.OFFLINE, case.who, availability, view.reach.detail)


@lru_cache(maxsize=16384)
def _reach_note(kept: bool, who: str, availability: Availability, detail: str) -> Note:
    return Note("status", kept, f"{who} is {availability.value}" + (f", {detail}" if detail else ""))


def _reach_failing(case: Case, view: NetworkView, _: Note) -> Failing:
    recipient = case.request.recipient
    if view.profile.access and recipient is not None:
        waits, where = f"user:{recipient.id}", ""
    else:
        waits, where = f"presence:{view.name}:{view.target}", f" on {view.profile.label}"
    return Failing(refusal(Reason.OFFLINE, f"{case.who} is offline{where}; try again later.", True), waits)


RULES: tuple[NetworkRule, ...] = (
    ("choice", _choice, _choice_failing),
    ("receiver", _receiver, _receiver_failing),
    ("sessions", _sessions, _sessions_failing),
    ("operator", _operator, _operator_failing),
    ("route", _route, _route_failing),
    ("number", _number, _number_failing),
    ("preferences", _denied, _denied_failing),
    ("account", _account, _account_failing),
    ("fit", _fit, _fit_failing),
    ("segments", _segments, _segments_failing),
    ("tried", _tried, _tried_failing),
    ("health", _health, _health_failing),
    ("status", _reach, _reach_failing),
)
