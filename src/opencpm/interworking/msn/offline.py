"""Offline messages of one account: leaving them for people who are away, taking in those that the service kept."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import TYPE_CHECKING, TypeVar

from opencpm.domain.errors import SendError
from opencpm.interworking.msn import adapt, inbound, reasons
from opencpm.interworking.msn.desk import Desk
from opencpm.interworking.msn.line import Line
from opencpm.interworking.msn.proof import Denied, Proof
from opencpm.interworking.msn.web import Unreachable
from opencpm.protocols.msnp import challenge, commands, dialects, oim, payload, rst
from opencpm.protocols.msnp.commands import Lists
from opencpm.protocols.msnp.errors import MsnpError
from opencpm.protocols.msnp.notices import Waiting
from opencpm.protocols.msnp.oim import OfflineText, Sender
from opencpm.protocols.msnp.soap import Fault, HttpReply, HttpRequest

if TYPE_CHECKING:
    from opencpm.interworking.msn.account import Account
    from opencpm.interworking.msn.outbound import Job

log = logging.getLogger("opencpm.interworking.msn")

Answer = TypeVar("Answer")

_UUM_ROOM = payload.MAX_PAYLOAD - len(payload.offline_text(""))
_TRIES = 5
_PAUSE = 5.0  # seconds, doubling, between tries to fetch
_MAX_WAITING = 500


class Offline:
    """`line` gives the sign-on that stands, None when there is none."""

    def __init__(self, account: Account, desk: Desk, proof: Proof, line: Callable[[], Line | None]) -> None:
        self._account, self._desk, self._proof, self._line = account, desk, proof, line
        self._lock_key = ""
        self._fetching: set[str] = set()  # ids in hand
        self._stored: set[str] = set()  # taken by messaging, and yet to be removed from the service

    # --- leaving -------------------------------------------------------------------------------------------------

    def possible(self, peer: str) -> bool:
        """Whether a message for somebody who is offline is to be left with the service."""
        line = self._line()
        if line is None or not line.online or not self._desk.settings.keeps_offline(line.machine.dialect):
            return False
        known = self._account.buddies.contact(peer)
        away = self._account.buddies.status(peer) == commands.OFFLINE
        return away and known is not None and Lists.FL in known.lists and Lists.BL not in known.lists

    def at_once(self, peer: str) -> bool:
        """Whether that may be done on the word of presence alone: where the service confirms it, and has told who is
        there. Else only an invitation that was refused is proof: what is left by UUM for somebody who is there after
        all is lost without a word."""
        line = self._line()
        if line is None or not line.machine.presence_known or dialects.offline_by_command(line.machine.dialect):
            return False
        return self.possible(peer)

    async def leave(self, peer: str, job: Job) -> str:
        """Leave one message; returns what the service said. Raises SendError."""
        line = self._line()
        if line is None:
            raise reasons.down(f"{self._account.address} is not signed in")
        dialect = line.machine.dialect
        if dialects.offline_by_command(dialect):
            for piece in adapt.split(job.text, _UUM_ROOM):
                line.ask(lambda machine, now, text=piece: machine.offline_text(peer, text, now))  # type: ignore[misc]
            return "left with the service by UUM, which it does not confirm"
        await self._store(peer, job, line)
        return "the service keeps it until the receiver signs in"

    async def _store(self, peer: str, job: Job, line: Line) -> None:
        dialect = line.machine.dialect
        run = f"{{{str(uuid.uuid5(uuid.NAMESPACE_OID, job.delivery.id)).upper()}}}"  # the same when it is sent again
        for number, piece in enumerate(adapt.split(job.text, oim.MAX_TEXT), start=1):
            if number <= job.left:
                continue  # left by an attempt before
            sender = Sender(
                self._account.address,
                line.machine.name or self._account.address,
                await self._ticket(rst.OFFLINE),
                self._desk.settings.product or challenge.product_for(dialect),
                dialect,
                run,
                self._lock_key,
            )
            await self._store_one(peer, sender, piece, number)
            job.left = number

    async def _store_one(self, peer: str, sender: Sender, piece: str, number: int) -> None:
        """One message; where the service wants a lock key (always at first) or another ticket, once more with it."""
        for last in (False, False, True):
            try:
                oim.stored(await self._call(oim.store(self._desk.settings.oim_url, sender, peer, piece, number)))
                return
            except Fault as fault:
                sender = await self._mended(fault, sender, last)
            except MsnpError as error:
                raise reasons.not_kept(str(error), retryable=True) from error

    async def _mended(self, fault: Fault, sender: Sender, last: bool) -> Sender:
        asked = fault.detail.get("LockKeyChallenge", "")
        if not last and asked:
            self._lock_key = challenge.keyed_answer(asked, sender.product)
            return sender._replace(lock_key=self._lock_key)
        if not last and fault.code in oim.EXPIRED:
            await self._renewed()
            return sender._replace(ticket=await self._ticket(rst.OFFLINE))
        temporary = fault.code in oim.TOO_FAST | oim.TEMPORARY | oim.EXPIRED
        raise reasons.not_kept(fault.code, retryable=temporary, code=fault.code)

    # --- taking in -----------------------------------------------------------------------------------------------

    def waiting(self, told: Iterable[Waiting], complete: bool) -> None:
        """The service keeps messages for us."""
        if not self._desk.settings.rsi_url:
            log.warning("%s has offline messages; without rsi_url they cannot be fetched", self._account.address)
            return
        fresh = [each for each in told if each.id not in self._fetching][:_MAX_WAITING]
        self._fetching.update(each.id for each in fresh)
        if fresh or not complete:
            self._desk.spawn(self._take_in(fresh, complete))

    async def _take_in(self, fresh: Sequence[Waiting], complete: bool) -> None:
        try:
            if not complete:
                told = await self._tried(lambda: self._metadata())
                fresh = [each for each in told or () if each.id not in self._fetching][:_MAX_WAITING]
                self._fetching.update(each.id for each in fresh)
            found: list[tuple[str, OfflineText]] = []
            for each in fresh:
                text = None if each.id in self._stored else await self._tried(lambda each=each: self._message(each.id))  # type: ignore[misc]
                if text is not None:
                    found.append((each.id, text if text.at else text._replace(at=each.at)))
            again = [each.id for each in fresh if each.id in self._stored]
            self._hand_over(oim.in_order(found))
            await self._remove(again)
        finally:
            # What was not handed over stays with the service and is told again at the next sign-on.
            self._fetching.difference_update(each.id for each in fresh)

    def _hand_over(self, found: Sequence[tuple[str, OfflineText]]) -> None:
        for ident, text in found:
            said = inbound.kept(self._desk, self._account.address, ident, text)
            inbound.hand_over(said, self._desk.inbox.received, judged=lambda error, ident=ident: self._taken(ident))  # type: ignore[misc]

    def _taken(self, ident: str) -> None:
        """It is stored here, or refused for good: the service need not keep it any longer."""
        self._desk.counters.received += 1
        self._stored.add(ident)
        self._desk.spawn(self._remove([ident]))

    async def _remove(self, idents: Sequence[str]) -> None:
        if not idents:
            return

        async def removed() -> bool:
            ticket = await self._ticket(rst.LEGACY)
            oim.stored(await self._call(oim.delete_messages(self._desk.settings.rsi_url, ticket, idents)))
            return True

        if await self._tried(removed):
            self._stored.difference_update(idents)

    async def _message(self, ident: str) -> OfflineText:
        ticket = await self._ticket(rst.LEGACY)
        return oim.message(await self._call(oim.get_message(self._desk.settings.rsi_url, ticket, ident)))

    async def _metadata(self) -> Sequence[Waiting]:
        ticket = await self._ticket(rst.LEGACY)
        return oim.metadata(await self._call(oim.get_metadata(self._desk.settings.rsi_url, ticket)))

    # --- asking --------------------------------------------------------------------------------------------------

    async def _tried(self, ask: Callable[[], Awaitable[Answer]]) -> Answer | None:
        """Ask, a few times if need be; None when it cannot be had now."""
        pause = _PAUSE
        for attempt in range(_TRIES):
            try:
                return await ask()
            except Fault as fault:
                if fault.code in oim.EXPIRED and attempt == 0:
                    await self._quietly_renewed()
                    continue
                log.warning("offline messages of %s: %s", self._account.address, fault.code)
                return None
            except SendError as error:
                log.info("offline messages of %s: %s", self._account.address, error.detail)
            except MsnpError as error:
                log.warning("an offline message of %s cannot be read: %s", self._account.address, error)
                return None
            await asyncio.sleep(pause)
            pause *= 2
        return None

    async def _call(self, request: HttpRequest) -> HttpReply:
        try:
            reply = await self._desk.web.call(request)
        except Unreachable as error:
            raise reasons.down(f"its service for offline messages cannot be used ({error})") from error
        if reply.status >= 500 and not reply.body:
            raise reasons.down(f"its service for offline messages answered {reply.status}")
        return reply

    async def _ticket(self, service: str) -> str:
        try:
            return await self._proof.token(service)
        except (Denied, Unreachable) as error:
            raise reasons.down(f"no ticket for offline messages: {error}") from error

    async def _renewed(self) -> None:
        try:
            await self._proof.renew()
        except (Denied, Unreachable) as error:
            raise reasons.down(f"no ticket for offline messages: {error}") from error

    async def _quietly_renewed(self) -> None:
        try:
            await self._renewed()
        except SendError as error:
            log.info("offline messages of %s: %s", self._account.address, error.detail)
