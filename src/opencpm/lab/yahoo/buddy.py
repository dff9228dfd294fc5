"""A person at the lab's service, driven from Python, talking to it over real sockets like any client."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable, Sequence
from enum import Enum
from typing import NamedTuple

import httpx

from opencpm.lab.msn.happenings import Happening, Happenings
from opencpm.protocols.ymsg import Packet, SignOn, YmsgClient, events, requests, weblogin
from opencpm.protocols.ymsg.client import State
from opencpm.protocols.ymsg.packet import pairs
from opencpm.protocols.ymsg.presence import Presence
from opencpm.protocols.ymsg.services import NEW_STYLE, Service
from opencpm.transport.link import Link, dial

PATIENCE = 10.0


class Where(NamedTuple):
    """The service: host, port, and the login host."""

    host: str
    port: int
    login_url: str


class Invited(Enum):
    """What a buddy does when invited to a conference."""

    JOIN = "join"
    IGNORE = "ignore"
    DECLINE = "decline"


class Buddy:
    """One buddy. `happened.wait(...)` and `text()` wait for things.

    What happens: signed-in, signed-off, failed, presence, text, stored, nudge, typing, idle, confirmed, asked, refused,
    settled, invited, joined, left, declined, room-text, file.
    """

    def __init__(self, user: str, password: str, where: Callable[[], Where]) -> None:
        self.user, self.password = user, password
        self.version = 10
        self.happened = Happenings()
        self.invitations = Invited.JOIN
        self.confirms = True  # version 16: texts are acknowledged
        self.presence: dict[str, Presence] = {}  # what the buddy sees of others
        self.rooms: dict[str, set[str]] = {}
        self._where = where
        self._machine: YmsgClient | None = None
        self._link: Link[events.Event] | None = None
        self._signed_in: asyncio.Future[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._numbers = itertools.count(1)

    @property
    def online(self) -> bool:
        return self._link is not None and self._machine is not None and self._machine.state is State.ONLINE

    # --- what a person does --------------------------------------------------------------------------------------

    async def sign_in(self, *, invisible: bool = False) -> None:
        """Sign in and be seen. Raises ConnectionError with the reason."""
        loop, where = asyncio.get_running_loop(), self._where()
        machine = YmsgClient(SignOn(self.user, self.password, self.version, invisible=invisible))
        self._machine, self._signed_in = machine, loop.create_future()
        self._link = await dial(
            machine,
            where.host,
            where.port,
            on_events=self._heard,
            on_lost=lambda link, error: self._gone(link),
            on_ready=lambda link: machine.start(loop.time()),
        )
        async with asyncio.timeout(PATIENCE):
            await self._signed_in

    async def sign_out(self) -> None:
        """Say goodbye and close the connection."""
        if self._machine is not None and self._link is not None:
            self._machine.sign_off()
            self._link.wake()
            await self.happened.wait(lambda it: it.what == "signed-off" and self._link is None)

    def show(self, state: int, note: str = "", away: int = 0) -> None:
        """Another presence."""
        self._put(*requests.status(self.version, state, note, away))

    def say(self, peer: str, text: str) -> None:
        ident = f"{self.user}-{next(self._numbers)}-{time.time_ns():x}"
        self._put(requests.message(self.version, self.user, peer, text, ident))

    def say_octets(self, peer: str, text: bytes) -> None:
        """As old clients write, in their own charset."""
        self.send(Packet(Service.MESSAGE, 0, pairs((1, self.user), (5, peer), (14, text))))

    def nudge(self, peer: str) -> None:
        self._put(requests.nudge(self.version, self.user, peer))

    def typing(self, peer: str, active: bool = True) -> None:
        self._put(requests.typing(self.version, self.user, peer, active))

    def add(self, peer: str, text: str = "", group: str = "Friends") -> None:
        self._put(requests.add(self.version, self.user, peer, group, text))

    def remove(self, peer: str, group: str = "Friends") -> None:
        self._put(requests.remove(self.user, peer, group))

    def answer(self, peer: str, accepted: bool, text: str = "") -> None:
        """To somebody who wants this buddy on their list."""
        self._put(requests.answer(self.version, self.user, peer, accepted, text))

    def offer_file(self, peer: str, name: str) -> None:
        if self.version >= NEW_STYLE:
            inner = pairs((302, 268), (300, 268), (27, name), (28, 12345), (301, 268), (303, 268))
            head = pairs((1, self.user), (5, peer), (222, 1), (265, f"{name}-1"), (266, 1))
            self.send(Packet(Service.FILETRANSFER_OFFER, 0, head + inner))
            return
        url = f"http://192.0.2.10:8000/{name}"
        head = pairs((1, self.user), (5, peer), (4, self.user), (13, 1), (27, name), (28, 12345), (20, url))
        self.send(Packet(Service.P2PFILEXFER, 0, head + pairs((14, "have a look"), (49, "FILEXFER"))))

    def confer(self, *peers: str, text: str = "join me") -> str:
        """Begin a conference; returns its name."""
        room = f"{self.user}-{next(self._numbers)}"
        self.rooms[room] = {self.user}
        self._put(requests.invite(self.user, peers, room, text))
        return room

    def say_in(self, room: str, text: str) -> None:
        others = sorted(self.rooms[room] - {self.user})
        self._put(requests.room_text(self.user, others, room, text))

    def leave(self, room: str) -> None:
        others = sorted(self.rooms.pop(room) - {self.user})
        self._put(requests.leave(self.user, others, room))

    async def text(self, wanted: str | None = None, patience: float = PATIENCE) -> str:
        """Wait for a text from anybody (this one, or any) and return it."""
        got = await self.happened.wait(
            lambda it: it.what in ("text", "stored", "room-text") and (wanted is None or it.text == wanted), patience
        )
        return got.text

    def texts(self) -> list[str]:
        """All texts, in order."""
        return [it.text for it in self.happened.all if it.what in ("text", "stored", "room-text")]

    def drop(self) -> None:
        """Lose the connection without a word."""
        if self._link is not None:
            self._link.abort()

    async def close(self) -> None:
        """End everything at once, for the end of a test."""
        for task in tuple(self._tasks):
            task.cancel()
        self.drop()

    def send(self, packet: Packet) -> None:
        """Any packet."""
        self._put(packet)

    # --- what happens to it --------------------------------------------------------------------------------------

    def _put(self, *packets: Packet | None) -> None:
        assert self._machine is not None, "sign in first"
        self._machine.put(*packets)
        if self._link is not None:
            self._link.wake()

    def _tell(self, what: str, peer: str = "", text: str = "") -> None:
        self.happened.add(Happening(time.time(), what, peer, text))

    def _heard(self, link: Link[events.Event], found: Sequence[events.Event]) -> None:
        for event in found:
            self._one(event)

    def _one(self, event: events.Event) -> None:
        match event:
            case events.TokenWanted(challenge):
                task = asyncio.get_running_loop().create_task(self._prove(challenge))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            case events.SignedIn():
                self._tell("signed-in", text=str(self.version))
                if self._signed_in is not None and not self._signed_in.done():
                    self._signed_in.set_result(None)
            case events.Failed(step, trouble):
                self._failed(f"{step}: {trouble.text} ({trouble.code})")
            case events.PresenceChanged(presences):
                for seen in presences:
                    self.presence[seen.user] = seen
                    self._tell("presence", seen.user, _word(seen))
            case _:
                self._of_talk(event)

    def _of_talk(self, event: events.Event) -> None:
        match event:
            case events.TextReceived(sender, text, _, ident, stored):
                self._tell("stored" if stored else "text", sender, text)
                if ident and self.confirms:
                    self._put(requests.acknowledge(self.user, sender, ident))
            case events.NudgeReceived(sender):
                self._tell("nudge", sender)
            case events.Typing(sender, active):
                self._tell("typing" if active else "idle", sender)
            case events.TextAcknowledged(peer, ident):
                self._tell("confirmed", peer, ident)
            case events.ContactAsked(user, text):
                self._tell("asked", user, text)
            case events.ContactRefused(user, text):
                self._tell("refused", user, text)
            case events.ContactSettled(verb, user, code):
                self._tell("settled", user, f"{verb} {code}")
            case events.FileOffered(sender, name):
                self._tell("file", sender, name)
            case _:
                self._of_rooms(event)

    def _of_rooms(self, event: events.Event) -> None:
        match event:
            case events.Invited(room, inviter, members, text):
                self._tell("invited", inviter, text)
                self._invited(room, inviter, members)
            case events.Joined(room, user):
                self.rooms.setdefault(room, {self.user}).add(user)
                self._tell("joined", user, room)
            case events.Left(room, user):
                self.rooms.setdefault(room, {self.user}).discard(user)
                self._tell("left", user, room)
            case events.Declined(_, user, text):
                self._tell("declined", user, text)
            case events.RoomText(_, sender, text):
                self._tell("room-text", sender, text)
            case _:
                pass

    def _invited(self, room: str, inviter: str, members: tuple[str, ...]) -> None:
        others = {inviter, *members}
        if self.invitations is Invited.JOIN:
            self.rooms[room] = {self.user, *others}
            self._put(requests.join(self.user, sorted(others), room))
        elif self.invitations is Invited.DECLINE:
            self._put(requests.decline(self.user, inviter, room, "not now"))

    async def _prove(self, challenge: str) -> None:
        where = self._where()
        async with httpx.AsyncClient(base_url=where.login_url, trust_env=False) as client:
            try:
                answer = await client.get(weblogin.token_request(self.user, self.password, challenge))
                answer = await client.get(weblogin.login_request(weblogin.read_token(answer.text)))
                proof = weblogin.read_proof(answer.text, answer.headers.get_list("set-cookie"))
            except (httpx.HTTPError, weblogin.LoginRefused) as error:
                self._failed(str(error))
                return
        assert self._machine is not None
        self._machine.token(proof.crumb, proof.cookies, asyncio.get_running_loop().time())
        if self._link is not None:
            self._link.wake()

    def _failed(self, why: str) -> None:
        self._tell("failed", text=why)
        if self._signed_in is not None and not self._signed_in.done():
            self._signed_in.set_exception(ConnectionError(why))
        if self._link is not None:
            self._link.close()

    def _gone(self, link: Link[events.Event]) -> None:
        if link is self._link:
            self._link = None
        if self._signed_in is not None and not self._signed_in.done():
            self._signed_in.set_exception(ConnectionError("closed"))
        self.presence.clear()
        self.rooms.clear()
        self._tell("signed-off")


def _word(seen: Presence) -> str:
    if not seen.online:
        return "offline"
    return f"{seen.state} {seen.note}".rstrip()
