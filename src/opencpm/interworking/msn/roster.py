"""An account's contact list in no network's terms: what is told to messaging, and the user's changes carried out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from opencpm.domain.address import Address
from opencpm.domain.errors import SendError
from opencpm.domain.roster import ChangeKind, ContactRequest, RosterChange, RosterEntry, Tie
from opencpm.interworking.msn.desk import Desk
from opencpm.interworking.msn.listing import Listing
from opencpm.protocols.msnp.commands import Contact, Lists

if TYPE_CHECKING:
    from opencpm.domain.subscriber import LinkedAccount

SCHEMES = frozenset({"msn"})
_NO_GROUP = "0"  # in versions 7 to 9, where it is called "Other Contacts"
_SETTLE = 0.2  # seconds over which changes of the list are told together


class Roster:
    """`contacts` gives everybody on the account's lists, `groups` the names of its groups by id."""

    def __init__(
        self,
        linked: LinkedAccount,
        desk: Desk,
        listing: Listing,
        contacts: Callable[[], Sequence[Contact]],
        groups: Callable[[], dict[str, str]],
    ) -> None:
        self._linked, self._desk, self._listing = linked, desk, listing
        self._contacts, self._groups = contacts, groups
        self._told = False  # since the last sign-on
        self._changing: asyncio.Task[None] | None = None
        self._again = False
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        """Signed in: the whole list is known."""
        self._tell()
        self._told = True
        self._ask()
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

    # --- telling -------------------------------------------------------------------------------------------------

    def _settled(self) -> None:
        self._timer = None
        self._tell()
        self._ask()

    def _tell(self) -> None:
        entries = [self._entry(contact) for contact in self._contacts()]
        linked = self._linked
        self._desk.inbox.roster(self._desk.name, linked.owner, entries, linked.address)

    def _entry(self, contact: Contact) -> RosterEntry:
        names = self._groups()
        groups = tuple(names[group] for group in contact.groups if group in names and group != _NO_GROUP)
        tie = Tie.NONE
        if Lists.FL in contact.lists:
            tie = Tie.MUTUAL if Lists.RL in contact.lists else Tie.LISTED
        address = Address("msn", contact.address)
        blocked = Lists.BL in contact.lists
        return RosterEntry(address=address, name=contact.name, groups=groups, tie=tie, blocked=blocked)

    def _ask(self) -> None:
        """Those who have added the account and are neither allowed nor blocked."""
        undecided = [contact for contact in self._contacts() if undecided_about(contact)]
        if self._desk.settings.allow_contacts:
            self._listing.allow(undecided)
            return
        for contact in undecided:
            self._desk.inbox.contact_asked(
                ContactRequest(
                    owner=self._linked.owner,
                    network=self._desk.name,
                    address=Address("msn", contact.address),
                    at=self._desk.clock.now(),
                    name=contact.name,
                    account=self._linked.address,
                )
            )

    # --- the user's changes --------------------------------------------------------------------------------------

    def _wanted(self) -> Sequence[RosterChange]:
        linked = self._linked
        return self._desk.directory.roster_changes(self._desk.name, linked.owner, SCHEMES, linked.address)

    async def _carry_out(self) -> None:
        for change in self._wanted():
            error = None
            try:
                await self._one(change)
            except SendError as refused:
                error = refused
            linked = self._linked
            self._desk.inbox.roster_settled(self._desk.name, linked.owner, change, error, linked.address)

    async def _one(self, change: RosterChange) -> None:
        who, listing = change.address.value, self._listing
        match change.kind:
            case ChangeKind.ADD:
                await listing.add(who, change.name)
            case ChangeKind.REMOVE:
                await listing.remove(who)
            case ChangeKind.BLOCK | ChangeKind.DECLINE:
                await listing.block(who)
            case ChangeKind.UNBLOCK | ChangeKind.ACCEPT:
                await listing.unblock(who)

    def _done(self, task: asyncio.Task[None]) -> None:
        if self._changing is not task:
            return
        self._changing = None
        if self._again and not task.cancelled():
            self._again = False
            self.follow()


def undecided_about(contact: Contact) -> bool:
    """Whether somebody wants to be let in and was not answered yet."""
    lists = contact.lists
    return bool(lists & (Lists.RL | Lists.PL)) and not lists & (Lists.AL | Lists.BL)
