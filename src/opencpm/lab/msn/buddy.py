"""A person at the lab's service, driven from Python, talking to it over real sockets like any client."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable, Coroutine, Sequence
from enum import Enum
from typing import Any

from opencpm.lab.msn.chat import Chat
from opencpm.lab.msn.credentials import Credentials, Where
from opencpm.lab.msn.happenings import Happening, Happenings
from opencpm.protocols.msnp import commands, dialects, events
from opencpm.protocols.msnp.commands import Lists, Pass, Ring
from opencpm.protocols.msnp.errors import MsnpError
from opencpm.protocols.msnp.notification import NotificationClient, SignOn
from opencpm.transport.link import Link, dial


class Calls(Enum):
    """What a buddy does when somebody opens a conversation."""

    ACCEPT = "accept"
    IGNORE = "ignore"
    DECLINE = "decline"  # the window opens and is closed at once: MSN knows no refusal


class Buddy:
    """One buddy. `happened.wait(...)` and `text()` wait for things; `chats` are the open windows, newest last."""

    def __init__(self, address: str, password: str, name: str, where: Callable[[], Where]) -> None:
        self.address, self.name = address, name
        self.happened = Happenings()
        self.calls = Calls.ACCEPT
        self.note = ""  # personal message
        self.dialects: tuple[str, ...] = dialects.OFFERED
        self.presence: dict[str, str] = {}  # what the buddy sees of others
        self.notes: dict[str, str] = {}  # their personal messages
        self.machine_guid = f"{{{uuid.uuid5(uuid.NAMESPACE_URL, address)}}}".upper()
        self.chats: list[Chat] = []
        self._credentials, self._where = Credentials(address, password), where
        self._machine: NotificationClient | None = None
        self._link: Link[events.NotificationEvent] | None = None
        self._signed_in: asyncio.Future[None] | None = None
        self._passes: dict[int, asyncio.Future[Pass]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def online(self) -> bool:
        return self._signed_in is not None and self._signed_in.done() and self._link is not None

    # --- what a person does --------------------------------------------------------------------------------------

    async def sign_in(self, status: str = commands.ONLINE) -> None:
        """Sign in and be seen. Raises PermissionError for a wrong password, ConnectionError otherwise."""
        endpoint = self._where().server
        loop = asyncio.get_running_loop()
        machine = NotificationClient(
            SignOn(self.address, self.dialects, status, machine=self.machine_guid, message=self.note)
        )
        signed_in = loop.create_future()
        self._machine, self._signed_in = machine, signed_in
        self._link = await dial(
            machine,
            *endpoint,
            on_events=self._heard,
            on_lost=lambda link, error: self._gone(link),
            on_ready=lambda link: machine.start(loop.time()),
        )
        async with asyncio.timeout(30):
            await signed_in

    async def sign_out(self) -> None:
        """Close all windows and leave."""
        for chat in self.chats:
            chat.leave()
        await asyncio.gather(*(chat.closed.wait() for chat in tuple(self.chats)))
        link = self._link
        if link is not None and self._machine is not None:
            self._do(lambda machine, now: machine.sign_off(now))
            await self.happened.wait(lambda it: it.what == "signed-off" and self._link is None)

    def set_status(self, state: str) -> None:
        """NLN, BSY, AWY, ... or HDN."""
        self._do(lambda machine, now: machine.status(state, now))

    def set_note(self, text: str) -> None:
        """Another personal message."""
        self.note = text
        self._do(lambda machine, now: machine.personal_message(text, now))

    def add(self, address: str) -> None:
        """Take somebody into the contact list."""
        self._do(lambda machine, now: machine.add(Lists.FL, address, "", now))

    def block(self, address: str) -> None:
        """Let somebody neither see nor call."""
        self._do(lambda machine, now: machine.remove(Lists.AL, address, now))
        self._do(lambda machine, now: machine.add(Lists.BL, address, "", now))

    def leave_message(self, address: str, text: str) -> None:
        """Leave a text with the service for somebody who is offline (dialect 18)."""
        self._do(lambda machine, now: machine.offline_text(address, text, now))

    async def start_chat(self, address: str) -> Chat:
        """Open a window with somebody; returns once they are in it. Raises ConnectionError with the reason."""
        loop = asyncio.get_running_loop()
        waiting: asyncio.Future[Pass] = loop.create_future()
        assert self._machine is not None
        self._passes[self._machine.switchboard(loop.time())] = waiting
        self._wake()
        async with asyncio.timeout(30):
            entry = await waiting
        chat = await self._open(entry, "")
        chat.call(address)
        await chat.joined()
        return chat

    @property
    def chat(self) -> Chat:
        """The newest window. Raises LookupError when none is open."""
        if not self.chats:
            raise LookupError(f"{self.address} has no open conversation")
        return self.chats[-1]

    async def text(self, wanted: str | None = None, patience: float = 10.0) -> str:
        """Wait for a text from anybody (this one, or any) and return it."""
        got = await self.happened.wait(lambda it: it.what == "text" and (wanted is None or it.text == wanted), patience)
        return got.text

    def drop(self) -> None:
        """Lose the connection to the service without a word."""
        if self._link is not None:
            self._link.abort()

    async def close(self) -> None:
        """End everything at once, for the end of a test."""
        for task in tuple(self._tasks):
            task.cancel()
        for chat in self.chats:
            chat.drop()
        self.drop()

    # --- what happens to it --------------------------------------------------------------------------------------

    def tell(self, what: str, peer: str = "", text: str = "") -> None:
        self.happened.add(Happening(time.time(), what, peer, text))

    def _do(self, act: Callable[[NotificationClient, float], object]) -> None:
        assert self._machine is not None, "sign in first"
        act(self._machine, asyncio.get_running_loop().time())
        self._wake()

    def _wake(self) -> None:
        if self._link is not None:
            self._link.wake()

    def _heard(self, link: Link[events.NotificationEvent], found: Sequence[events.NotificationEvent]) -> None:
        for event in found:
            self._one(event)

    def _one(self, event: events.NotificationEvent) -> None:
        match event:
            case events.TicketWanted():
                self._spawn(self._prove(event))
            case events.ListsWanted():
                self._spawn(self._give_lists())
            case events.SignedIn(dialect):
                if self._signed_in is not None and not self._signed_in.done():
                    self._signed_in.set_result(None)
                self.tell("signed-in", text=dialect)
            case events.SignedOff(reason):
                self._failed(ConnectionError(f"OUT {reason}"))
            case events.Failed(step, text):
                self._failed(ConnectionError(f"{step}: {text}"))
            case events.SwitchboardGranted(trid, entry):
                self._settle(trid, entry)
            case events.Refused(trid, verb, why):
                self._settle(trid, ConnectionError(f"{verb} {why.code if why else 'unanswered'}"))
            case events.Rang(ring):
                self._rung(ring)
            case _:
                self._of_people(event)

    def _of_people(self, event: events.NotificationEvent) -> None:
        match event:
            case events.PresenceChanged(shown):
                self.presence[shown.address] = shown.state
                self.tell("presence", shown.address, shown.state)
            case events.NoteChanged(address, text):
                self.notes[address] = text
                self.tell("note", address, text)
            case events.ListChanged():
                self.tell("listed" if event.added else "unlisted", event.contact.address, str(event.lists.name))
            case events.OfflineWaiting(waiting):
                for each in waiting:
                    self.tell("offline-message", each.sender, each.id)
            case _:
                pass

    def _settle(self, trid: int, result: Pass | ConnectionError) -> None:
        waiting = self._passes.pop(trid, None)
        if waiting is None or waiting.done():
            return
        if isinstance(result, ConnectionError):
            waiting.set_exception(result)
        else:
            waiting.set_result(result)

    def _rung(self, ring: Ring) -> None:
        self.tell("rung", ring.inviter, ring.session)
        if self.calls is not Calls.IGNORE:
            self._spawn(self._answer(ring))

    async def _answer(self, ring: Ring) -> None:
        chat = await self._open(ring.entry, ring.session)
        if self.calls is Calls.DECLINE:
            await chat.joined()
            chat.leave()

    async def _open(self, entry: Pass, session: str) -> Chat:
        assert self._machine is not None
        place = self.machine_guid if dialects.has_places(self._machine.dialect) else ""
        chat = Chat(self.address, entry, session, self.tell, place)
        self.chats.append(chat)
        self._spawn(self._forget(chat))
        await chat.enter()
        return chat

    async def _forget(self, chat: Chat) -> None:
        await chat.closed.wait()
        self.chats.remove(chat)

    async def _prove(self, wanted: events.TicketWanted) -> None:
        try:
            ticket, response = await self._credentials.answer(wanted, self._where())
        except (PermissionError, OSError) as error:
            self._failed(error)
            return
        self._do(lambda machine, now: machine.ticket(ticket, now, response))

    async def _give_lists(self) -> None:
        try:
            book, contacts = await self._credentials.lists(self._where())
        except (MsnpError, OSError) as error:
            self._failed(ConnectionError(str(error)))
            return
        self._do(
            lambda machine, now: machine.lists(
                contacts, now, groups=book.groups, privacy=book.privacy, name=book.name or self.name
            )
        )

    def _failed(self, error: Exception) -> None:
        self.tell("failed", text=str(error))
        if self._signed_in is not None and not self._signed_in.done():
            self._signed_in.set_exception(error)
            self._signed_in.exception()
        if self._link is not None:
            self._link.close()

    def _gone(self, link: Link[events.NotificationEvent]) -> None:
        if link is self._link:
            self._link = None
        if self._signed_in is not None and not self._signed_in.done():
            self._signed_in.set_exception(ConnectionError("closed"))
        self.presence.clear()
        self.tell("signed-off")

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
