"""The client's side of a switchboard connection, without sockets or a clock.

    NEW -> ENTERING (USR or ANS sent) -> OPEN -> LEAVING (OUT sent) -> CLOSED

One machine serves both ways in: with a session id it answers an invitation (ANS), without one it opens a
switchboard of its own (USR) into which peers are called. Nothing a server sends raises.
"""

from collections.abc import Callable, Sequence
from enum import Enum, auto
from typing import NamedTuple

from opencpm.protocols.msnp import chunks, commands, events, payload
from opencpm.protocols.msnp.errors import MsnpError, Trouble, trouble
from opencpm.protocols.msnp.framing import Frame, unquote
from opencpm.protocols.msnp.wire import Wire, earliest

STEP_TIMEOUT = 30.0  # seconds: USR, ANS, and from CAL to JOI
ACK_TIMEOUT = 60.0
IDLE_TIMEOUT = 300.0
LEAVE_WAIT = 5.0
MAX_PEERS = 100

FLAGS = ("U", "N", "A", "D")  # no answer; NAK only; ACK or NAK; as A, for peer-to-peer data


class State(Enum):
    """Where the connection stands."""

    NEW = auto()
    ENTERING = auto()
    OPEN = auto()
    LEAVING = auto()
    CLOSED = auto()


class Limits(NamedTuple):
    """How long to wait, in seconds."""

    step: float = STEP_TIMEOUT
    ack: float = ACK_TIMEOUT
    idle: float = IDLE_TIMEOUT


DEFAULT_LIMITS = Limits()


class Peer(NamedTuple):
    """Somebody in the switchboard."""

    name: str
    capabilities: int


class _Call(NamedTuple):
    rang: bool
    deadline: float


class SwitchboardClient:
    """One switchboard connection of the account `address`; `machine` (`{GUID}`) is this place's, from dialect 16 on."""

    def __init__(
        self, address: str, ticket: str, session: str = "", limits: Limits = DEFAULT_LIMITS, machine: str = ""
    ) -> None:
        self._address = address
        self._place = f"{address};{machine}" if machine else address
        self._me = commands.address(address)
        self._ticket = ticket
        self._limits = limits
        self._wire = Wire()
        self._assembler = chunks.Assembler()
        self._calls: dict[str, _Call] = {}
        self._talked_at: float | None = None
        self._leave_by: float | None = None
        self.session = session  # the service's name of the conversation; known after RINGING on our own
        self.peers: dict[str, Peer] = {}
        self.state = State.NEW

    # --- what the owner calls ------------------------------------------------------------------------------------

    def start(self, now: float) -> None:
        """Enter; call it once the connection stands."""
        deadline = now + self._limits.step
        if self.session:
            self._wire.ask("ANS", self._place, self._ticket, self.session, deadline=deadline)
        else:
            self._wire.ask("USR", self._place, self._ticket, deadline=deadline)
        self.state = State.ENTERING

    def call(self, address: str, now: float) -> int:
        """Invite a peer: `Ringing` and `Joined` follow, or `Refused`, or `NoAnswer`."""
        self._open()
        who = commands.address(address)
        if len(self._calls) >= MAX_PEERS:
            raise MsnpError("too many invitations")
        trid = self._wire.ask("CAL", who, deadline=now + self._limits.step, subject=who)
        self._calls[who] = _Call(False, now + self._limits.step)
        return trid

    def send(self, data: bytes, flag: str, now: float) -> int:
        """Send one payload to everybody here; with flag A or D `Accepted` or `Lost` follows.

        Raises MsnpError when nobody is here, or the payload is one the server would cut the connection for.
        """
        self._open()
        if not self.peers:
            raise MsnpError("nobody is in the switchboard")
        if len(data) > payload.MAX_PAYLOAD or flag not in FLAGS:
            raise MsnpError("payload too long, or no such flag")
        if flag in ("A", "D"):
            return self._wire.ask("MSG", flag, payload=data, deadline=now + self._limits.ack)
        return self._wire.tell("MSG", flag, payload=data)

    def text(self, content: str, now: float) -> int:
        """Send a text that fits into one payload."""
        trid = self.send(payload.text(content), "A", now)
        self._talked_at = now
        return trid

    def long_text(self, content: str, message_id: str, now: float) -> list[int]:
        """Send a text of any length in chunks; only where every peer takes them (`takes_chunks`)."""
        pieces = chunks.split(payload.text_headers(), payload.wire_text(content), message_id)
        self._talked_at = now
        return [self.send(piece, "A", now) for piece in pieces]

    def typing(self, now: float) -> None:
        """Tell the peers that we are writing; repeat every 5 s while it is so."""
        self.send(payload.typing(self._address), "U", now)

    def decline(self, cookie: str, now: float) -> None:
        """Refuse an old-style invitation (`Offered`), so that the peer does not wait."""
        head = {"MIME-Version": "1.0", "Content-Type": f"{payload.INVITATION}; charset=UTF-8"}
        body = {"Invitation-Command": "CANCEL", "Invitation-Cookie": cookie, "Cancel-Code": "REJECT"}
        self.send(payload.build(head, payload.build(body, b"")), "N", now)

    def leave(self, now: float) -> None:
        """Say OUT; the server answers by closing the connection (`Closed`)."""
        if self.state in (State.ENTERING, State.OPEN):
            self._wire.bare("OUT")
            self.state = State.LEAVING
            self._leave_by = now + LEAVE_WAIT

    @property
    def takes_chunks(self) -> bool:
        """True when everybody here can put chunked messages together."""
        return bool(self.peers) and all(peer.capabilities & commands.MULTI_PACKET for peer in self.peers.values())

    # --- what the driver calls -----------------------------------------------------------------------------------

    def take(self) -> bytes:
        """Octets to write, handed out once."""
        return self._wire.take()

    def receive(self, data: bytes, now: float) -> list[events.SwitchboardEvent]:
        """Take octets from the server."""
        found: list[events.SwitchboardEvent] = []
        try:
            frames = self._wire.read(data)
        except MsnpError as error:
            return [] if self.state is State.CLOSED else self._fail("read", str(error))
        for frame in frames:
            if self.state is State.CLOSED:
                break
            found.extend(self._frame(frame, now))
        return found

    def receive_eof(self, now: float) -> list[events.SwitchboardEvent]:
        """The server closed the connection: expected after OUT, else the sign of a payload it did not like."""
        return [] if self.state is State.CLOSED else self._ended(True)

    def next_timeout(self) -> float | None:
        """When `poll` wants to be called."""
        if self.state is State.CLOSED:
            return None
        calls = min((call.deadline for call in self._calls.values()), default=None)
        idle = None if self._talked_at is None else self._talked_at + self._limits.idle
        return earliest(self._wire.next_deadline(), calls, idle, self._leave_by)

    def closing(self) -> bool:
        """True once nothing more will be said here: write what is left and close."""
        return self.state is State.CLOSED

    def poll(self, now: float) -> list[events.SwitchboardEvent]:
        """Find out what stayed unanswered, and whether the talk has died."""
        if self.state is State.CLOSED:
            return []
        if self._leave_by is not None:
            return self._ended(False) if self._leave_by <= now else []
        found: list[events.SwitchboardEvent] = []
        for trid, item in self._wire.overdue(now):
            if item.verb in ("USR", "ANS"):
                return self._fail(item.verb, "no answer in time")
            if item.verb == "MSG":
                found.append(events.Lost(trid, "no acknowledgement in time"))
        found.extend(self._unanswered(now))
        if self._talked_at is not None and self._talked_at + self._limits.idle <= now:
            self._talked_at = None
            found.append(events.Idle())
        return found

    def _ended(self, answered: bool) -> list[events.SwitchboardEvent]:
        expected = self.state is State.LEAVING
        self.state = State.CLOSED
        return [*self._lost("connection closed"), events.Closed(expected, answered)]

    def _unanswered(self, now: float) -> list[events.SwitchboardEvent]:
        late = [(who, call.rang) for who, call in self._calls.items() if call.deadline <= now]
        for who, _ in late:
            del self._calls[who]
        return [events.NoAnswer(who, rang) for who, rang in late]

    def _open(self) -> None:
        if self.state is not State.OPEN:
            raise MsnpError("the switchboard is not open")

    def _lost(self, cause: str) -> list[events.SwitchboardEvent]:
        """Whatever waits for an ACK will not get one any more."""
        trids = [trid for trid, item in self._wire.pending.items() if item.verb == "MSG"]
        for trid in trids:
            self._wire.answered(trid)
        return [events.Lost(trid, cause, gone=True) for trid in trids]

    def _fail(self, step: str, text: str, why: Trouble | None = None) -> list[events.SwitchboardEvent]:
        self.state = State.CLOSED
        return [*self._lost(text), events.Failed(step, text, why)]

    # --- receiving -----------------------------------------------------------------------------------------------

    def _frame(self, frame: Frame, now: float) -> Sequence[events.SwitchboardEvent]:
        if frame.code:
            return self._error(frame)
        handler = _HANDLERS.get(frame.verb)
        if handler is None:
            return ()
        try:
            return handler(self, frame, now)
        except MsnpError:
            return ()  # a line that cannot be read is passed over

    def _error(self, frame: Frame) -> Sequence[events.SwitchboardEvent]:
        why = trouble(frame.code)
        asked = self._wire.answered(frame.trid)
        if self.state is State.ENTERING:
            return self._fail(asked.verb if asked else "", why.text, why)
        if asked is None:
            return ()
        if asked.verb == "MSG":
            return [events.Lost(frame.trid, why.text)]
        self._calls.pop(asked.subject, None)
        return [events.Refused(frame.trid, asked.verb, why, asked.subject)]

    def _entered(self, frame: Frame, now: float) -> Sequence[events.SwitchboardEvent]:
        if self.state is not State.ENTERING or "OK" not in frame.args[1:2]:
            return ()
        self._wire.answered(frame.trid)
        self.state = State.OPEN
        self._talked_at = now
        return [events.Admitted(tuple(self.peers))]

    def _iro(self, frame: Frame, now: float) -> Sequence[events.SwitchboardEvent]:
        who = commands.address(frame.arg(3))
        if who != self._me and len(self.peers) < MAX_PEERS:
            self.peers[who] = Peer(unquote(frame.arg(4)), commands.number(frame.arg(5).partition(":")[0]))
        return ()

    def _joi(self, frame: Frame, now: float) -> Sequence[events.SwitchboardEvent]:
        who = commands.address(frame.arg(0))
        if who == self._me or (who not in self.peers and len(self.peers) >= MAX_PEERS):
            return ()  # from dialect 16 on the server tells us about ourselves
        self._calls.pop(who, None)
        known = who in self.peers
        self.peers[who] = Peer(unquote(frame.arg(1)), commands.number(frame.arg(2).partition(":")[0]))
        return () if known else [events.Joined(who, *self.peers[who])]

    def _cal(self, frame: Frame, now: float) -> Sequence[events.SwitchboardEvent]:
        asked = self._wire.answered(frame.trid)
        if asked is None or frame.arg(1) != "RINGING":
            return ()
        self.session = frame.arg(2)
        call = self._calls.get(asked.subject)
        if call is not None:
            self._calls[asked.subject] = call._replace(rang=True)
        return [events.Ringing(asked.subject, self.session)]

    def _bye(self, frame: Frame, now: float) -> Sequence[events.SwitchboardEvent]:
        who = commands.address(frame.arg(0))
        if commands.is_machine(frame.arg(0)) or who not in self.peers:
            return ()  # one place of presence left; the person counts until the plain address leaves
        del self.peers[who]
        left = events.Left(who, frame.arg(1) == "1", len(self.peers))
        # The live server acknowledges even to an empty room, so an ACK is worth nothing from here on.
        return [left] if self.peers else [*self._lost("the peer left"), left]

    def _ack(self, frame: Frame, now: float) -> Sequence[events.SwitchboardEvent]:
        asked = self._wire.answered(frame.trid)
        if asked is None:
            return ()
        return [events.Accepted(frame.trid) if frame.verb == "ACK" else events.Lost(frame.trid, "not delivered (NAK)")]

    def _msg(self, frame: Frame, now: float) -> Sequence[events.SwitchboardEvent]:
        sender = commands.address(frame.arg(0))
        whole = self._assembler.add(sender, payload.parse(frame.payload or b""), now)
        if whole is None or sender == self._me:
            return ()
        if whole.content_type in (payload.TEXT, payload.PEER_TO_PEER):
            self._talked_at = now
        said = _read(sender, unquote(frame.arg(1)), whole)
        return () if said is None else [said]

    def _out(self, frame: Frame, now: float) -> Sequence[events.SwitchboardEvent]:
        return self.receive_eof(now)


def _read(sender: str, name: str, said: payload.Payload) -> events.SwitchboardEvent | None:
    """What a payload means; None for what is silently ignored."""
    kind = said.content_type
    if kind in (payload.TEXT, ""):
        shown = said.headers.get("p4-context") or name
        return events.Text(sender, shown, payload.decode_text(said))
    if kind == payload.CONTROL:
        return events.Typing(sender) if "typinguser" in said.headers else None
    if kind == payload.DATACAST:
        return events.Nudged(sender) if payload.datacast_id(said) == 1 else None
    if kind == payload.INVITATION:
        body = payload.parse(said.body).headers
        invites = body.get("invitation-command", "").upper() == "INVITE"
        return events.Offered(sender, kind, body.get("invitation-cookie", "")) if invites else None
    return events.PeerData(sender, said) if kind == payload.PEER_TO_PEER else None


_Handler = Callable[[SwitchboardClient, Frame, float], Sequence[events.SwitchboardEvent]]

_HANDLERS: dict[str, _Handler] = {
    "USR": SwitchboardClient._entered,
    "ANS": SwitchboardClient._entered,
    "IRO": SwitchboardClient._iro,
    "JOI": SwitchboardClient._joi,
    "CAL": SwitchboardClient._cal,
    "BYE": SwitchboardClient._bye,
    "ACK": SwitchboardClient._ack,
    "NAK": SwitchboardClient._ack,
    "MSG": SwitchboardClient._msg,
    "OUT": SwitchboardClient._out,
}
