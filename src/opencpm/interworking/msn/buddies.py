"""Who is on an account's contact list, and what is known of their presence."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from opencpm.domain import presence as neutral
from opencpm.domain.profile import Availability, Reach
from opencpm.protocols.msnp import commands
from opencpm.protocols.msnp.commands import Contact, Lists, Presence

ABSENT_FOR = 60.0  # seconds for which the service's "not online" (217) is believed of somebody not on the list

_AVAILABILITY = {
    commands.ONLINE: Availability.AVAILABLE,
    commands.BUSY: Availability.BUSY,
    commands.ON_THE_PHONE: Availability.BUSY,
    commands.OFFLINE: Availability.OFFLINE,
}
_SHOWN = {
    Availability.AVAILABLE: commands.ONLINE,
    Availability.BUSY: commands.BUSY,
    Availability.AWAY: commands.AWAY,
    Availability.OFFLINE: commands.HIDDEN,
}
_WORDS = {
    commands.ONLINE: "online",
    commands.BUSY: "busy",
    commands.ON_THE_PHONE: "on the phone",
    commands.IDLE: "idle",
    commands.AWAY: "away",
    commands.BE_RIGHT_BACK: "back soon",
    commands.OUT_TO_LUNCH: "out to lunch",
    commands.OFFLINE: "offline",
}


def shown(availability: Availability) -> str:
    """The MSN status by which a subscriber appears."""
    return _SHOWN.get(availability, commands.ONLINE)


class Buddies:
    """The contacts of one signed-on account. `now` is the loop's time."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._contacts: dict[str, Contact] = {}
        self._states: dict[str, str] = {}
        self._absent: dict[str, float] = {}
        self._notes: dict[str, str] = {}  # personal messages

    def begin(self, contacts: Iterable[Contact]) -> None:
        """A new sign-on: everybody counts as offline until told otherwise."""
        self._contacts = {contact.address: contact for contact in contacts}
        self._absent.clear()
        for address in [who for who in self._states if who not in self._contacts]:
            del self._states[address]
        for address, contact in self._contacts.items():
            if Lists.FL in contact.lists:
                self._states.setdefault(address, commands.OFFLINE)

    def end(self) -> list[str]:
        """Signed off: nothing is known any more. Returns whose presence that changes."""
        known = list(self._states)
        self._states.clear()
        self._notes.clear()
        return known

    def changed(self, presence: Presence) -> None:
        self._states[presence.address] = presence.state
        self._absent.pop(presence.address, None)

    def noted(self, address: str, text: str) -> bool:
        """Somebody's personal message; whether it is another one than before."""
        if self._notes.get(address, "") == text or (address not in self._states and address not in self._contacts):
            return False
        self._notes[address] = text
        return True

    def contact(self, address: str) -> Contact | None:
        """Somebody as they stand on the lists."""
        return self._contacts.get(address)

    @property
    def contacts(self) -> list[Contact]:
        """Everybody on one of the lists."""
        return [contact for contact in self._contacts.values() if contact.lists]

    def listed(self, contact: Contact) -> None:
        """Somebody was put on a list."""
        self._contacts[contact.address] = contact
        if Lists.FL in contact.lists:
            self._states.setdefault(contact.address, commands.OFFLINE)

    def unlisted(self, contact: Contact) -> None:
        """Somebody was taken off a list."""
        self._contacts[contact.address] = contact
        if Lists.FL not in contact.lists:
            self._states.pop(contact.address, None)

    def absent(self, address: str) -> None:
        """The service said that this person is not online; they may be unknown, or block us."""
        if address not in self._states and len(self._absent) < 10_000:
            self._absent[address] = self._now() + ABSENT_FOR

    def on_list(self, address: str) -> bool:
        """Whether this person is on the contact list, so that the service tells us their presence."""
        contact = self._contacts.get(address)
        return contact is not None and Lists.FL in contact.lists

    def status(self, address: str) -> str:
        """The MSN status, empty when not known."""
        return self._states.get(address, "")

    def reach(self, address: str) -> Reach:
        """What selection may know."""
        state = self._states.get(address)
        if state is not None:
            word = f"status {_WORDS.get(state, state)}"
            return Reach(_AVAILABILITY.get(state, Availability.AWAY), frozenset({"session"}), word)
        if self._absent.get(address, 0.0) > self._now():
            return Reach(Availability.OFFLINE, detail="not online when last tried")
        return Reach(Availability.UNKNOWN, detail="not on the contact list")

    def presence(self, address: str) -> neutral.Presence:
        """What people are shown."""
        state = self._states.get(address)
        if state is None:
            return neutral.UNKNOWN
        return neutral.Presence(
            _AVAILABILITY.get(state, Availability.AWAY), neutral.note_of(self._notes.get(address, ""))
        )

    def counts(self) -> tuple[int, int]:
        """Contacts, and how many of them are online."""
        online = sum(state != commands.OFFLINE for state in self._states.values())
        return sum(Lists.FL in contact.lists for contact in self._contacts.values()), online
