"""One SMPP session, either side, without I/O: bytes and time in, events and bytes out (SMPP 3.4 §2, §7.2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from . import pdu as codec
from .binding import Bind, Timers
from .command import BINDS, BROADCASTS, GENERIC_NACK, RESPONSE, UNANSWERED, Command
from .data_sm import from_data_sm
from .errors import SmppError
from .events import (
    Answered,
    Asked,
    BindAsked,
    BindRefused,
    Bound,
    Closed,
    Event,
    Received,
    Told,
    Unanswered,
)
from .framing import HEADER, MAX_PDU, FrameBuffer
from .keepalive import KeepAlive, Verdict
from .pdu import Pdu
from .short_message import (
    ShortMessage,
    decode_short_message,
    encode_id_response,
    encode_short_message,
    response_id,
    response_tlvs,
)
from .states import BOUND, BOUND_BY, RULES, Role, SessionState, may_receive, may_send
from .status import RALYBND, RINVBNDSTS, RINVCMDID, RSYSERR
from .tlv import Tag, Tlvs, int_of

MAX_SEQUENCE = 0x7FFFFFFF
_BROADCASTING = 0x50


class _Open(NamedTuple):
    """A request of ours without its response."""

    context: Any
    sent_at: float


class SessionError(RuntimeError):
    """The caller asked for what the state does not allow."""


class Session:
    """The machine that :mod:`opencpm.transport.link` drives.

    An ESME gives its ``bind``, which goes out first, or with ``awaits_outbind`` when :meth:`answer_outbind` is called;
    without one the session is the SMSC's. ``window`` is how many requests of ours may be unanswered; ``room`` says how
    many more fit now, and ``submit`` does not check it.
    """

    def __init__(
        self,
        now: float,
        *,
        bind: Bind | None = None,
        window: int = 10,
        timers: Timers | None = None,
        max_pdu: int = MAX_PDU,
        first_sequence: int = 1,
        awaits_outbind: bool = False,
    ) -> None:
        self.role = Role.SMSC if bind is None else Role.ESME
        self.state = SessionState.OPEN
        self.window = window
        self.stray_responses = 0
        self.peer_version = 0
        self._timers = timers or Timers()
        self._frames = FrameBuffer(max_pdu)
        self._out: list[bytes] = []
        self._open: dict[int, _Open] = {}  # in the order of sending: the first is the oldest
        self._sequence = first_sequence
        self._started = self._traffic = now
        self._alive = KeepAlive(self._timers.enquire_link, self._timers.enquire_response, now)
        self._owed = 0  # requests of the peer that wait for our response
        self._unbind: tuple[int, float] | None = None  # sequence number (0: not sent yet) and time
        self._bind = bind
        self._bind_sequence = 0
        if bind is not None and not awaits_outbind:
            self.answer_outbind()

    # ------------------------------------------------------------------------------------------- for its
    # owner

    @property
    def bound(self) -> bool:
        return self.state in BOUND

    @property
    def room(self) -> int:
        """How many more requests the window takes."""
        return self.window - len(self._open) if self.state in BOUND else 0

    @property
    def unanswered(self) -> int:
        """How many requests of ours wait for their response."""
        return len(self._open)

    def answer_outbind(self) -> None:
        """ESME: bind. Where the SMSC connected to us, it has said who it is and been believed (§2.2.1)."""
        assert self._bind is not None, "an SMSC does not bind"
        self._bind_sequence = self._next_sequence()
        self._out.append(codec.encode(self._bind.pdu(self._bind_sequence)))

    def submit(self, message: ShortMessage, context: Any, now: float, command: int = Command.SUBMIT_SM) -> int:
        """Send submit_sm (or deliver_sm, as the SMSC); its end comes as Answered or Unanswered with
        ``context``.

        Returns the sequence number. Raises SessionError where the state does not allow it, SmppError for a
        value that does not fit.
        """
        if not may_send(self.role, command, self.state):
            raise SessionError(f"not possible while {self.state.value}")
        sequence = self._next_sequence()
        self._out.append(encode_short_message(command, sequence, message))
        self._open[sequence] = _Open(context, now)
        self._traffic = now
        self._alive.spoke(now)
        return sequence

    def request(self, command: int, body: dict[str, codec.Value], context: Any, now: float) -> int:
        """The same for any other request."""
        if not may_send(self.role, command, self.state):
            raise SessionError(f"not possible while {self.state.value}")
        sequence = self._next_sequence()
        self._out.append(codec.encode(Pdu(command, 0, sequence, body)))
        if command not in UNANSWERED:
            self._open[sequence] = _Open(context, now)
            self._alive.spoke(now)
        return sequence

    def respond(self, received: Received, status: int = 0, message_id: str = "", tlvs: Tlvs = ()) -> None:
        """Answer a deliver_sm, submit_sm or data_sm, once. After the session closed, nothing happens."""
        self._owed -= 1
        if self.state is not SessionState.CLOSED:
            self._out.append(
                encode_id_response(received.command | RESPONSE, status, received.sequence, message_id, tlvs)
            )

    def forgive(self) -> None:
        """One request of the peer will never be answered (tests of the peer want that)."""
        self._owed -= 1

    def answer(self, asked: Pdu, body: dict[str, codec.Value] | None = None, status: int = 0) -> None:
        """Answer any other request; with an error, without a body."""
        self._owed -= 1
        if self.state is not SessionState.CLOSED:
            self._answer(asked.command, asked.sequence, status, body)

    def accept(
        self,
        asked: BindAsked,
        system_id: str,
        version: int = 0x34,
        *,
        window: int = 0,
        timers: Timers | None = None,
    ) -> None:
        """SMSC: the peer is bound, from now on by this window and these timers (left out: the session's own).
        A peer below 3.4 is sent no optional parameter (§1.3 of 3.4, annex).
        """
        self.window = window or self.window
        if timers is not None:
            self._timers = timers
            self._alive.agree(timers.enquire_link, timers.enquire_response)
        self.state = BOUND_BY[asked.command]
        self.peer_version = asked.version
        tlvs = ((int(Tag.SC_INTERFACE_VERSION), bytes((version,))),) if asked.version >= 0x34 else ()
        response = Pdu(asked.command | RESPONSE, 0, asked.sequence, {"system_id": system_id}, tlvs)
        self._out.append(codec.encode(response))

    def refuse(self, asked: BindAsked, status: int) -> None:
        """SMSC: the bind is refused and the session over."""
        self._answer(asked.command, asked.sequence, status)
        self.state = SessionState.CLOSED

    def unbind(self, now: float) -> None:
        """Send nothing new, wait for what either side has to answer yet, then unbind and close."""
        if self.state in BOUND:
            self.state = SessionState.UNBINDING
            self._unbind = (0, now)
            self._unbind_when_idle(now)
        elif self.state is not SessionState.UNBINDING:
            self.state = SessionState.CLOSED

    def lost(self) -> list[Event]:
        """The connection is gone: what was unanswered stays so."""
        self.state = SessionState.CLOSED
        left: list[Event] = [Unanswered(entry.context) for entry in self._open.values()]
        self._open.clear()
        return left

    # -------------------------------------------------------------------------------------------- for its
    # driver

    def receive(self, data: bytes, now: float) -> list[Event]:
        """Digest bytes. Octets that break the framing are answered with generic_nack and end the session
        (§4.3).
        """
        events: list[Event] = []
        if self.state is SessionState.CLOSED:
            return events
        frames: list[bytes] = []
        broken: SmppError | None = None
        try:
            self._frames.feed(data, frames)
        except SmppError as error:
            broken = error
        if frames:
            self._alive.heard(now)
        for frame in frames:
            self._take_frame(frame, now, events)
        if broken is not None and not self.closing():
            self._nack(broken)
            self._close(f"the peer broke the framing: {broken}", events)
        return events

    def poll(self, now: float) -> list[Event]:
        """Do what is due."""
        events: list[Event] = []
        if self.state in (SessionState.OPEN, SessionState.OUTBOUND):
            if now >= self._started + self._timers.session_init:
                self._close("no bind in time", events)
            return events
        self._expire_requests(now, events)
        self._poll_unbind(now, events)
        self._poll_link(now, events)
        self._poll_inactivity(now)
        return events

    def next_timeout(self) -> float | None:
        """When :meth:`poll` has something to do."""
        if self.state is SessionState.CLOSED:
            return None
        if self.state in (SessionState.OPEN, SessionState.OUTBOUND):
            return self._started + self._timers.session_init
        dues = [due for due in (self._alive.due(),) if due is not None]
        if self._open:
            dues.append(next(iter(self._open.values())).sent_at + self._timers.response)
        if self._unbind is not None:
            dues.append(self._unbind[1] + self._timers.response)
        elif self._timers.inactivity:
            dues.append(self._traffic + self._timers.inactivity)
        return min(dues, default=None)

    def take(self) -> bytes:
        """All bytes to send, joined."""
        if self._unbind is not None and not self._unbind[0]:
            self._unbind_when_idle(self._unbind[1])
        if not self._out:
            return b""
        joined = b"".join(self._out)
        self._out.clear()
        return joined

    def closing(self) -> bool:
        return self.state is SessionState.CLOSED

    # -------------------------------------------------------------------------------------------------
    # receiving

    def _take_frame(self, frame: bytes, now: float, events: list[Event]) -> None:
        if self.state is SessionState.CLOSED:
            return
        _, command, status, sequence = HEADER.unpack_from(frame)
        if command & RESPONSE:
            self._take_response(frame, command, status, sequence, now, events)
            return
        handler = _REQUESTS.get(command)
        try:
            if handler is None or (command in BROADCASTS and self._is_older()):
                raise SmppError("unknown command_id", RINVCMDID)
            if not may_receive(self.role, command, self.state):
                self._answer(command, sequence, RALYBND if command in BINDS and self.bound else RINVBNDSTS)
                return
            handler(self, frame, command, sequence, now, events)
        except SmppError as error:
            error.sequence = sequence
            self._reject(command, error)

    def _take_response(
        self, frame: bytes, command: int, status: int, sequence: int, now: float, events: list[Event]
    ) -> None:
        entry = self._open.pop(sequence, None)
        if entry is not None:
            self._traffic = now
            if command == GENERIC_NACK and not status:
                status = RSYSERR
            message_id = "" if status else response_id(frame)
            tlvs = response_tlvs(frame, message_id) if len(frame) > 17 + len(message_id) else ()
            events.append(Answered(entry.context, status, message_id, tlvs))
            self._unbind_when_idle(now)
        elif self._bind_sequence and sequence == self._bind_sequence:
            self._take_bind_response(frame, status, events)
        elif sequence == self._alive.sequence:
            self._alive.sequence = 0
        elif self._unbind is not None and sequence == self._unbind[0]:
            self._close("unbound", events)
        else:
            self.stray_responses += 1

    def _take_bind_response(self, frame: bytes, status: int, events: list[Event]) -> None:
        assert self._bind is not None
        self._bind_sequence = 0
        if status:
            events.append(BindRefused(status))
            self._close("the bind was refused", events)
            return
        try:
            response = codec.decode(frame)
        except SmppError:  # an id without its NUL, a broken parameter: bound all the same
            response = Pdu(0, 0, 0, {})
        self.peer_version = int_of(response.tlvs, Tag.SC_INTERFACE_VERSION) or 0
        self.state = BOUND_BY[self._bind.command]
        events.append(Bound(self.state, str(response.body.get("system_id", "")), self.peer_version))

    def _on_message(self, frame: bytes, command: int, sequence: int, now: float, events: list[Event]) -> None:
        events.append(Received(command, sequence, decode_short_message(frame)))
        self._owe(now)

    def _on_data(self, frame: bytes, command: int, sequence: int, now: float, events: list[Event]) -> None:
        events.append(Received(command, sequence, from_data_sm(codec.decode(frame))))
        self._owe(now)

    def _on_other(self, frame: bytes, command: int, sequence: int, now: float, events: list[Event]) -> None:
        events.append(Asked(codec.decode(frame)))
        self._owe(now)

    def _on_told(self, frame: bytes, command: int, sequence: int, now: float, events: list[Event]) -> None:
        if command == Command.OUTBIND:
            self.state = SessionState.OUTBOUND
        events.append(Told(codec.decode(frame)))

    def _on_bind(self, frame: bytes, command: int, sequence: int, now: float, events: list[Event]) -> None:
        body = codec.decode(frame).body
        version = body["interface_version"]
        events.append(
            BindAsked(
                sequence,
                command,
                str(body["system_id"]),
                str(body["password"]),
                str(body["system_type"]),
                version if isinstance(version, int) else 0,
                str(body["address_range"]),
            )
        )

    def _on_unbind(self, frame: bytes, command: int, sequence: int, now: float, events: list[Event]) -> None:
        self._answer(command, sequence, 0)
        self._close("the peer unbound", events)

    def _on_enquire_link(self, frame: bytes, command: int, sequence: int, now: float, events: list[Event]) -> None:
        self._answer(command, sequence, 0)

    def _is_older(self) -> bool:
        """Whether the peer said, at the bind, that it is older than 5.0."""
        return self.role is Role.SMSC and self.bound and self.peer_version < _BROADCASTING

    def _owe(self, now: float) -> None:
        self._owed += 1
        self._traffic = now

    def _reject(self, command: int, error: SmppError) -> None:
        """generic_nack for a command nobody knows, else the request's own response (§4.3)."""
        if command not in RULES or error.status == RINVCMDID:
            self._nack(error)
        else:
            self._answer(command, error.sequence, error.status)

    # -----------------------------------------------------------------------------------------------------
    # timers

    def _expire_requests(self, now: float, events: list[Event]) -> None:
        while self._open:
            sequence, oldest = next(iter(self._open.items()))
            if now < oldest.sent_at + self._timers.response:
                return
            del self._open[sequence]
            events.append(Unanswered(oldest.context))
            if not self._timers.enquire_link and self._alive.silent_since(oldest.sent_at):
                self._close("nothing was heard since a request that had no answer", events)

    def _poll_unbind(self, now: float, events: list[Event]) -> None:
        if self._unbind is None:
            return
        sequence, since = self._unbind
        if now < since + self._timers.response:
            self._unbind_when_idle(now)
        elif sequence:
            self._close("no answer to unbind", events)
        else:
            self._send_unbind(now)

    def _unbind_when_idle(self, now: float) -> None:
        if self._unbind is not None and not self._unbind[0] and not self._open and self._owed <= 0:
            self._send_unbind(now)

    def _send_unbind(self, now: float) -> None:
        self._unbind = (self._next_sequence(), now)
        self._out.append(HEADER.pack(16, Command.UNBIND, 0, self._unbind[0]))

    def _poll_link(self, now: float, events: list[Event]) -> None:
        verdict = self._alive.judge(now)
        if verdict is Verdict.DEAD and not self.closing():
            self._close("two enquire_link without an answer", events)
        elif verdict is Verdict.ASK and not self.closing():
            self._alive.asked(self._next_sequence(), now)
            self._out.append(HEADER.pack(16, Command.ENQUIRE_LINK, 0, self._alive.sequence))

    def _poll_inactivity(self, now: float) -> None:
        if self._timers.inactivity and self.bound and now >= self._traffic + self._timers.inactivity:
            self.unbind(now)

    # ---------------------------------------------------------------------------------------------------
    # helpers

    def _close(self, reason: str, events: list[Event]) -> None:
        events.extend(self.lost())
        events.append(Closed(reason))

    def _answer(self, command: int, sequence: int, status: int, body: dict[str, codec.Value] | None = None) -> None:
        if command in UNANSWERED:
            return
        if body:
            self._out.append(codec.encode(Pdu(command | RESPONSE, status, sequence, body)))
        else:
            self._out.append(HEADER.pack(16, command | RESPONSE, status, sequence))

    def _nack(self, error: SmppError) -> None:
        self._out.append(HEADER.pack(16, GENERIC_NACK, error.status, error.sequence))

    def _next_sequence(self) -> int:
        sequence = self._sequence
        self._sequence = sequence + 1 if sequence < MAX_SEQUENCE else 1
        return sequence


_Handler = Callable[[Session, bytes, int, int, float, list[Event]], None]
_REQUESTS: dict[int, _Handler] = {
    **dict.fromkeys(BINDS, Session._on_bind),
    Command.SUBMIT_SM: Session._on_message,
    Command.DELIVER_SM: Session._on_message,
    Command.DATA_SM: Session._on_data,
    Command.SUBMIT_MULTI: Session._on_other,
    Command.QUERY_SM: Session._on_other,
    Command.CANCEL_SM: Session._on_other,
    Command.REPLACE_SM: Session._on_other,
    **dict.fromkeys(BROADCASTS, Session._on_other),
    Command.ALERT_NOTIFICATION: Session._on_told,
    Command.OUTBIND: Session._on_told,
    Command.UNBIND: Session._on_unbind,
    Command.ENQUIRE_LINK: Session._on_enquire_link,
}
