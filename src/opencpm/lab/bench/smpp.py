"""Load over SMPP: an ESME that submits, an SMS centre that delivers. Blocking sockets, ready-made octets, no parser."""

from __future__ import annotations

import selectors
import socket
import struct
import time
from collections.abc import Sequence
from dataclasses import dataclass

from opencpm.lab.bench.load import STALL, Count, answer
from opencpm.lab.bench.wire import PATIENCE, LoadDevice, LoadError
from opencpm.protocols.smpp.binding import Bind
from opencpm.protocols.smpp.command import BINDS, RESPONSE, Command
from opencpm.protocols.smpp.framing import HEADER, FrameBuffer
from opencpm.protocols.smpp.pdu import Pdu, encode
from opencpm.protocols.smpp.short_message import ShortMessage, encode_short_message

TEXT = b"Are you coming to the concert on Friday? We meet at seven at the fountain."
_PHONES = 1000
_SEQUENCE = struct.Struct(">I")


class LoadPeer:
    """One connection. ``take`` gives whole PDUs and answers what only keeps the link alive."""

    def __init__(self, connected: socket.socket) -> None:
        self.socket = connected
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.settimeout(PATIENCE)
        self._frames = FrameBuffer()

    def close(self) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def take(self) -> list[bytes]:
        """The PDUs that are there, at least one; answers enquire_link by itself. :raises LoadError: closed."""
        data = self.socket.recv(1 << 18)
        if not data:
            raise LoadError("the server closed the SMPP connection")
        frames: list[bytes] = []
        self._frames.feed(data, frames)
        left = []
        for frame in frames:
            _, command, _, sequence = HEADER.unpack_from(frame)
            if command == Command.ENQUIRE_LINK:
                self.send(HEADER.pack(16, command | RESPONSE, 0, sequence))
            else:
                left.append(frame)
        return left

    def wait_for(self, *commands: int) -> tuple[int, int, int]:
        """Command, status and sequence number of the first PDU of these."""
        while True:
            for frame in self.take():
                _, command, status, sequence = HEADER.unpack_from(frame)
                if command in commands:
                    return command, status, sequence


class LoadEsme(LoadPeer):
    """Submits from its own number."""

    def __init__(self, user: str, password: str, number: str, where: tuple[str, int]) -> None:
        super().__init__(socket.create_connection(where, PATIENCE))
        self.send(encode(Bind(system_id=user, password=password).pdu(1)))
        _, status, _ = self.wait_for(RESPONSE | Command.BIND_TRANSCEIVER)
        if status:
            raise LoadError(f"the bind of {user} got {status:08X}")
        blank = ShortMessage(number, "@" * 11, TEXT)
        self._template = encode_short_message(Command.SUBMIT_SM, 0, blank)

    def submit(self, target: str, serial: int) -> bytes:
        """The submit_sm of a message; ``target`` has eleven digits, the sequence number is the serial one."""
        pdu = self._template.replace(b"@" * 11, target.encode())
        return pdu[:12] + _SEQUENCE.pack(serial) + pdu[16:]


class LoadCentre:
    """Listens for the server's link, then delivers texts of phones."""

    def __init__(self) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self._server.settimeout(30.0)
        self.port = int(self._server.getsockname()[1])
        self._peer: LoadPeer | None = None

    @property
    def peer(self) -> LoadPeer:
        assert self._peer is not None, "not bound"
        return self._peer

    def bound(self) -> None:
        """Wait for the server's bind and accept it. :raises OSError: it does not come."""
        connected, _ = self._server.accept()
        self._peer = LoadPeer(connected)
        command, _, sequence = self._peer.wait_for(*BINDS)
        self._peer.send(encode(Pdu(command | RESPONSE, 0, sequence, {"system_id": "load"})))

    def close(self) -> None:
        self._server.close()
        if self._peer is not None:
            self._peer.close()

    @staticmethod
    def deliver(target: str, serial: int) -> bytes:
        """The deliver_sm of a text to eleven digits."""
        phone = f"12025559{serial % _PHONES:03}"
        return encode_short_message(Command.DELIVER_SM, serial, ShortMessage(phone, target, TEXT))


@dataclass(slots=True, kw_only=True)
class SmppJob:
    """``peers`` share the messages; done when every one has its response and, with ``devices``, is at its device."""

    peers: Sequence[tuple[LoadPeer, Sequence[str]]]  # with the targets that take turns on it
    devices: Sequence[LoadDevice] = ()
    messages: int
    window: int
    first: int = 1


def carry_smpp(job: SmppJob) -> Count:
    """Run a job. :raises LoadError: a stall, or a refusal."""
    count = Count()
    with selectors.DefaultSelector() as selector:
        for peer, _ in job.peers:
            selector.register(peer.socket, selectors.EVENT_READ, peer)
        for device in job.devices:
            selector.register(device.socket, selectors.EVENT_READ, device)
        start = moved = time.monotonic()
        while count.accepted < job.messages or (job.devices and count.arrived < job.messages):
            _fill(job, count)
            ready = selector.select(0.5)
            for key, _ in ready:
                if isinstance(key.data, LoadDevice):
                    answer(key.data, count)
                else:
                    _responses(key.data, count)
            now = time.monotonic()
            if ready:
                moved = now
            elif now - moved > STALL:
                came = f"{count.sent} sent, {count.accepted} answered, {count.arrived} arrived"
                raise LoadError(f"no progress for {STALL:.0f} s: {came}")
        count.seconds = time.monotonic() - start
    return count


def _fill(job: SmppJob, count: Count) -> None:
    under_way = count.sent - (min(count.accepted, count.arrived) if job.devices else count.accepted)
    out: dict[LoadPeer, list[bytes]] = {}
    for number in range(count.sent, min(job.messages, count.sent + job.window - under_way)):
        peer, targets = job.peers[number % len(job.peers)]
        serial = job.first + number
        target = targets[number % len(targets)]
        pdu = peer.submit(target, serial) if isinstance(peer, LoadEsme) else LoadCentre.deliver(target, serial)
        out.setdefault(peer, []).append(pdu)
        count.began[_SEQUENCE.pack(serial)] = time.monotonic()
        count.sent += 1
    for peer, pdus in out.items():
        peer.send(b"".join(pdus))


def _responses(peer: LoadPeer, count: Count) -> None:
    now = time.monotonic()
    for frame in peer.take():
        _, command, status, sequence = HEADER.unpack_from(frame)
        if command not in (RESPONSE | Command.SUBMIT_SM, RESPONSE | Command.DELIVER_SM):
            continue
        if status:
            raise LoadError(f"refused with {status:08X}")
        count.accepted += 1
        began = count.began.pop(_SEQUENCE.pack(sequence), None)
        if began is not None:
            count.latencies.append(now - began)
