"""One connected ESME, and the account it is bound to."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from opencpm.access.smpp.outbox import Entry, Outbox
from opencpm.access.smpp.reasons import for_version
from opencpm.protocols.bucket import Bucket
from opencpm.protocols.smpp.binding import Timers
from opencpm.protocols.smpp.coding import Decoder
from opencpm.protocols.smpp.command import Command
from opencpm.protocols.smpp.events import BindAsked, Event, Received
from opencpm.protocols.smpp.pdu import Pdu, Value
from opencpm.protocols.smpp.session import Session
from opencpm.protocols.smpp.short_message import ShortMessage
from opencpm.protocols.smpp.states import SessionState
from opencpm.protocols.smpp.tlv import Tag, Tlvs
from opencpm.settings import SmppTerms
from opencpm.transport.link import Link

_V34, _V50 = 0x34, 0x50
_RECEIVING = (SessionState.BOUND_RX, SessionState.BOUND_TRX)


@dataclass(slots=True, eq=False)
class Account:
    """A subscriber whose ESME is, or was, bound. ``pending``: its submits that wait for our response."""

    id: str
    terms: SmppTerms
    decoder: Decoder
    bucket: Bucket
    outbox: Outbox
    peers: list[Peer] = field(default_factory=list)
    pending: int = 0
    announced: bool = False  # messaging knows that it can be reached

    @property
    def receiving(self) -> int:
        """How many of its connections take deliver_sm."""
        return sum(peer.receives for peer in self.peers)


class Owner(Protocol):
    """Whom a connection tells what it hears."""

    def ready(self, peer: Peer) -> None: ...

    def heard(self, peer: Peer, events: Sequence[Event]) -> None: ...

    def lost(self, peer: Peer, error: Exception | None) -> None: ...

    def pump(self, account: Account) -> None: ...


class Peer:
    """Our side of one session. ``account`` is there once it is bound."""

    def __init__(self, owner: Owner, now: float, bind_timeout: float) -> None:
        self.version = _V34
        self.work: deque[Entry] = deque()
        self.session = Session(now, timers=Timers(session_init=bind_timeout))
        self.link: Link[Event] = Link(
            self.session,
            on_events=lambda _, events: owner.heard(self, events),
            on_ready=lambda _: owner.ready(self),
            on_lost=lambda _, error: owner.lost(self, error),
            on_writable=lambda _: owner.pump(self.account) if self.bound else None,
        )
        self._account: Account | None = None

    @property
    def account(self) -> Account:
        assert self._account is not None, "not bound"
        return self._account

    @property
    def bound(self) -> bool:
        """Whether it was bound and is not gone."""
        return self._account is not None

    @property
    def receives(self) -> bool:
        return self.session.state in _RECEIVING

    @property
    def room(self) -> int:
        """deliver_sm that the window and the socket take now."""
        return self.session.room if self.link.writable else 0

    def accept(self, asked: BindAsked, account: Account, system_id: str) -> None:
        """It is who it says it is."""
        self._account, self.version = account, asked.version
        terms = account.terms
        timers = Timers(enquire_link=terms.enquire_link, response=terms.response_timeout, inactivity=terms.inactivity)
        ours = _V50 if asked.version >= _V50 else _V34
        self.session.accept(asked, system_id, ours, window=terms.window, timers=timers)

    def submit(self, message: ShortMessage, entry: Entry, now: float) -> None:
        """Send a deliver_sm. Raises SmppError for a value that does not fit."""
        self.session.submit(message, entry, now, Command.DELIVER_SM)

    def respond(self, received: Received, status: int, message_id: str = "") -> None:
        """Answer a submit_sm or data_sm, once."""
        self.account.pending -= 1
        tlvs = self._congestion() if self.version >= _V50 else ()
        self.session.respond(received, for_version(status, self.version), message_id, tlvs)
        self.link.wake()

    def _congestion(self) -> Tlvs:
        """congestion_state (5.0 §4.8.4.18): how much of what may wait for our response does, in per cent."""
        account = self.account
        state = min(100, 100 * account.pending // account.terms.pending)
        return ((int(Tag.CONGESTION_STATE), bytes((state,))),)

    def answer(self, asked: Pdu, body: dict[str, Value] | None = None, status: int = 0) -> None:
        """Answer any other request, once."""
        self.account.pending -= 1
        self.session.answer(asked, body, for_version(status, self.version))
        self.link.wake()

    def unbind(self, now: float) -> None:
        """Ask it to go, in good order."""
        self.session.unbind(now)
        self.link.wake()
