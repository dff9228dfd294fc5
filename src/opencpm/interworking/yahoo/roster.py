"""An account's list in no network's terms: what is told to messaging, and the user's changes carried out."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from opencpm.domain.errors import SendError
from opencpm.domain.roster import ChangeKind, ContactRequest, RosterChange, RosterEntry, Tie
from opencpm.interworking.yahoo.buddies import Buddies, only_ignored
from opencpm.interworking.yahoo.desk import Desk
from opencpm.interworking.yahoo.listing import Listing
from opencpm.interworking.yahoo.names import SCHEME
from opencpm.protocols.ymsg.contacts import Contact

if TYPE_CHECKING:
    from opencpm.domain.subscriber import LinkedAccount

_SETTLE = 0.2  # seconds over which changes of the list are told together


class Roster:
    """Asks the directory what there is to change, again whenever it may have changed."""

    def __init__(self, linked: LinkedAccount, desk: Desk, listing: Listing, buddies: Buddies) -> None:
        self._linked, self._desk, self._listing, self._buddies = linked, desk, listing, buddies
        self._told = False  # since the last sign-on
        self._changing: asyncio.Task[None] | None = None
        self._again = False
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        """Signed in: the whole list is known."""
        self._tell()
        self._told = True
        self.follow()

    def end(self) -> None:
        """Signed out: nothing more is known, nothing can be changed."""
        self._told = False
        for running in (self._timer, self._changing):
            if running is not None:
                running.cancel()
        self._timer = self._changing = None

    def changed(self) -> None:
        """The service told of a change."""
        if self._told and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_SETTLE, self._settled)

    def follow(self) -> None:
        """The user may have changed something: carry out what there is to do."""
        if not self._told:
            return
        if self._changing is not None:
            self._again = True
        elif self._wanted():
            self._changing = self._desk.spawn(self._carry_out())
            self._changing.add_done_callback(self._done)

    def asked(self, user: str, text: str) -> None:
        """Somebody has added the account, or asks to."""
        if self._desk.settings.allow_contacts:
            self._listing.answer(user, True)
            return
        self._desk.inbox.contact_asked(
            ContactRequest(
                owner=self._linked.owner,
                network=self._desk.name,
                address=self._desk.names.address(user),
                at=self._desk.clock.now(),
                text=text[:1000],
                account=self._linked.address,
            )
        )

    # --- telling -------------------------------------------------------------------------------------------------

    def _settled(self) -> None:
        self._timer = None
        self._tell()

    def _tell(self) -> None:
        entries = [self._entry(contact) for contact in self._buddies.contacts]
        linked = self._linked
        self._desk.inbox.roster(self._desk.name, linked.owner, entries, linked.address)

    def _entry(self, contact: Contact) -> RosterEntry:
        tie = Tie.PENDING if contact.pending else Tie.LISTED
        if only_ignored(contact):
            tie = Tie.NONE
        elif contact.user in self._listing.refused:
            tie = Tie.REFUSED
        address = self._desk.names.address(contact.user)
        return RosterEntry(address=address, groups=contact.groups, tie=tie, blocked=contact.ignored)

    # --- the user's changes --------------------------------------------------------------------------------------

    def _wanted(self) -> Sequence[RosterChange]:
        linked = self._linked
        return self._desk.directory.roster_changes(self._desk.name, linked.owner, frozenset({SCHEME}), linked.address)

    async def _carry_out(self) -> None:
        for change in self._wanted():
            error = None
            try:
                await self._one(change)
            except SendError as refused:
                error = refused
            linked = self._linked
            self._desk.inbox.roster_settled(self._desk.name, linked.owner, change, error, linked.address)
        self.changed()

    async def _one(self, change: RosterChange) -> None:
        who, listing = self._desk.names.user(change.address.value), self._listing
        match change.kind:
            case ChangeKind.ADD:
                await listing.add(who)
            case ChangeKind.REMOVE:
                await listing.remove(who)
            case ChangeKind.BLOCK:
                await listing.ignore(who, True)
            case ChangeKind.UNBLOCK:
                await listing.ignore(who, False)
            case ChangeKind.ACCEPT | ChangeKind.DECLINE:
                listing.answer(who, change.kind is ChangeKind.ACCEPT)

    def _done(self, task: asyncio.Task[None]) -> None:
        if self._changing is not task:
            return
        self._changing = None
        if self._again and not task.cancelled():
            self._again = False
            self.follow()
