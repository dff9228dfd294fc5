"""A buddy's window: one switchboard connection to the lab."""

from __future__ import annotations

import asyncio
import secrets
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from opencpm.protocols.msnp import events, transfers
from opencpm.protocols.msnp import payload as payloads
from opencpm.protocols.msnp.commands import Pass
from opencpm.protocols.msnp.switchboard import State, SwitchboardClient
from opencpm.protocols.msnp.transfers import Transfers
from opencpm.transport.link import Link, dial


@dataclass(frozen=True, slots=True)
class Said:
    """One line in the window."""

    sender: str
    text: str


_MAX_FILE = 1 << 20

Tell = Callable[[str, str, str], None]


class Chat:
    """What a buddy sees and does in one conversation."""

    def __init__(self, owner: str, entry: Pass, session: str, tell: Tell, place: str = "") -> None:
        self._owner, self._entry, self._tell = owner, entry, tell
        self._machine = SwitchboardClient(owner, entry.ticket, session, machine=place)
        me = f"{owner};{place}" if place else owner
        self._transfers = Transfers(me, _MAX_FILE, _guid, lambda: secrets.randbelow(1 << 31))
        self.files: dict[str, bytes] = {}  # that came, by name
        self._link: Link[events.SwitchboardEvent] | None = None
        self._joined = asyncio.get_running_loop().create_future()
        self._to_call: list[str] = []
        self.lines: list[Said] = []
        self.closed = asyncio.Event()

    @property
    def peers(self) -> list[str]:
        """Who is here besides the buddy."""
        return list(self._machine.peers)

    @property
    def session(self) -> str:
        return self._machine.session

    async def enter(self) -> None:
        """Connect and go in."""
        self._link = await dial(
            self._machine,
            *self._entry.endpoint,
            on_events=self._heard,
            on_lost=lambda link, error: self._gone(),
            on_ready=lambda link: self._machine.start(self._now()),
        )

    async def joined(self, patience: float = 35.0) -> str:
        """Wait until somebody is here. Raises ConnectionError with the reason, or TimeoutError."""
        async with asyncio.timeout(patience):
            return str(await asyncio.shield(self._joined))

    def call(self, address: str) -> None:
        """Invite somebody, as soon as we are in."""
        if self._machine.state is State.OPEN:
            self._do(lambda now: self._machine.call(address, now))
        else:
            self._to_call.append(address)

    def send(self, text: str, flag: str = "A") -> None:
        """Say something (it appears in the window once)."""
        self._do(lambda now: self._machine.send(payloads.text(text), flag, now))
        self.lines.append(Said(self._owner, text))
        self._tell("sent", ", ".join(self.peers), text)

    def typing(self) -> None:
        self._do(self._machine.typing)

    def nudge(self) -> None:
        self._do(lambda now: self._machine.send(payloads.nudge(), "N", now))

    def send_file(self, peer: str, name: str, content: bytes) -> None:
        """Offer a file to somebody here; `file-taken` or `file-refused` happens."""
        self._transfers.offer(peer, name, content)
        self._flush()

    def _peer_data(self, sender: str, said: payloads.Payload) -> None:
        for event in self._transfers.receive(sender, said):
            match event:
                case transfers.FileOffered(session):
                    self._transfers.accept(session)
                case transfers.FileCame(session, who, file, content):
                    self.files[file.name] = content
                    self._transfers.confirm(session)
                    self._tell("file", who, file.name)
                case transfers.FileTaken():
                    self._tell("file-taken", sender, "")
                case transfers.FileEnded(_, declined):
                    self._tell("file-refused" if declined else "file-broken", sender, "")
        self._flush()

    def _flush(self) -> None:
        while self._transfers.outgoing:
            packet = self._transfers.outgoing.popleft()
            self._do(lambda now, packet=packet: self._machine.send(packet, "D", now))  # type: ignore[misc]

    def leave(self) -> None:
        """Close the window."""
        self._do(self._machine.leave)

    def drop(self) -> None:
        """Lose the connection without a word."""
        if self._link is not None:
            self._link.abort()

    def _do(self, act: Callable[[float], object]) -> None:
        act(self._now())
        if self._link is not None:
            self._link.wake()

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()

    def _heard(self, link: Link[events.SwitchboardEvent], found: Sequence[events.SwitchboardEvent]) -> None:
        for event in found:
            self._one(event)

    def _one(self, event: events.SwitchboardEvent) -> None:
        match event:
            case events.Text(sender, _, text):
                self.lines.append(Said(sender, text))
                self._tell("text", sender, text)
            case events.Typing(sender):
                self._tell("typing", sender, "")
            case events.Nudged(sender):
                self._tell("nudge", sender, "")
            case events.PeerData(sender, said):
                self._peer_data(sender, said)
            case events.Accepted():
                self._tell("accepted", "", "")
            case events.Lost(_, cause):
                self._tell("lost", "", cause)
            case _:
                self._people(event)

    def _people(self, event: events.SwitchboardEvent) -> None:
        match event:
            case events.Admitted(peers):
                for peer in peers:
                    self._came(peer)
                for address in self._to_call:
                    self.call(address)
            case events.Joined(address):
                self._came(address)
            case events.Left(address):
                self._tell("left", address, "")
            case events.Refused(subject=who, trouble=why):
                self._refused(who, f"{why.code} {why.text}" if why else "no answer")
            case events.NoAnswer(address):
                self._refused(address, "no answer")
            case events.Failed(step, text):
                self._refused("", f"{step}: {text}")
            case _:
                pass

    def _came(self, peer: str) -> None:
        self._tell("joined", peer, self.session)
        if not self._joined.done():
            self._joined.set_result(peer)

    def _refused(self, who: str, why: str) -> None:
        self._tell("failed", who, why)
        if not self._joined.done():
            self._joined.set_exception(ConnectionError(why))
            self._joined.exception()  # whoever waits gets it; nobody need

    def _gone(self) -> None:
        for event in self._machine.receive_eof(self._now()):
            self._one(event)
        if not self._joined.done():
            self._joined.set_exception(ConnectionError("closed"))
            self._joined.exception()
        self.closed.set()
        self._tell("closed", "", self.session)


def _guid() -> str:
    return f"{{{uuid.uuid4()}}}".upper()
