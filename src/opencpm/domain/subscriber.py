"""The people this server serves, and what they prefer."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from opencpm.domain.address import Address
from opencpm.domain.presence import Presence
from opencpm.domain.profile import Availability


class SessionFeedback(StrEnum):
    """What a subscriber wants to be told of a session's closing on the far side (step 23 of the story)."""

    NONE = "none"
    ERRORS = "errors"
    ALL = "all"


class WhenUnavailable(StrEnum):
    """What becomes of a message for a subscriber who cannot take it now."""

    DEFER = "defer"
    REJECT = "reject"


class Simplify(StrEnum):
    """What a subscriber lets become of characters that a small alphabet lacks, to spare segments."""

    NETWORK = "network"  # as the operator has it
    OFF = "off"
    TYPOGRAPHIC = "typographic"  # curly quotes, dashes, special spaces
    LATIN = "latin"  # and diacritics


class GroupInvitations(StrEnum):
    """Who may put a subscriber into groups."""

    EVERYONE = "everyone"
    CONTACTS = "contacts"  # who is in the address book
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferences:
    """A subscriber's choices; read at the moment of handling, not at login."""

    networks: tuple[str, ...] = ()  # preferred networks, best first; empty: the operator's order
    denied: frozenset[str] = frozenset()  # networks this subscriber does not want to use
    max_segments: int = 0  # at most so many SMS segments a message; 0: the operator's limit
    session_feedback: SessionFeedback = SessionFeedback.ALL
    when_unavailable: WhenUnavailable = WhenUnavailable.DEFER
    accept_sessions: bool = False  # answer invitations at once, without ringing
    display_reports: bool = True  # tell senders that their messages were displayed
    status: Availability = Availability.AVAILABLE  # set by hand; OFFLINE: hold my messages
    links: bool = True  # what a network cannot carry may go as a text with a private link
    strict_route: bool = False  # if the network chosen for one message cannot carry it: refuse rather than use another
    online_first: bool = False  # an instant message where the other person is online, whatever the order of networks
    group_invitations: GroupInvitations = GroupInvitations.EVERYONE
    note: str = ""  # what people on other networks read beside the status
    share_contacts: bool = False  # changes of the address book are made on the networks' lists too
    simplify: Simplify = Simplify.NETWORK  # text for networks with a small alphabet


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkedAccount:
    """A subscriber's own account on a foreign network, in which the server signs in. Its password is not here.

    ``revision`` rises whenever it is linked again: a connector that sees a new one starts afresh, whatever it thought
    of the account before (wrong password, signed in elsewhere).
    """

    owner: str  # Subscriber.id
    network: str  # connector name: "msn"
    address: Address
    enabled: bool = True
    revision: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscriber:
    """A person served by this server. ``addresses[0]`` is the default public identity (a sip: URI)."""

    id: str  # the user name: "alice"
    name: str
    addresses: tuple[Address, ...]
    preferences: Preferences = Preferences()
    accounts: tuple[LinkedAccount, ...] = ()
    barred: bool = False
    status_since: float = 0.0  # when the status was last set by hand

    @property
    def presence(self) -> Presence:
        """What this subscriber publishes, on every network that takes it. Connectors see changes by
        ``Directory.watch``. OFFLINE: appear offline."""
        return Presence(self.preferences.status, self.preferences.note, self.status_since)

    def account(self, network: str) -> LinkedAccount | None:
        """The account used on a network where nothing speaks for another one."""
        return next((a for a in self.accounts if a.network == network and a.enabled), None)

    def on_network(self, network: str) -> tuple[LinkedAccount, ...]:
        """All enabled accounts on a network, the one linked first in front."""
        return tuple(a for a in self.accounts if a.network == network and a.enabled)

    def on(self, scheme: str) -> Address | None:
        return next((a for a in self.addresses if a.scheme == scheme), None)
