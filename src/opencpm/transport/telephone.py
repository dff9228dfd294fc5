"""A telephone on real sockets: the call agent over UDP, and voices for its calls."""

from __future__ import annotations

import asyncio
import secrets
import socket
from collections.abc import Callable, Sequence

from opencpm.protocols.sip.transaction import Timers
from opencpm.protocols.telephone.agent import CallAgent
from opencpm.protocols.telephone.audio import Audio
from opencpm.protocols.telephone.events import Call, Credentials, Event
from opencpm.protocols.telephone.registration import Registration
from opencpm.transport.flow import Address, Flow
from opencpm.transport.udp import UdpListener, bind_udp
from opencpm.transport.voice import PATIENCE, Pacer, Turn, Voice

_TRIES = 20


class Telephone:
    """Binds on construction (raises OSError) and hands every event to ``on_event``. ``public``: the host that others
    are told, where it is not the one we bind to. ``ports``: lowest and highest RTP port; (0, 0) takes any."""

    def __init__(
        self,
        host: str,
        port: int,
        on_event: Callable[[Event], None],
        *,
        public: str = "",
        ports: tuple[int, int] = (0, 0),
        name: str = "OpenCPM",
        timers: Timers | None = None,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._on_event = on_event
        self._host, self._ports, self._next_port = host, ports, ports[0]
        self._udp: UdpListener = bind_udp(host, port, self._received)
        self.address: Address = self._udp.address
        self._public = public or self.address[0]
        self.agent = CallAgent((self._public, self.address[1]), _token, name=name, timers=timers)
        self.pacer = Pacer()
        self._timer: asyncio.TimerHandle | None = None
        self._due_at = 0.0
        self._flushing = False

    # -- calls

    def flow_to(self, peer: Address) -> Flow:
        return self._udp.flow_to(peer)

    def voice(self) -> Voice:
        """A voice for a new call. Raises OSError when no port is free."""
        low, high = self._ports
        if not low:
            return Voice(self._host, 0, secrets.randbits(32))
        for _ in range(_TRIES):
            port, self._next_port = self._next_port, self._next_port + 2
            if self._next_port > high:
                self._next_port = low
            try:
                return Voice(self._host, port, secrets.randbits(32))
            except OSError:
                continue
        raise OSError("no free port for RTP")

    def heard_at(self, voice: Voice, laws: tuple[int, ...] = (8, 0)) -> Audio:
        """What we tell others of a voice."""
        return Audio(self._public, voice.port, laws)

    def dial(
        self,
        flow: Flow,
        number: str,
        caller: str,
        host: str,
        voice: Voice,
        *,
        laws: tuple[int, ...] = (8, 0),
        context: object = None,
        credentials: Credentials | None = None,
    ) -> Call:
        mine = self.heard_at(voice, laws)
        now = self._loop.time()
        call = self.agent.dial(flow, number, caller, host, mine, now, context=context, credentials=credentials)
        self._flush()
        return call

    def ring(self, call: Call) -> None:
        self.agent.ring(call, self._loop.time())
        self._flush()

    def accept(self, call: Call, voice: Voice) -> None:
        """Answer; start the voice as well (``talk``)."""
        laws = (call.law,) if call.remote is not None else (8, 0)
        self.agent.accept(call, self.heard_at(voice, laws), self._loop.time())
        self._flush()

    def talk(self, call: Call, voice: Voice, turn: Turn, patience: int = PATIENCE) -> None:
        """Let the voice speak; the far end must have said where it hears."""
        assert call.remote is not None
        voice.start((call.remote.host, call.remote.port), call.law, turn, patience)
        self.pacer.add(voice)

    def refuse(self, call: Call, status: int, reason: str = "") -> None:
        self.agent.refuse(call, status, self._loop.time(), reason)
        self._flush()

    def hang_up(self, call: Call) -> None:
        self.agent.hang_up(call, self._loop.time())
        self._flush()

    def ping(self, flow: Flow, host: str, context: object) -> None:
        self.agent.errands.ping(flow, host, context, self._loop.time())
        self._flush()

    def account(self, flow: Flow, host: str, credentials: Credentials, expires: int, context: object) -> Registration:
        return self.agent.errands.account(flow, host, credentials, expires, context)

    def register(self, account: Registration) -> None:
        """The outcome comes as an event."""
        self.agent.errands.register(account, self._loop.time())
        self._flush()

    async def resolve(self, host: str, port: int) -> Address:
        """The address of a trunk. Raises OSError."""
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        found = await self._loop.getaddrinfo(host, port, family=family, type=socket.SOCK_DGRAM)
        return str(found[0][4][0]), int(found[0][4][1])

    def close(self) -> None:
        """What is to be sent goes out; nothing is heard any more."""
        self._flushed()
        if self._timer is not None:
            self._timer.cancel()
        self.pacer.close()
        self._udp.close()

    # -- the wire

    def _received(self, batch: Sequence[tuple[Flow, bytes]]) -> None:
        now = self._loop.time()
        for flow, datagram in batch:
            self._tell(self.agent.receive(flow, datagram, now))
        self._flushed()

    def _tell(self, events: Sequence[Event]) -> None:
        for event in events:
            self._on_event(event)

    def _flush(self) -> None:
        if not self._flushing:
            self._flushing = True
            self._loop.call_soon(self._flushed)

    def _flushed(self) -> None:
        self._flushing = False
        for flow, data in self.agent.take():
            flow.send(data)
        due = self.agent.next_timeout()
        if due is not None and (self._timer is None or due < self._due_at):
            if self._timer is not None:
                self._timer.cancel()
            self._due_at = due
            self._timer = self._loop.call_at(due, self._due)

    def _due(self) -> None:
        self._timer = None
        self._tell(self.agent.due(self._loop.time()))
        self._flushed()


def _token() -> str:
    return secrets.token_hex(8)
