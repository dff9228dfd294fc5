"""Changes of an account's contact lists: by commands, and from version 13 on in the address book as well."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable

from opencpm.domain.errors import Reason, SendError
from opencpm.interworking.msn import reasons
from opencpm.interworking.msn.book import AddressBook, BookError
from opencpm.interworking.msn.buddies import Buddies
from opencpm.interworking.msn.settings import MsnSettings
from opencpm.protocols.msnp import addressbook, dialects, events
from opencpm.protocols.msnp.commands import Contact, Lists
from opencpm.protocols.msnp.dialects import Listing as Kind
from opencpm.protocols.msnp.errors import Kind as Meaning
from opencpm.protocols.msnp.errors import Trouble
from opencpm.protocols.msnp.notification import NotificationClient

_MAX_ALLOWED_AT_ONCE = 100
_NOBODY = frozenset({205, 206, 208})  # there is no such account
_NOT_THERE = frozenset({216, 225})

Ask = Callable[[Callable[[NotificationClient, float], int]], int]


class Listing:
    """`ask` has the machine say something and returns the transaction id (raises SendError when not signed in)."""

    def __init__(self, buddies: Buddies, ask: Ask, settings: MsnSettings, book: AddressBook) -> None:
        self._buddies, self._ask, self._settings, self._book = buddies, ask, settings, book
        self._waiting: dict[int, asyncio.Future[None]] = {}
        self.dialect = 0

    # --- what is changed -----------------------------------------------------------------------------------------

    async def know(self, peer: str) -> None:
        """Put somebody on the contact list before they are written to first. Raises SendError if they do not exist:
        any other trouble with the list does not keep a message back."""
        if not self._settings.add_contacts or self._buddies.on_list(peer):
            return
        try:
            await self.add(peer, "")
        except SendError as error:
            if error.reason is Reason.UNKNOWN_ADDRESS or error.reason is Reason.NETWORK_DOWN:
                raise

    async def add(self, peer: str, name: str) -> None:
        """Have somebody on the contact list, and let them see and call. Raises SendError."""
        known = self._buddies.contact(peer)
        lists = known.lists if known else Lists(0)
        let_in = Lists(0) if lists & (Lists.AL | Lists.BL) else Lists.AL
        if self._web:
            if Lists.FL not in lists:
                await self._in_book(self._book.add(peer), peer)
            await self._members((Lists.FL | let_in) & ~lists, peer, name)
            return
        if Lists.FL not in lists:
            await self._said(lambda machine, now: machine.add(Lists.FL, peer, name, now))
        if let_in:
            await self._said(lambda machine, now: machine.add(Lists.AL, peer, name, now))

    async def remove(self, peer: str) -> None:
        """Have somebody off the contact list. Raises SendError."""
        known = self._buddies.contact(peer)
        if known is None or Lists.FL not in known.lists:
            return
        if self._web and known.guid:
            await self._in_book(self._book.remove(known.guid), peer)
        await self._said(lambda machine, now: machine.remove(Lists.FL, peer, now))

    async def block(self, peer: str) -> None:
        """Let somebody neither see nor call the account. Raises SendError."""
        await self._swap(peer, Lists.AL, Lists.BL)

    async def unblock(self, peer: str) -> None:
        """Let somebody see and call the account. Raises SendError."""
        await self._swap(peer, Lists.BL, Lists.AL)

    def allow(self, contacts: Iterable[Contact]) -> None:
        """Let these see and call the account, at once and without waiting for what comes of it."""
        for contact in list(contacts)[:_MAX_ALLOWED_AT_ONCE]:
            self._ask(lambda machine, now, who=contact: machine.add(Lists.AL, who.address, who.name, now))  # type: ignore[misc]

    async def _swap(self, peer: str, off: Lists, on: Lists) -> None:
        known = self._buddies.contact(peer)
        lists = known.lists if known else Lists(0)
        name = known.name if known else ""
        if off in lists:
            if self._web:
                await self._in_book(self._book.delist(off, peer), peer)
            await self._said(lambda machine, now: machine.remove(off, peer, now))
        if on not in lists:
            if self._web:
                await self._in_book(self._book.enlist(on, peer), peer)
            await self._said(lambda machine, now: machine.add(on, peer, name, now))
        if Lists.PL in lists and dialects.listing(self.dialect) is Kind.KEYED:
            await self._said(lambda machine, now: machine.remove(Lists.PL, peer, now))

    @property
    def _web(self) -> bool:
        return dialects.listing(self.dialect) is Kind.WEB

    async def _members(self, lists: Lists, peer: str, name: str) -> None:
        if lists:
            await self._said(lambda machine, now: machine.add(lists, peer, name, now))

    async def _in_book(self, change: Awaitable[object], peer: str) -> None:
        try:
            await change
        except BookError as error:
            if error.code in addressbook.NOBODY:
                raise reasons.unknown(peer, error.code) from error
            raise reasons.not_listed(str(error)) from error

    async def _said(self, act: Callable[[NotificationClient, float], int]) -> None:
        """Ask and wait for the answer."""
        trid = self._ask(act)
        answered: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[trid] = answered
        try:
            await answered
        finally:
            self._waiting.pop(trid, None)

    # --- what the service says -----------------------------------------------------------------------------------

    def changed(self, event: events.ListChanged) -> None:
        """The service confirmed a change, or tells one that others made."""
        contact = event.contact
        if event.added:
            self._buddies.listed(contact)
        else:
            self._buddies.unlisted(contact)
        self._settle(event.trid, None)

    def refused(self, trid: int, trouble: Trouble | None, subject: str, verb: str) -> None:
        if trouble is None:
            self._settle(trid, reasons.not_listed("no answer"))
        elif trouble.code in _NOBODY:
            self._settle(trid, reasons.unknown(subject, f"MSNP {trouble.code}"))
        elif trouble.kind is Meaning.SUCCESS or (verb in ("REM", "RML") and trouble.code in _NOT_THERE):
            self._settle(trid, None)
        else:
            self._settle(trid, reasons.refused(trouble, subject))

    def fail(self, error: SendError) -> None:
        """The notification server is gone."""
        for trid in tuple(self._waiting):
            self._settle(trid, error)

    def _settle(self, trid: int, error: SendError | None) -> None:
        waiting = self._waiting.get(trid)
        if waiting is None or waiting.done():
            return
        if error is None:
            waiting.set_result(None)
        else:
            waiting.set_exception(error)
