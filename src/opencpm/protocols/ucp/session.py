"""One UCP session, either side, without I/O: bytes and time in, events and bytes out."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any, NamedTuple

from . import framing, hexadecimal
from .errors import UcpError
from .events import Answered, Closed, Event, LoginAsked, LoginRefused, Opened, Received, Unanswered
from .framing import MAX_TRN, Frame, FrameBuffer
from .operations import (
    ALERT,
    CALL_INPUT,
    DELIVER,
    NOT_ALLOWED,
    NOT_SUPPORTED,
    NOTIFICATION,
    SESSION,
    SUBMIT,
    TRANSFER,
    Alert,
    CallInput,
    Message,
    Operation,
    Result,
    SessionOperation,
    Transfer,
    as_message,
    frame_of,
    operation_of,
    result_frame,
    result_of,
)

MAX_WINDOW = MAX_TRN - 1  # one number is left for the keep-alive
TCP_IP = "0539"
_TO_TERMINAL = frozenset({CALL_INPUT, DELIVER, NOTIFICATION})
_TO_CENTRE = frozenset({CALL_INPUT, TRANSFER, SUBMIT})


class State(Enum):
    """OPENING: the login is not accepted yet; LEAVING: nothing new, what is under way ends; CLOSED: all over."""

    OPENING = "opening"
    OPEN = "open"
    LEAVING = "leaving"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """How a terminal introduces itself (operation 60). ``oton``/``onpi`` 6/5: a short code or user name, private."""

    address: str
    password: str = ""
    oton: str = "6"
    onpi: str = "5"
    version: str = "0100"
    opid: str = ""

    def operation(self) -> SessionOperation:
        password = hexadecimal.encode(self.password.encode("latin-1", "replace"))
        return SessionOperation(self.address, self.oton, self.onpi, "1", password, vers=self.version, opid=self.opid)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timers:
    """Seconds. ``alert``: quiet time before a keep-alive (0: never); ``result``: how long to wait for a result."""

    alert: float = 30.0
    result: float = 30.0


class _Open(NamedTuple):
    """An operation of ours without its result."""

    ot: int
    context: Any
    sent_at: float


class SessionError(RuntimeError):
    """The caller asked for what the state does not allow."""


class Session:
    """The machine that :mod:`opencpm.transport.link` drives.

    A terminal gives its ``login``, which goes out first (None: the centre knows us by our address, and the session is
    open at once). ``centre``: we are the SMS centre. ``window`` is how many operations of ours may be unanswered;
    ``room`` says how many more fit now, and ``submit`` does not check it.
    """

    def __init__(
        self,
        now: float,
        *,
        login: Login | None = None,
        centre: bool = False,
        window: int = 10,
        timers: Timers | None = None,
        address: str = "",
    ) -> None:
        self.centre = centre
        self.state = State.OPENING if centre or login is not None else State.OPEN
        self.window = min(window, MAX_WINDOW)
        self.stray_results = 0
        self._timers = timers or Timers()
        self._address = login.address if login is not None else address
        self._frames = FrameBuffer()
        self._out: list[bytes] = []
        self._open: dict[int, _Open] = {}  # in the order of sending: the first is the oldest
        self._late: dict[int, float] = {}  # numbers whose result may come yet, with the time until which they rest
        self._trn = MAX_TRN - 1
        self._owed = 0  # operations of the peer that wait for our result
        self._heard_at = now
        if login is not None:
            self._send(SESSION, login.operation(), None, now)

    # -- for its owner

    @property
    def open(self) -> bool:
        return self.state is State.OPEN

    @property
    def room(self) -> int:
        """How many more operations the window takes."""
        if self.state is not State.OPEN:
            return 0
        return min(self.window - len(self._open), MAX_WINDOW - len(self._open) - len(self._late))

    @property
    def unanswered(self) -> int:
        return len(self._open)

    def submit(self, message: Message, context: Any, now: float, ot: int = SUBMIT) -> int:
        """Send 51 (or 52, 53 as the centre); its end comes as Answered or Unanswered with ``context``.

        Returns the transaction number. Raises SessionError where the state does not allow it, UcpError for a field
        that does not fit.
        """
        if self.state is not State.OPEN:
            raise SessionError(f"not possible while {self.state.value}")
        return self._send(ot, message, context, now)

    def respond(self, received: Received, ec: int = 0, sm: str = "") -> None:
        """Give the result of an operation, once. After the session closed, nothing happens."""
        self._owed -= 1
        if self.state is not State.CLOSED:
            self._result(received.trn, received.ot, Result(ec, sm))
            self._leave_when_idle([])

    def forgive(self) -> None:
        """One operation of the peer will never get its result (tests of the peer want that)."""
        self._owed -= 1

    def accept(self, asked: LoginAsked, text: str = "BIND AUTHENTICATED") -> None:
        """Centre: the terminal is logged in."""
        self.state = State.OPEN
        self._result(asked.trn, SESSION, Result(0, text))

    def refuse(self, asked: LoginAsked, ec: int, text: str = "AUTHENTICATION FAILURE") -> None:
        """Centre: the login is refused and the session over."""
        self._result(asked.trn, SESSION, Result(ec, text))
        self.state = State.CLOSED

    def leave(self) -> None:
        """Send nothing new; close when neither side has anything to answer. UCP has no logout."""
        if self.state is State.OPEN:
            self.state = State.LEAVING
            self._leave_when_idle([])
        elif self.state is State.OPENING:
            self.state = State.CLOSED

    def lost(self) -> list[Event]:
        """The connection is gone: what was unanswered stays so."""
        self.state = State.CLOSED
        left: list[Event] = [Unanswered(o.context) for o in self._open.values() if o.ot not in (SESSION, ALERT)]
        self._open.clear()
        return left

    # -- for its driver

    def receive(self, data: bytes, now: float) -> list[Event]:
        """Digest bytes. A frame that cannot be read is answered with its error; a stream without frames ends."""
        events: list[Event] = []
        try:
            for frame in self._frames.feed(data):
                self._heard_at = now
                if self.state is not State.CLOSED:
                    self._take_frame(frame, events)
        except UcpError as error:
            self._close(f"the peer broke the framing: {error}", events)
        return events

    def poll(self, now: float) -> list[Event]:
        """Do what is due."""
        events: list[Event] = []
        if self.state is State.CLOSED:
            return events
        self._late = {trn: until for trn, until in self._late.items() if until > now}
        self._expire(now, events)
        if self._alert_due() is not None and now >= self._heard_at + self._timers.alert:
            self._send(ALERT, Alert(self._address, TCP_IP), None, now)
        return events

    def next_timeout(self) -> float | None:
        """When :meth:`poll` has something to do."""
        if self.state is State.CLOSED:
            return None
        dues = [due for due in (self._alert_due(),) if due is not None]
        if self._open:
            dues.append(next(iter(self._open.values())).sent_at + self._timers.result)
        return min(dues, default=None)

    def take(self) -> bytes:
        """All bytes to send, joined."""
        joined = b"".join(self._out)
        self._out.clear()
        return joined

    def closing(self) -> bool:
        return self.state is State.CLOSED

    # -- receiving

    def _take_frame(self, octets: bytes, events: list[Event]) -> None:
        try:
            frame = framing.decode(octets)
            if frame.result:
                self._take_result(frame, events)
            else:
                self._take_operation(frame, operation_of(frame), events)
        except UcpError as error:
            if error.trn is not None and error.ot is not None:
                self._result(error.trn, error.ot, Result(error.ec))
            else:
                self.stray_results += 1

    def _take_result(self, frame: Frame, events: list[Event]) -> None:
        result = result_of(frame)
        self._late.pop(frame.trn, None)
        sent = self._open.get(frame.trn)
        if sent is None or sent.ot != frame.ot:
            self.stray_results += 1
            return
        del self._open[frame.trn]
        if sent.ot == SESSION:
            self._take_login(result, events)
        elif sent.ot != ALERT:
            events.append(Answered(sent.context, result.ec, result.sm))
        self._leave_when_idle(events)

    def _take_login(self, result: Result, events: list[Event]) -> None:
        if result.ec:
            events.append(LoginRefused(result.ec, result.sm))
            self._close("the login was refused", events)
        else:
            self.state = State.OPEN
            events.append(Opened(result.sm))

    def _take_operation(self, frame: Frame, operation: Operation, events: list[Event]) -> None:
        if isinstance(operation, Alert):
            self._result(frame.trn, ALERT, Result(0, "0000"))
        elif isinstance(operation, SessionOperation):
            self._take_session(frame, operation, events)
        elif frame.ot not in (_TO_CENTRE if self.centre else _TO_TERMINAL):
            self._result(frame.trn, frame.ot, Result(NOT_SUPPORTED, "OPERATION NOT SUPPORTED"))
        elif self.state is State.OPENING:
            self._result(frame.trn, frame.ot, Result(NOT_ALLOWED, "OPERATION NOT ALLOWED"))
        elif isinstance(operation, Message | CallInput | Transfer):
            self._owed += 1
            events.append(Received(frame.ot, frame.trn, as_message(operation)))

    def _take_session(self, frame: Frame, operation: SessionOperation, events: list[Event]) -> None:
        if not self.centre or operation.styp != "1":
            self._result(frame.trn, SESSION, Result(NOT_SUPPORTED, "OPERATION NOT SUPPORTED"))
            return
        try:
            password = hexadecimal.decode(operation.pwd).decode("latin-1")
        except UcpError as error:
            raise UcpError(str(error), error.ec, frame.trn, SESSION) from None
        events.append(LoginAsked(frame.trn, operation, password))

    # -- sending and timers

    def _send(self, ot: int, operation: Operation, context: Any, now: float) -> int:
        trn = self._next_trn()
        self._out.append(framing.encode(frame_of(trn, ot, operation)))
        self._open[trn] = _Open(ot, context, now)
        self._trn = trn
        return trn

    def _next_trn(self) -> int:
        """The next number that nothing under way has, nor a late result may have."""
        for step in range(1, MAX_TRN + 1):
            trn = (self._trn + step) % MAX_TRN
            if trn not in self._open and trn not in self._late:
                return trn
        raise SessionError("no transaction number is free")

    def _result(self, trn: int, ot: int, result: Result) -> None:
        self._out.append(framing.encode(result_frame(trn, ot, result)))

    def _alert_due(self) -> float | None:
        """Only a quiet session needs a sign of life: an operation under way asks for one anyway."""
        if not self._timers.alert or self.state is not State.OPEN or self._open:
            return None
        return self._heard_at + self._timers.alert

    def _expire(self, now: float, events: list[Event]) -> None:
        while self._open:
            trn, oldest = next(iter(self._open.items()))
            if now < oldest.sent_at + self._timers.result:
                return
            del self._open[trn]
            self._late[trn] = now + 2 * self._timers.result
            if oldest.ot not in (SESSION, ALERT):
                events.append(Unanswered(oldest.context))
            if oldest.ot == SESSION:
                self._close("no answer to the login", events)
            elif self._heard_at <= oldest.sent_at:
                self._close(f"nothing was heard for {self._timers.result:g} s", events)
        self._leave_when_idle(events)

    def _leave_when_idle(self, events: list[Event]) -> None:
        if self.state is State.LEAVING and not self._open and self._owed <= 0:
            self._close("left", events)

    def _close(self, reason: str, events: list[Event]) -> None:
        events.extend(self.lost())
        events.append(Closed(reason))
