"""All listeners of a SIP endpoint, over UDP, TCP, TLS and WebSocket, speaking of flows and whole messages only."""

from __future__ import annotations

import asyncio
import itertools
import logging
import ssl
from collections.abc import Callable, Sequence

from opencpm.transport.flow import DEFAULT_LIMITS, Address, Flow, Limits
from opencpm.transport.link import Link, address_of, dial, listen
from opencpm.transport.stream import StreamMachine
from opencpm.transport.udp import UdpListener, bind_udp
from opencpm.transport.websocket import WebSocketMachine

log = logging.getLogger("opencpm.transport")

Wire = StreamMachine | WebSocketMachine
Received = Callable[[Sequence[tuple[Flow, bytes]]], None]

STREAMS = frozenset({"TCP", "TLS", "WS", "WSS"})


class Listeners:
    """Listens, accepts, dials. `received(batch)` gets (flow, message octets); `lost(flow)` a connection that went.

    `lost` is called once for each connection that had a flow, also when this side closed it.
    """

    def __init__(self, received: Received, lost: Callable[[Flow], None], limits: Limits = DEFAULT_LIMITS) -> None:
        self._received, self._lost, self._limits = received, lost, limits
        self._servers: list[asyncio.Server] = []
        self._udp: list[UdpListener] = []
        self._flows: dict[int, tuple[Flow, Link[bytes]]] = {}
        self._ids = itertools.count(1)

    @property
    def connections(self) -> int:
        return len(self._flows)

    async def listen(self, kind: str, host: str, port: int, tls: ssl.SSLContext | None = None) -> Address:
        """Start one listener; port 0 takes a free one. Returns where it listens. Raises OSError.

        TLS and WSS need a server context; UDP takes none.
        """
        if kind == "UDP":
            udp = bind_udp(host, port, self._received)
            self._udp.append(udp)
            return udp.address
        if kind not in STREAMS or (kind in ("TLS", "WSS")) != (tls is not None):
            raise ValueError(f"cannot listen for {kind} {'with' if tls else 'without'} TLS")
        server = await listen(lambda: self._accept(kind), host, port, tls=tls)
        self._servers.append(server)
        return address_of(server)

    async def dial(self, kind: str, host: str, port: int, tls: ssl.SSLContext | None = None) -> Flow:
        """Connect to a peer over TCP or TLS. Raises OSError."""
        machine = StreamMachine(asyncio.get_running_loop().time(), self._limits)
        link = await dial(
            machine,
            host,
            port,
            on_events=self._events,
            on_lost=self._gone,
            on_ready=lambda link: self._register(link, kind),
            tls=tls,
        )
        if id(link) not in self._flows:
            raise ConnectionResetError("closed at once")
        return self._flows[id(link)][0]

    def udp_flow(self, peer: Address, local_port: int = 0) -> Flow | None:
        """The flow to a peer over UDP, from the listener on `local_port` if there is one, else from the first of
        the same address family; None without a UDP listener."""
        family = [udp for udp in self._udp if (":" in udp.address[0]) == (":" in peer[0])]
        for udp in family:
            if udp.address[1] == local_port:
                return udp.flow_to(peer)
        return family[0].flow_to(peer) if family else None

    def close(self) -> None:
        """Stop listening and close every connection after its last bytes."""
        for server in self._servers:
            server.close()
        for flow, link in list(self._flows.values()):
            flow.open = False
            link.close()
        for udp in self._udp:
            udp.close()
        self._servers, self._udp = [], []

    def _accept(self, kind: str) -> asyncio.Protocol:
        if len(self._flows) >= self._limits.connections:
            return _Refused()
        now = asyncio.get_running_loop().time()
        machine: Wire = (
            WebSocketMachine(now, self._limits) if kind in ("WS", "WSS") else StreamMachine(now, self._limits)
        )
        return Link(
            machine,
            on_events=self._events,
            on_lost=self._gone,
            on_ready=lambda link: self._register(link, kind),
        )

    def _register(self, link: Link[bytes], kind: str) -> None:
        machine = link.machine
        assert isinstance(machine, StreamMachine | WebSocketMachine)
        queue = machine.send

        def write(data: bytes) -> None:
            queue(data)
            link.wake()
            if link.unsent > self._limits.unsent:
                link.abort(BufferError("the peer does not read"))

        flow = Flow(f"{kind.lower()}:{next(self._ids)}", kind, link.peer, link.local, write, link.close)
        self._flows[id(link)] = flow, link

    def _events(self, link: Link[bytes], messages: Sequence[bytes]) -> None:
        flow = self._flows[id(link)][0]
        self._received([(flow, message) for message in messages])

    def _gone(self, link: Link[bytes], error: Exception | None) -> None:
        flow, _ = self._flows.pop(id(link), (None, None))
        if flow is not None:
            flow.open = False
            log.info("%s connection with %s:%d ended: %s", flow.kind, *flow.peer, error or "closed")
            self._lost(flow)


class _Refused(asyncio.Protocol):
    """One connection too many: closed as soon as it is there."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        log.warning("connection refused: too many")
        transport.close()
