"""One switchboard connection."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from opencpm.interworking.msn.desk import Desk, machine_of, moment
from opencpm.protocols.msnp import commands, dialects, events
from opencpm.protocols.msnp.commands import Pass
from opencpm.protocols.msnp.switchboard import Limits, State, SwitchboardClient
from opencpm.transport.link import Link, dial

Hear = Callable[["Board", events.SwitchboardEvent], None]


class Board:
    """A switchboard of one account. `incoming`: the peer opened it. Every event goes to `hear`, in order."""

    def __init__(self, owner: str, entry: Pass, session: str, desk: Desk, dialect: int, hear: Hear) -> None:
        settings = desk.settings
        place = machine_of(owner, desk.name) if dialects.has_places(dialect) else ""
        limits = Limits(settings.join_timeout, settings.ack_timeout, settings.idle_timeout)
        self.incoming = bool(session)
        self.machine = SwitchboardClient(owner, entry.ticket, session, limits, place)
        self.gone = asyncio.Event()
        self.ending = ""  # how it ended, for people
        self._server = commands.endpoint(settings.switchboard) if settings.switchboard else entry.endpoint
        self._tls = desk.tls
        self._patience = settings.connect_timeout
        self._hear = hear
        self._link: Link[events.SwitchboardEvent] | None = None

    async def enter(self) -> None:
        """Connect and say who we are. Raises OSError (TimeoutError included)."""
        try:
            self._link = await dial(
                self.machine,
                *self._server,
                on_events=self._on_events,
                on_lost=lambda link, error: self._on_lost(),
                on_ready=lambda link: self.machine.start(moment()),
                tls=self._tls,
                patience=self._patience,
            )
        except OSError:
            self.gone.set()
            raise
        if self.gone.is_set():  # left before we were in
            self._link.close()

    def has(self, peer: str) -> bool:
        """Whether a message sent now reaches this peer."""
        return self.machine.state is State.OPEN and peer in self.machine.peers

    @property
    def emptied(self) -> bool:
        """Whether it stands, but everybody has left it."""
        return self.machine.state is State.OPEN and not self.machine.peers

    def name_of(self, peer: str) -> str:
        """What somebody here calls themselves."""
        known = self.machine.peers.get(peer)
        return known.name if known else ""

    def call(self, peer: str) -> None:
        self.machine.call(peer, moment())
        self._wake()

    def text(self, piece: str) -> int:
        """Send one text; raises MsnpError where that cannot be."""
        trid = self.machine.text(piece, moment())
        self._wake()
        return trid

    def chunks(self, text: str, message_id: str) -> list[int]:
        """Send a long text in chunks."""
        trids = self.machine.long_text(text, message_id, moment())
        self._wake()
        return trids

    def typing(self) -> None:
        self.machine.typing(moment())
        self._wake()

    def decline(self, cookie: str) -> None:
        self.machine.decline(cookie, moment())
        self._wake()

    def peer_data(self, packet: bytes) -> None:
        """Send one packet of a file transfer; raises MsnpError where that cannot be."""
        self.machine.send(packet, "D", moment())
        self._wake()

    def leave(self) -> None:
        """Say OUT; `gone` is set when the server has closed the connection."""
        self.machine.leave(moment())
        if self._link is None:
            self.gone.set()
        else:
            self._wake()

    def _wake(self) -> None:
        if self._link is not None:
            self._link.wake()

    def _on_events(self, link: Link[events.SwitchboardEvent], found: Sequence[events.SwitchboardEvent]) -> None:
        for event in found:
            self._one(event)

    def _on_lost(self) -> None:
        for event in self.machine.receive_eof(moment()):
            self._one(event)
        self.gone.set()

    def _one(self, event: events.SwitchboardEvent) -> None:
        match event:
            case events.Closed(True, answered):
                self.ending = "OUT, connection closed" if answered else "OUT, no answer"
            case events.Closed():
                self.ending = "connection lost"
            case events.Failed(_, text):
                self.ending = text
            case _:
                pass
        self._hear(self, event)
