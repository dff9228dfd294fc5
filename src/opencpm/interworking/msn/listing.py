"""Changes of an account's contact lists: who is written to is put on it, who adds the account is allowed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from opencpm.domain.errors import SendError
from opencpm.interworking.msn import reasons
from opencpm.interworking.msn.buddies import Buddies
from opencpm.interworking.msn.settings import MsnSettings
from opencpm.protocols.msnp import events
from opencpm.protocols.msnp.commands import Contact, Lists
from opencpm.protocols.msnp.errors import Trouble

_MAX_ALLOWED_AT_ONCE = 100
_NOBODY = frozenset({205, 206, 208})  # there is no such account

Add = Callable[[Lists, str, str], int]


class Listing:
    """`add` puts somebody on a list and returns the transaction id (raises SendError when not signed in)."""

    def __init__(self, buddies: Buddies, add: Add, settings: MsnSettings) -> None:
        self._buddies, self._add, self._settings = buddies, add, settings
        self._waiting: dict[int, asyncio.Future[None]] = {}

    async def know(self, peer: str) -> None:
        """Put somebody on the contact list before they are written to first. Raises SendError if they do not exist."""
        if not self._settings.add_contacts or self._buddies.on_list(peer):
            return
        trid = self._add(Lists.FL, peer, "")
        answered: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[trid] = answered
        try:
            await answered
        finally:
            self._waiting.pop(trid, None)

    def allow(self, contacts: Iterable[Contact]) -> None:
        """Let these see and call the account."""
        if self._settings.allow_contacts:
            for contact in list(contacts)[:_MAX_ALLOWED_AT_ONCE]:
                self._add(Lists.AL, contact.address, contact.name)

    def changed(self, event: events.ListChanged) -> None:
        """The service confirmed a change, or tells one that others made."""
        contact = event.contact
        if event.added:
            self._buddies.listed(contact)
        else:
            self._buddies.unlisted(contact)
        self._settle(event.trid, None)
        if event.added and Lists.RL in event.lists and not contact.lists & (Lists.AL | Lists.BL):
            self.allow([contact])

    def refused(self, trid: int, trouble: Trouble | None, subject: str) -> None:
        """Only "there is nobody of that name" keeps a message back; any other trouble with the list does not."""
        unknown = trouble is not None and trouble.code in _NOBODY
        self._settle(trid, reasons.unknown(subject, trouble.code) if trouble and unknown else None)

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
