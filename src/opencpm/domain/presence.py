"""Presence: how somebody is on one network, one model for all of them.

A network's own statuses become an :class:`~opencpm.domain.profile.Availability` and a note in its connector; what a
subscriber publishes goes the other way. Reach (what a connector knows of *reaching* an address) is for selection;
presence is what people are shown.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from opencpm.domain.profile import Availability

NOTE_LIMIT: Final = 512
"""Characters of a note that are kept; the rest is cut."""

_ORDER: Final = (
    Availability.AVAILABLE,
    Availability.BUSY,
    Availability.AWAY,
    Availability.OFFLINE,
    Availability.UNKNOWN,
)


@dataclass(frozen=True, slots=True)
class Presence:
    """``note``: what they wrote themselves ("in Rome until Friday"), plain text on one line.

    ``since``: when ``availability`` began, seconds since the epoch; 0.0: the network did not say (messaging then
    fills in when it was heard).
    """

    availability: Availability
    note: str = ""
    since: float = 0.0


UNKNOWN: Final = Presence(Availability.UNKNOWN)


def note_of(text: str) -> str:
    """A note as it is kept: one line, no control characters, at most ``NOTE_LIMIT`` characters."""
    plain = "".join(c if c.isprintable() else " " for c in text[: 4 * NOTE_LIMIT])
    return " ".join(plain.split())[:NOTE_LIMIT]


def best(seen: Iterable[Presence]) -> Presence:
    """The most available of several (accounts that see the same person, devices of one person)."""
    return min(seen, key=lambda presence: _ORDER.index(presence.availability), default=UNKNOWN)
