"""The contact lists that networks keep: what they say, and what they shall be told.

A network's list never overwrites what the user wrote into the address book. It is remembered beside it, as a
:class:`Mark` per list and address, so that both can differ and neither is lost.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from opencpm.domain.address import Address

ROSTER_LIMIT: Final = 5000
"""Entries of one list that are taken in."""

NAME_LIMIT: Final = 128


class Tie(StrEnum):
    """How an account and somebody on its network stand to each other."""

    MUTUAL = "mutual"  # on each other's lists: both see the other's presence
    LISTED = "listed"  # on the account's list; whether they have the account on theirs is not known, or they have not
    PENDING = "pending"  # asked, and not answered yet
    NONE = "none"  # not on the list: only blocked, or only on theirs
    GONE = "gone"  # was on the list; the network's side took it off
    REFUSED = "refused"  # the network or the person said no


LIVE: Final = frozenset({Tie.MUTUAL, Tie.LISTED, Tie.PENDING})
"""Ties of those who are on the network's list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterEntry:
    """One line of a network's list, as a connector tells it. ``groups``: the network's names of groups."""

    address: Address
    name: str = ""
    groups: tuple[str, ...] = ()
    tie: Tie = Tie.LISTED
    blocked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What one list says of one address of a contact.

    ``account``: whose list (None where the network has no linked accounts). ``told``: the user's own word on blocking
    that the network knows; where it differs from ``Contact.blocked`` the network has yet to be told, and where
    ``blocked`` differs from ``told`` it was changed on the network's side, which is left as it is.
    """

    network: str
    account: Address | None
    address: Address
    name: str = ""
    groups: tuple[str, ...] = ()
    tie: Tie = Tie.LISTED
    blocked: bool = False
    told: bool = False

    def of(self, network: str, account: Address | None) -> bool:
        """Whether this is a mark of that list."""
        return self.network == network and self.account == account


class ChangeKind(StrEnum):
    """What a network's list, or somebody on it, shall be told."""

    ADD = "add"
    REMOVE = "remove"
    BLOCK = "block"
    UNBLOCK = "unblock"
    ACCEPT = "accept"  # of a contact request
    DECLINE = "decline"


@dataclass(frozen=True, slots=True)
class RosterChange:
    """``name``: how the user calls them. Carrying out one that holds already is a success."""

    kind: ChangeKind
    address: Address
    name: str = ""


class Answer(StrEnum):
    """What the user said to a contact request."""

    OPEN = "open"
    ACCEPTED = "accepted"
    DECLINED = "declined"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactRequest:
    """Somebody on a network wants to have ``owner`` on their list. ``text``: what they wrote with it."""

    owner: str  # Subscriber.id
    network: str
    address: Address  # who asks
    at: float
    name: str = ""
    text: str = ""
    account: Address | None = None  # which of the owner's accounts they asked
    answer: Answer = Answer.OPEN

    @property
    def id(self) -> str:
        """The same for the same question, so that a repeated one is one request."""
        whole = f"{self.owner}|{self.network}|{self.account or ''}|{self.address}"
        return hashlib.sha256(whole.encode()).hexdigest()[:16]
