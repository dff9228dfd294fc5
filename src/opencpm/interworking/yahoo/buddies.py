"""Who is on an account's list, and what is known of their presence."""

from __future__ import annotations

from collections.abc import Iterable

from opencpm.domain import presence as neutral
from opencpm.domain.profile import Availability, Reach
from opencpm.interworking.yahoo import adapt
from opencpm.interworking.yahoo.names import possible
from opencpm.protocols.ymsg.contacts import Contact
from opencpm.protocols.ymsg.presence import Presence

_MOST = 10_000  # whose presence is kept; servers tell of listed people only


class Buddies:
    """The list of one signed-on account. Everybody on it counts as offline until told otherwise."""

    def __init__(self) -> None:
        self._contacts: dict[str, Contact] = {}
        self._seen: dict[str, Presence] = {}

    @property
    def contacts(self) -> list[Contact]:
        """Everybody on the list, and those who are only ignored."""
        return list(self._contacts.values())

    def contact(self, user: str) -> Contact | None:
        return self._contacts.get(user)

    def listed(self, contacts: Iterable[Contact]) -> list[str]:
        """The whole list, anew. Returns those who were seen and are on it no more. People whom Yahoo reaches on other
        networks are left out: what is written to them needs more than an id."""
        self._contacts = {contact.user: contact for contact in contacts if _ours(contact)}
        gone = [user for user in self._seen if not self.on_list(user)]
        for user in gone:
            del self._seen[user]
        return gone

    def put(self, contact: Contact) -> None:
        """One line of the list, as it is now."""
        self._contacts[contact.user] = contact

    def drop(self, user: str) -> None:
        """Off the list."""
        self._contacts.pop(user, None)
        self._seen.pop(user, None)

    def end(self) -> list[str]:
        """Signed off: nothing is known any more. Returns whose presence that changes."""
        known = list(self._seen)
        self._contacts.clear()
        self._seen.clear()
        return known

    def changed(self, presences: Iterable[Presence], all_others_offline: bool) -> list[str]:
        """Returns whose presence is another one now."""
        told = {seen.user: seen for seen in presences if self.on_list(seen.user)}
        if all_others_offline:
            absent = (user for user, seen in self._seen.items() if seen.online and user not in told)
            told |= {user: Presence(user, False) for user in tuple(absent)}
        changed = [user for user, seen in told.items() if self._seen.get(user) != seen]
        for user in changed:
            if user in self._seen or len(self._seen) < _MOST:
                self._seen[user] = told[user]
        return changed

    def on_list(self, user: str) -> bool:
        """Whether the service tells us their presence."""
        contact = self._contacts.get(user)
        return contact is not None and not only_ignored(contact)

    def availability(self, user: str) -> Availability:
        """UNKNOWN for who is not on the list."""
        if not self.on_list(user):
            return Availability.UNKNOWN
        seen = self._seen.get(user)
        return adapt.availability(seen) if seen is not None else Availability.OFFLINE

    def presence(self, user: str) -> neutral.Presence:
        """What people are shown."""
        if not self.on_list(user):
            return neutral.UNKNOWN
        return adapt.presence(self._seen.get(user, Presence(user, False)))

    def reach(self, user: str) -> Reach:
        """What selection may know."""
        availability = self.availability(user)
        if availability is Availability.UNKNOWN:
            return Reach(availability, detail="not on the list")
        features = frozenset() if availability is Availability.OFFLINE else frozenset({"session"})
        return Reach(availability, features, f"status {availability.value}")

    def counts(self) -> tuple[int, int]:
        """People on the list, and how many of them are online."""
        return sum(map(self.on_list, self._contacts)), sum(seen.online for seen in self._seen.values())


def _ours(contact: Contact) -> bool:
    return not contact.foreign and possible(contact.user)


def only_ignored(contact: Contact) -> bool:
    """On the ignore list, and on no other."""
    return contact.ignored and not contact.groups
