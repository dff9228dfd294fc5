"""Which of several usable networks is the best, and by which criterion."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from opencpm.domain.number import NO_FACTS
from opencpm.domain.plan import Form
from opencpm.domain.profile import Availability
from opencpm.selection.case import Case
from opencpm.selection.request import NetworkView

Key = tuple[int, int, int, int, int, int, int, int, int, int]
"""One place a criterion, in the order of ``CRITERIA``; the least key is the best network."""

CRITERIA: Final = (
    "the sender asked for it",
    "it carries the message itself, and not a link to it",
    "it is preferred for this contact",
    "the other side last wrote from there",
    "the receiver is online there, and the user prefers an instant message then",
    "it comes first in the user's preferences",
    "it comes first on the route of this number",
    "it comes first in the operator's order",
    "it loses least",
    "the receiver is most available there",
)

_AVAILABILITY: Final = {
    Availability.AVAILABLE: 0,
    Availability.BUSY: 1,
    Availability.AWAY: 1,
    Availability.UNKNOWN: 2,
    Availability.OFFLINE: 3,
}


def key(case: Case, view: NetworkView, form: Form = Form.WHOLE) -> Key:
    request, name = case.request, view.name
    contact, sender = request.contact, request.sender
    for_contact = contact.networks if sender is not None and contact.owner == sender.id else ()
    place = case.operator.place
    return (
        0 if name == case.route else 1,
        0 if form is Form.WHOLE else 1,
        _place(for_contact, name),
        0 if name == request.sticky else 1,
        0 if _wanted_online(case, view) else 1,
        _place(case.preferences(view).networks, name),
        _place(_routed(case, view), name),
        place.get(name, len(place)),
        len(view.fit.losses),
        _AVAILABILITY[view.reach.availability],
    )


@lru_cache(maxsize=1024)
def why(label: str, criterion: int, others: int) -> str:
    """The sentence for a choice. ``criterion``: where the best key differs from the next; -1: it does not."""
    if others == 0:
        return f"{label} is the one network that can carry it"
    because = CRITERIA[criterion] if criterion >= 0 else "it was configured first"
    return f"{label} is the best of {others + 1} usable networks: {because}"


def difference(best: Key, following: Key) -> int:
    """The first criterion in which two keys differ, or -1."""
    return next((at for at, (one, other) in enumerate(zip(best, following, strict=True)) if one != other), -1)


def _wanted_online(case: Case, view: NetworkView) -> bool:
    """Presence decides only where the network tells it: availability of a number is never known."""
    profile = view.profile
    online = profile.kind == "im" and view.reach.availability is Availability.AVAILABLE
    return online and not profile.access and case.sender.online_first


def _routed(case: Case, view: NetworkView) -> tuple[str, ...]:
    """The route of the number to which the message was addressed also orders the networks without numbers."""
    address, facts = view.target, view.facts
    if address is None or address.scheme != "tel":
        address = case.request.recipient_address
        if address.scheme != "tel":
            return ()
        facts = next((other.facts for other in case.request.networks if other.target == address), NO_FACTS)
    match = case.operator.match(address.value, facts)
    return () if match is None else match.networks


def _place(names: tuple[str, ...], name: str) -> int:
    return names.index(name) if name in names else len(names)
