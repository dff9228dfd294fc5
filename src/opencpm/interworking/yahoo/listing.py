"""Changes of an account's list: asked for, and answered by key 66."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from opencpm.domain.errors import Reason, SendError
from opencpm.interworking.yahoo import reasons
from opencpm.interworking.yahoo.buddies import Buddies
from opencpm.interworking.yahoo.settings import YahooSettings
from opencpm.protocols.ymsg import Packet, requests
from opencpm.protocols.ymsg.contacts import NO_GROUP, Contact
from opencpm.protocols.ymsg.events import ContactSettled

Put = Callable[..., None]

_ON_LIST = 12  # of IGNORE: only who is not on the list can be ignored


class Listing:
    """`put` sends packets (raises SendError when not signed in)."""

    def __init__(self, user: str, buddies: Buddies, put: Put, settings: YahooSettings) -> None:
        self._user, self._buddies, self._put, self._settings = user, buddies, put, settings
        self._turn = asyncio.Lock()  # one change at a time: answers name the person, not the question
        self._waiting: dict[tuple[str, str], asyncio.Future[int]] = {}
        self.refused: set[str] = set()  # who did not want to be added, since the last sign-on

    # --- what is changed -----------------------------------------------------------------------------------------

    async def know(self, who: str) -> None:
        """Put somebody on the list before they are written to first. Raises SendError if they do not exist; any other
        trouble with the list does not keep a message back."""
        if not self._settings.add_contacts or self._buddies.contact(who) is not None:
            return
        try:
            await self.add(who)
        except SendError as error:
            if error.reason is Reason.UNKNOWN_ADDRESS:
                raise

    async def add(self, who: str) -> None:
        """Have somebody on the list. Raises SendError."""
        async with self._turn:
            await self._add(who)

    async def remove(self, who: str) -> None:
        """Have somebody off the list, out of all its groups. Raises SendError."""
        async with self._turn:
            await self._remove(who)

    async def ignore(self, who: str, ignored: bool) -> None:
        """Let somebody reach the account no more, or again. Raises SendError."""
        async with self._turn:
            await self._ignore(who, ignored)

    async def _add(self, who: str) -> None:
        if self._buddies.on_list(who):
            return
        group = self._settings.group
        packet = requests.add(self._settings.version, self._user, who, group, "")
        self._holds("add", who, await self._ask("add", who, packet))
        if not self._buddies.on_list(who):  # servers tell the whole list again; where not, it is known all the same
            self._buddies.put(Contact(who, (group,)))
        self.refused.discard(who)

    async def _remove(self, who: str) -> None:
        known = self._buddies.contact(who)
        if known is None or not self._buddies.on_list(who):
            return
        for group in known.groups or (NO_GROUP,):
            code = await self._ask("remove", who, requests.remove(self._user, who, group))
            self._holds("remove", who, code)
        self._buddies.drop(who)

    async def _ignore(self, who: str, ignored: bool) -> None:
        known = self._buddies.contact(who)
        if ignored == (known is not None and known.ignored):
            return
        code = await self._ask("ignore", who, requests.ignore(self._user, who, ignored))
        if code == _ON_LIST and ignored:
            await self._remove(who)
            code = await self._ask("ignore", who, requests.ignore(self._user, who, ignored))
        self._holds("ignore", who, code)
        if ignored:
            self._buddies.put(Contact(who, ignored=True))
        elif not self._buddies.on_list(who):
            self._buddies.drop(who)

    def answer(self, who: str, accepted: bool) -> None:
        """To somebody who wants the account on their list. Raises SendError."""
        self._put(requests.answer(self._settings.version, self._user, who, accepted))

    async def _ask(self, verb: str, who: str, packet: Packet) -> int:
        """Send a request and wait for the code that answers it."""
        answered: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._waiting[verb, who] = answered
        try:
            self._put(packet)
            async with asyncio.timeout(self._settings.step_timeout):
                return await answered
        except TimeoutError:
            raise reasons.not_listed("no answer") from None
        finally:
            if self._waiting.get((verb, who)) is answered:
                del self._waiting[verb, who]

    @staticmethod
    def _holds(verb: str, who: str, code: int) -> None:
        error = reasons.listed(verb, who, code)
        if error is not None:
            raise error

    # --- what the service says -----------------------------------------------------------------------------------

    def settled(self, event: ContactSettled) -> None:
        """An answer."""
        waiting = self._waiting.get((event.verb, event.user))
        if waiting is not None and not waiting.done():
            waiting.set_result(event.code)

    def fail(self, error: SendError) -> None:
        """The connection is gone."""
        self.refused.clear()
        for waiting in tuple(self._waiting.values()):
            if not waiting.done():
                waiting.set_exception(error)
