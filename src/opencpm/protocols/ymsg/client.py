"""A client's side of a YMSG connection, without sockets or a clock.

    NEW -> HELLO -> CHALLENGE (-> TOKEN) -> PROOF -> ONLINE -> CLOSED

Feed octets with ``receive``, write what ``take`` hands out, call ``poll`` at ``next_timeout``. Nothing a server sends
raises: what is no YMSG ends in a ``Failed`` event, a packet that cannot be read is passed over.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import ClassVar

from opencpm.protocols.ymsg import digest, requests, services
from opencpm.protocols.ymsg.errors import Kind, Trouble, YmsgError, login_trouble, logoff_trouble
from opencpm.protocols.ymsg.events import Closed, Event, Failed, KeptAlive, SignedIn, TokenWanted
from opencpm.protocols.ymsg.packet import ERROR, Framer, Packet, encode, pairs
from opencpm.protocols.ymsg.reading import Reader
from opencpm.protocols.ymsg.services import Service

SILENCE = 60.0  # seconds without a word from the server after which we ask
ANSWER = 60.0  # seconds in which something must come then, if this server answers at all
PING = 20 * 60.0
AT_LATEST = 10 * 60.0  # between keepalives, however much comes


class State(Enum):
    """How far the login is."""

    NEW = auto()
    HELLO = auto()
    CHALLENGE = auto()
    TOKEN = auto()
    PROOF = auto()
    ONLINE = auto()
    CLOSED = auto()


_LOGIN = frozenset({State.HELLO, State.CHALLENGE, State.TOKEN, State.PROOF})


@dataclass(frozen=True, slots=True)
class SignOn:
    """Who signs on, and as which client."""

    user: str  # lower case, without a domain
    password: str
    version: int = 10
    invisible: bool = False
    build: str = "5, 5, 0, 1237"  # key 135
    step_timeout: float = 30.0  # seconds for each answer

    def __post_init__(self) -> None:
        if self.version not in services.VERSIONS:
            raise YmsgError(f"version {self.version}; there are 9 to 16")

    def __repr__(self) -> str:
        return f"SignOn(user={self.user!r}, version={self.version})"


class YmsgClient:
    """One signed-on account."""

    def __init__(self, sign_on: SignOn) -> None:
        self._me = sign_on
        self._framer = Framer()
        self._reader = Reader(sign_on.user, sign_on.version)
        self._out: list[bytes] = []
        self._session = 0
        self._challenge = b""
        self._step_by: float | None = None
        self._heard_at = self._kept_at = self._pinged_at = 0.0
        self._asked = False  # a keepalive is unanswered
        self._answers = False  # this server has answered one
        self._keepalives = self._answered_keepalives = 0
        self.state = State.NEW

    # -- what the owner calls ----------------------------------------------------------------------------------

    def start(self, now: float) -> None:
        """Open the conversation; call it once the connection stands."""
        self._step(State.HELLO, now)
        self._put(Packet(Service.VERIFY))

    def receive(self, data: bytes, now: float) -> Sequence[Event]:
        """What the server said, in events."""
        events: list[Event] = []
        if self.state is State.CLOSED:
            return events
        self._heard_at, self._asked = now, False
        try:
            for packet in self._framer.feed(data):
                events += self._packet(packet, now) if isinstance(packet, Packet) else ()
        except YmsgError as error:
            events.append(self._fail("reading", Trouble(Kind.TEMPORARY, 0, str(error))))
        return events

    def take(self) -> bytes:
        """Octets to be written."""
        out, self._out = b"".join(self._out), []
        return out

    def next_timeout(self) -> float | None:
        """When to call ``poll``, on the clock of ``now``."""
        if self.state is State.CLOSED or self.state is State.NEW:
            return None
        if self._step_by is not None:
            return self._step_by
        if self._asked and self._answers:
            return self._heard_at + SILENCE + ANSWER
        return min(self._keep_at(), self._pinged_at + PING)

    def poll(self, now: float) -> Sequence[Event]:
        """Time has passed."""
        if self._step_by is not None and now >= self._step_by:
            return [self._fail(self.state.name.lower(), Trouble(Kind.TEMPORARY, 0, "the server did not answer"))]
        if self.state is not State.ONLINE:
            return []
        if self._asked and self._answers and now >= self._heard_at + SILENCE + ANSWER:
            return [self._fail("keepalive", Trouble(Kind.TEMPORARY, 0, "the server has gone silent"))]
        if now >= self._pinged_at + PING:
            self._pinged_at = now
            self._put(Packet(Service.PING))
        if now >= self._keep_at():
            self.keepalive(now)
        return []

    def lost(self) -> Sequence[Event]:
        """The connection ended."""
        if self.state is State.CLOSED:
            return []
        before, self.state = self.state, State.CLOSED
        if before in _LOGIN:
            text = "the server closed the connection while we signed in"
            return [Failed(before.name.lower(), Trouble(Kind.TEMPORARY, 0, text))]
        return [Closed(False)]

    def token(self, crumb: str, cookies: tuple[str, str, str], now: float) -> None:
        """The proof of the web login: the crumb, and the cookies Y, T and B (empty where there is none)."""
        if self.state is not State.TOKEN:
            raise YmsgError("no token was asked for")
        yahoo, ticket, browser = cookies
        me = self._me.user
        proof = digest.token_response(crumb, self._challenge)
        own = pairs((1, me), (0, me), (277, yahoo), (278, ticket), (307, proof), (244, 4194239), (2, me), (2, 1))
        own += pairs((59, browser), (98, "us"), (135, self._me.build))
        self._step(State.PROOF, now)
        self._put(Packet(Service.AUTHRESP, services.WEB_LOGIN, own))

    def put(self, *packets: Packet | None) -> None:
        """Send requests (see ``requests``). :raises YmsgError: not signed in."""
        if self.state is not State.ONLINE:
            raise YmsgError("not signed in")
        for packet in packets:
            if packet is not None:
                self._put(packet)

    def keepalive(self, now: float) -> int:
        """Ask for a sign of life; its number comes back in ``KeptAlive`` where the server answers such."""
        self._kept_at, self._asked = now, True
        self._keepalives += 1
        self._put(Packet(Service.KEEPALIVE, 0, pairs((0, self._me.user))))
        return self._keepalives

    def sign_off(self) -> None:
        """Say goodbye; the connection is to be closed by us once this is written: a server does nothing about it."""
        if self.state is not State.CLOSED:
            self._put(Packet(Service.LOGOFF))
            self.state = State.CLOSED

    def closing(self) -> bool:
        """Whether the connection is to be closed once all is written."""
        return self.state is State.CLOSED

    @property
    def user(self) -> str:
        return self._me.user

    @property
    def version(self) -> int:
        return self._me.version

    # -- what the server says ----------------------------------------------------------------------------------

    def _packet(self, packet: Packet, now: float) -> Sequence[Event]:
        if self.state is State.CLOSED:
            return []  # what came behind the end in the same octets
        self._session = packet.session or self._session
        if packet.service == Service.PROTOCOL_ERROR:
            text = "the server does not take this version or login"
            return [self._fail("protocol", Trouble(Kind.UNSUPPORTED, packet.number(66), text))]
        if packet.service == Service.LOGOFF and (signed_off := self._signed_off(packet)) is not None:
            return [signed_off]
        if packet.service == Service.KEEPALIVE:
            return self._kept_alive()
        handler = self._LOGIN_STEPS.get(self.state)
        return handler(self, packet, now) if handler is not None else self._reader.read(packet, self._put)

    def _kept_alive(self) -> Sequence[Event]:
        self._answers = True
        if self._answered_keepalives == self._keepalives:
            return []  # nobody asked
        self._answered_keepalives += 1
        return [KeptAlive(self._answered_keepalives)]

    def _signed_off(self, packet: Packet) -> Event | None:
        """LOGOFF about ourselves; None where it is about a contact."""
        if packet.status == ERROR:
            return self._fail("online", logoff_trouble(packet.number(66)))
        if packet.status == 0 and not packet.get(7):
            self.state = State.CLOSED
            return Closed(False)
        return None

    def _hello(self, packet: Packet, now: float) -> Sequence[Event]:
        if packet.service != Service.VERIFY:
            return []
        if packet.status != 1:
            return [self._fail("hello", Trouble(Kind.TEMPORARY, packet.status, "the server takes nobody now"))]
        self._step(State.CHALLENGE, now)
        self._put(Packet(Service.AUTH, 0, pairs((1, self._me.user))))
        return []

    def _challenged(self, packet: Packet, now: float) -> Sequence[Event]:
        if packet.service == Service.AUTHRESP:
            return self._answered(packet, now)
        if packet.service != Service.AUTH:
            return []
        self._challenge = packet.get(94)
        method = packet.number(13)
        if method == services.METHOD_TOKEN:
            self._step(State.TOKEN, now)
            return [TokenWanted(self._challenge.decode("ascii", "replace"))]
        if method == services.METHOD_TABLES:
            text = "the server wants the login of versions 11 to 14, which no server in use has and we have not"
            return [self._fail("challenge", Trouble(Kind.UNSUPPORTED, method, text))]
        return self._prove(now)

    def _prove(self, now: float) -> Sequence[Event]:
        me = self._me
        try:
            proof = digest.prove(me.user, me.password, self._challenge)
        except YmsgError as error:
            return [self._fail("challenge", Trouble(Kind.TEMPORARY, 0, str(error)))]
        own = pairs((0, me.user), (6, proof.plain), (96, proof.crypted), (2, 1), (1, me.user), (135, me.build))
        self._step(State.PROOF, now)
        self._put(Packet(Service.AUTHRESP, services.INVISIBLE if me.invisible else services.AVAILABLE, own))
        return []

    def _waiting(self, packet: Packet, now: float) -> Sequence[Event]:
        """The token is being fetched: only a refusal counts."""
        return self._answered(packet, now) if packet.service == Service.AUTHRESP else []

    def _answered(self, packet: Packet, now: float) -> Sequence[Event]:
        if packet.service == Service.AUTHRESP:
            return [self._fail("proof", login_trouble(packet.number(66)))]
        events = list(self._reader.read(packet, self._put))
        if any(isinstance(event, SignedIn) for event in events):
            self.state, self._step_by = State.ONLINE, None
            self._heard_at = self._kept_at = self._pinged_at = now
        return events

    _LOGIN_STEPS: ClassVar[dict[State, Callable[[YmsgClient, Packet, float], Sequence[Event]]]] = {
        State.HELLO: _hello,
        State.CHALLENGE: _challenged,
        State.TOKEN: _waiting,
        State.PROOF: _answered,
    }

    # -- small things ------------------------------------------------------------------------------------------

    def _put(self, packet: Packet) -> None:
        kept = packet if packet.session else Packet(packet.service, packet.status, packet.pairs, self._session)
        self._out.append(encode(kept, self._me.version))

    def _step(self, state: State, now: float) -> None:
        self.state, self._step_by = state, now + self._me.step_timeout

    def _fail(self, step: str, trouble: Trouble) -> Failed:
        self.state, self._step_by = State.CLOSED, None
        return Failed(step, trouble)

    def _keep_at(self) -> float:
        if self._asked:
            return self._kept_at + AT_LATEST
        return min(max(self._heard_at, self._kept_at) + SILENCE, self._kept_at + AT_LATEST)


__all__ = ["SignOn", "State", "YmsgClient", "requests"]
