"""Who of ours and who of theirs see each other: what the server of an XMPP user would keep, kept here, durable."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field

from opencpm.domain.presence import UNKNOWN, Presence
from opencpm.domain.profile import Availability
from opencpm.domain.roster import Tie
from opencpm.interfaces import KeyedState
from opencpm.protocols.xmpp.presence import PresenceStanza

MAX_CLIENTS = 32
"""Of one person; who has more shows only these."""

_AVAILABILITY = {
    "": Availability.AVAILABLE,
    "chat": Availability.AVAILABLE,
    "dnd": Availability.BUSY,
    "away": Availability.AWAY,
    "xa": Availability.AWAY,
}
_ORDER = (Availability.AVAILABLE, Availability.BUSY, Availability.AWAY)


@dataclass(slots=True)
class Bond:
    """One pair. The first fields are kept over a restart; presence is told anew by the other server."""

    owner: str  # Subscriber.id
    peer: str  # bare JID
    ours: str  # the bare JID under which they know our person
    sees: bool = False  # our person may see theirs
    asked: bool = False  # we asked, they have not answered
    seen: bool = False  # they may see our person
    asking: bool = False  # they asked, our person has not answered
    refused: bool = False
    blocked: bool = False
    name: str = ""
    clients: dict[str, PresenceStanza] = field(default_factory=dict)  # by resource, those that are there
    known: bool = False  # the other server has told whether they are there

    @property
    def tie(self) -> Tie | None:
        """As messaging names it; None where neither is on the other's list."""
        if self.sees:
            return Tie.MUTUAL if self.seen else Tie.LISTED
        if self.asked:
            return Tie.PENDING
        if self.refused:
            return Tie.REFUSED
        return Tie.NONE if self.seen or self.blocked else None

    @property
    def presence(self) -> Presence:
        """By the client with the highest priority, the most available of equal ones (RFC 6121 §4.7.2.3)."""
        if not self.known:
            return UNKNOWN
        if not self.clients:
            return Presence(Availability.OFFLINE)
        best = max(self.clients.values(), key=lambda one: (one.priority, -_ORDER.index(_AVAILABILITY[one.show])))
        return Presence(_AVAILABILITY[best.show], best.status)

    def told(self, resource: str, stanza: PresenceStanza) -> None:
        """Their presence, of one client or of all (no resource)."""
        self.known = True
        if stanza.type == "unavailable":
            if resource:
                self.clients.pop(resource, None)
            else:
                self.clients.clear()
        elif resource in self.clients or len(self.clients) < MAX_CLIENTS:
            self.clients[resource] = stanza

    def unknown(self) -> None:
        """Nobody tells us any more."""
        self.known = False
        self.clients.clear()


_KEPT = ("sees", "asked", "seen", "asking", "refused", "blocked")


class Bonds:
    """All pairs, in the store and in memory."""

    def __init__(self, state: KeyedState, room: str) -> None:
        self._state, self._room = state, room
        self._bonds: dict[tuple[str, str], Bond] = {}
        self._of: dict[str, dict[str, Bond]] = {}

    def load(self) -> None:
        for value in self._state.all_state(self._room).values():
            self._add(Bond(**json.loads(value)))

    def get(self, owner: str, peer: str) -> Bond | None:
        return self._bonds.get((owner, peer))

    def of(self, owner: str) -> list[Bond]:
        return list(self._of.get(owner, {}).values())

    def owners(self) -> list[str]:
        return list(self._of)

    def __iter__(self) -> Iterator[Bond]:
        return iter(tuple(self._bonds.values()))

    def __len__(self) -> int:
        return len(self._bonds)

    def have(self, owner: str, peer: str, ours: str) -> Bond:
        """The bond of a pair, made when there is none."""
        return self._bonds.get((owner, peer)) or self._add(Bond(owner, peer, ours))

    def keep(self, bond: Bond) -> None:
        """Write it down; one in which nothing is left is forgotten."""
        if any(getattr(bond, name) for name in _KEPT):
            kept = {name: value for name, value in asdict(bond).items() if name not in ("clients", "known")}
            self._state.put_state(self._room, _key(bond), json.dumps(kept).encode())
        else:
            self._bonds.pop((bond.owner, bond.peer), None)
            of_owner = self._of.get(bond.owner, {})
            of_owner.pop(bond.peer, None)
            if not of_owner:
                self._of.pop(bond.owner, None)
            self._state.put_state(self._room, _key(bond), None)

    def _add(self, bond: Bond) -> Bond:
        self._bonds[bond.owner, bond.peer] = bond
        self._of.setdefault(bond.owner, {})[bond.peer] = bond
        return bond


def _key(bond: Bond) -> str:
    return f"{bond.owner} {bond.peer}"
