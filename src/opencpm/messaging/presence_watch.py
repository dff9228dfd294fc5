"""Who watches whom: subscribers' devices that follow the presence of their contacts, whatever network these are on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from opencpm.domain.address import Address
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.presence import UNKNOWN, Presence, best
from opencpm.domain.profile import Availability
from opencpm.domain.subscriber import Subscriber
from opencpm.interfaces import Heard
from opencpm.messaging.ground import Ground
from opencpm.messaging.presence import PresenceBoard

_OFFLINE = Presence(Availability.OFFLINE)


class _Watch(NamedTuple):
    watcher: str  # Subscriber.id
    target: Address
    heard: Heard


class PresenceWatch:
    """Implements :class:`opencpm.interfaces.Presences`. ``publish`` is messaging's."""

    def __init__(
        self, ground: Ground, board: PresenceBoard, publish: Callable[[str, Availability, str], Subscriber]
    ) -> None:
        self._ground, self._board, self._publish = ground, board, publish
        self._of_subscriber: dict[str, list[_Watch]] = {}  # by who is watched
        self._of_watcher: dict[str, list[_Watch]] = {}  # those of people on foreign networks, by who watches

    def published(self, subscriber: Address, availability: Availability, note: str) -> None:
        owner = self._ground.directory.owner_of(subscriber)
        if owner is not None and (owner.preferences.status, owner.preferences.note) != (availability, note):
            self._publish(owner.id, availability, note)

    def follow(self, watcher: Address, target: Address, heard: Heard) -> tuple[Presence, Callable[[], None]]:
        directory = self._ground.directory
        own = directory.owner_of(watcher)
        if own is None:
            raise SendError(Reason.BARRED, detail="Only users of this server can do this.")
        target = self._ground.canonical(target)
        watched = directory.owner_of(target)
        watch = _Watch(own.id, target, heard)
        kept, key = (self._of_subscriber, watched.id) if watched is not None else (self._of_watcher, own.id)
        kept.setdefault(key, []).append(watch)

        def stop() -> None:
            watches = kept.get(key, [])
            if watch in watches:
                watches.remove(watch)
            if not watches:
                kept.pop(key, None)

        return self.now(own.id, target), stop

    def now(self, watcher: str, target: Address) -> Presence:
        """What a subscriber may know of somebody."""
        watched = self._ground.directory.owner_of(target)
        if watched is None:
            return self._abroad(watcher, target)
        own = self._ground.directory.subscriber(watcher)
        if own is None or any(self._ground.directory.blocks(watched.id, address) for address in own.addresses):
            return _OFFLINE
        return self._here(watched)

    def subscriber_changed(self, subscriber_id: str) -> None:
        """A subscriber's devices came or went, or they appear otherwise."""
        for watch in tuple(self._of_subscriber.get(subscriber_id, ())):
            watch.heard(self.now(watch.watcher, watch.target))

    def somebody_changed(self, watcher: str, address: Address) -> None:
        """Somebody on a foreign network, as ``watcher`` sees them, is otherwise now."""
        for watch in tuple(self._of_watcher.get(watcher, ())):
            if address in self._addresses(watcher, watch.target):
                watch.heard(self.now(watcher, watch.target))

    def _here(self, subscriber: Subscriber) -> Presence:
        """A subscriber's own word, once a device of theirs is there."""
        own = subscriber.presence
        there = any(
            connector.reach(subscriber.id, subscriber.addresses[0]).availability is Availability.AVAILABLE
            for connector in self._ground.connectors.values()
            if connector.profile.access
        )
        return own if there else replace(own, availability=Availability.OFFLINE)

    def _abroad(self, watcher: str, target: Address) -> Presence:
        """By whichever address and network of a person shows them best."""
        found = [
            self._board.of(watcher, name, address)
            for address in self._addresses(watcher, target)
            for name, connector in self._ground.connectors.items()
            if address.scheme in connector.profile.schemes and not connector.profile.access
        ]
        return best(found) if found else UNKNOWN

    def _addresses(self, watcher: str, target: Address) -> tuple[Address, ...]:
        contact = self._ground.directory.contact(watcher, target)
        return (target, *[address for address in contact.addresses if address != target])
