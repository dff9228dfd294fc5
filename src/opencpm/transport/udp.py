"""UDP without a protocol object per datagram: one non-blocking socket, drained in batches (RFC 3261 §18)."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import sys
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence

from opencpm.transport.flow import Address, Flow

log = logging.getLogger("opencpm.transport")

BATCH = 256
"""Datagrams taken in one loop turn, so that a flood leaves time for what they cause."""
RECEIVE_BUFFER = 8 << 20
SEND_BUFFER = 4 << 20
MAX_DATAGRAM = 65_535
MAX_FLOWS = 65_536
MAX_QUEUED = 20_000
"""Datagrams that wait for a full send buffer; beyond it the oldest are lost, as UDP may."""

Received = Callable[[Sequence[tuple[Flow, bytes]]], None]


class UdpListener:
    """One bound socket. `received` gets every batch of (flow, datagram); keep-alives of CRLFs are dropped."""

    def __init__(self, sock: socket.socket, received: Received) -> None:
        self._loop = asyncio.get_running_loop()
        self._sock, self._received = sock, received
        self._buffer = bytearray(MAX_DATAGRAM)
        self._view = memoryview(self._buffer)
        self._flows: OrderedDict[Address, Flow] = OrderedDict()
        self._queue: deque[tuple[bytes, Address]] = deque(maxlen=MAX_QUEUED)
        self.address: Address = sock.getsockname()[:2]
        self._loop.add_reader(sock.fileno(), self._drain)

    def flow_to(self, peer: Address) -> Flow:
        """The flow to a peer, known or new."""
        flow = self._flows.get(peer)
        if flow is None:
            key = f"udp:{self.address[1]}:{peer[0]}:{peer[1]}"
            flow = Flow(key, "UDP", peer, self.address, lambda data: self._send(data, peer))
            self._flows[peer] = flow
            if len(self._flows) > MAX_FLOWS:
                self._flows.popitem(last=False)
        return flow

    def close(self) -> None:
        self._loop.remove_reader(self._sock.fileno())
        self._loop.remove_writer(self._sock.fileno())
        for flow in self._flows.values():
            flow.open = False
        self._sock.close()

    def _drain(self) -> None:
        batch: list[tuple[Flow, bytes]] = []
        receive, view = self._sock.recvfrom_into, self._view
        flows = self._flows
        for _ in range(BATCH):
            try:
                size, peer = receive(view)
            except (BlockingIOError, InterruptedError):
                break
            except OSError as error:  # an ICMP error for something sent earlier
                log.debug("UDP receive: %s", error)
                continue
            if size > 4:
                peer = peer[:2]
                batch.append((flows.get(peer) or self.flow_to(peer), bytes(view[:size])))
        if batch:
            self._received(batch)

    def _send(self, data: bytes, peer: Address) -> None:
        if not self._queue:
            try:
                self._sock.sendto(data, peer)
                return
            except (BlockingIOError, InterruptedError):
                self._loop.add_writer(self._sock.fileno(), self._flush)
            except OSError as error:  # too long, no route: as lost as any datagram may be
                log.warning("UDP to %s:%d: %s", *peer, error)
                return
        self._queue.append((data, peer))

    def _flush(self) -> None:
        while self._queue:
            data, peer = self._queue[0]
            try:
                self._sock.sendto(data, peer)
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:
                log.warning("UDP to %s:%d: %s", *peer, error)
            self._queue.popleft()
        self._loop.remove_writer(self._sock.fileno())


def _ask_for_room(sock: socket.socket) -> None:
    """A large receive buffer: beyond the system's limit where we may (CAP_NET_ADMIN), else as far as it allows."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
    force = getattr(socket, "SO_RCVBUFFORCE", 33 if sys.platform == "linux" else None)
    if force is not None:
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, force, RECEIVE_BUFFER)


def bind_udp(host: str, port: int, received: Received) -> UdpListener:
    """Bind a socket with large buffers. Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_DGRAM)
    try:
        sock.setblocking(False)
        _ask_for_room(sock)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        sock.bind((host, port))
    except OSError:
        sock.close()
        raise
    return UdpListener(sock, received)
