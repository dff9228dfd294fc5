"""What is known of people's presence: per subscriber, network and address; in memory, told to the open pages.

It goes with the process, by design: every network tells it anew after a sign-on.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace
from typing import NamedTuple

from opencpm.domain.address import Address
from opencpm.domain.presence import UNKNOWN, Presence, best
from opencpm.domain.profile import Availability
from opencpm.interfaces import Bus, Clock

SEEN_LIMIT = 5000
"""People whose presence is kept for one subscriber; the one told longest ago goes first."""


class Sight(NamedTuple):
    """Who is seen, and by which account on which network."""

    network: str
    address: Address
    account: Address | None = None


_Whom = tuple[str, Address]
"""Network and address."""


class PresenceBoard:
    """Everybody's presence as their networks told it last."""

    def __init__(self, bus: Bus, clock: Clock) -> None:
        self._bus = bus
        self._clock = clock
        self._seen: dict[str, OrderedDict[_Whom, dict[Address | None, Presence]]] = {}  # owner → whom → by account

    def changed(self, owner: str, sight: Sight, presence: Presence) -> bool:
        """Take in what a network tells; whether it is news."""
        seen = self._seen.setdefault(owner, OrderedDict())
        views = seen.get(sight[:2], {})
        old = views.get(sight.account, UNKNOWN)
        presence = self._dated(presence, old)
        if presence == old:
            return False
        before = best(views.values())
        after = self._keep(owner, seen, sight, presence)
        if after != before:
            self._tell(owner, sight, after)
        return True

    def of(self, owner: str, network: str, address: Address) -> Presence:
        """What ``owner`` may know of somebody, by whichever of their accounts knows best."""
        seen = self._seen.get(owner)
        return best(seen.get((network, address), {}).values()) if seen else UNKNOWN

    def all_of(self, owner: str) -> dict[Sight, Presence]:
        """Everybody seen by ``owner``."""
        found: dict[Sight, Presence] = {}
        for (network, address), views in self._seen.get(owner, OrderedDict()).items():
            found.update({Sight(network, address, account): presence for account, presence in views.items()})
        return found

    def forget(self, owner: str, network: str, account: Address | None) -> None:
        """An account is gone: what it saw is not known any more."""
        for sight in [s for s in self.all_of(owner) if (s.network, s.account) == (network, account)]:
            self.changed(owner, sight, UNKNOWN)

    def _dated(self, presence: Presence, old: Presence) -> Presence:
        if presence.availability is Availability.UNKNOWN:
            return UNKNOWN
        if presence.since:
            return presence
        same = presence.availability is old.availability
        return replace(presence, since=old.since if same else self._clock.now())

    def _keep(
        self,
        owner: str,
        seen: OrderedDict[_Whom, dict[Address | None, Presence]],
        sight: Sight,
        presence: Presence,
    ) -> Presence:
        """Note one account's view; what all of them come to."""
        views = seen.pop(sight[:2], {})
        if presence.availability is Availability.UNKNOWN:
            views.pop(sight.account, None)
        else:
            views[sight.account] = presence
        if views:
            seen[sight[:2]] = views
            if len(seen) > SEEN_LIMIT:
                seen.popitem(last=False)
        elif not seen:
            del self._seen[owner]
        return best(views.values())

    def _tell(self, owner: str, sight: Sight, presence: Presence) -> None:
        topic = f"user:{owner}"
        if not self._bus.heard(topic):
            return
        self._bus.publish(
            topic,
            {
                "type": "presence",
                "network": sight.network,
                "address": str(sight.address),
                "availability": presence.availability.value,
                "note": presence.note,
                "since": presence.since,
            },
        )
