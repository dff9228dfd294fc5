"""A conference, as one who is in it knows it."""

from __future__ import annotations

MOST = 100
"""Others in a conference who are written to: every text names them all."""


MOST_ROOMS = 50
"""Conferences that an account is in at a time."""


class Room:
    """`members`: everybody but us."""

    def __init__(self, name: str, inviter: str, others: tuple[str, ...]) -> None:
        self.name, self.inviter = name, inviter
        self.members: set[str] = {inviter}
        self.joined(*others)

    @property
    def people(self) -> list[str]:
        """The members in a fixed order."""
        return sorted(self.members)

    def joined(self, *users: str) -> None:
        for user in users:
            if len(self.members) < MOST:
                self.members.add(user)

    def left(self, user: str) -> None:
        self.members.discard(user)
