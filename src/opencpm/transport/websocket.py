"""SIP over WebSocket, server side (RFC 7118), as a machine for `link`: one message per text or binary message."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import CONNECTING, OPEN
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from opencpm.transport.flow import DEFAULT_LIMITS, Limits

_SILENT = logging.getLogger("opencpm.transport.websocket")
_SILENT.addHandler(logging.NullHandler())
_SILENT.propagate = False

_SIP = Subprotocol("sip")


class WebSocketMachine:
    """The handshake with sub-protocol "sip" (a client without it is refused), then messages as bytes."""

    def __init__(self, now: float, limits: Limits = DEFAULT_LIMITS) -> None:
        self._protocol = ServerProtocol(
            subprotocols=[_SIP],
            max_size=limits.message,
            logger=_SILENT,
        )
        self._limits = limits
        self._deadline = now + limits.handshake
        self._parts: list[bytes] = []
        self._size = 0
        self._ended = False

    def send(self, data: bytes) -> None:
        """Queue one SIP message as a text message (RFC 7118 §4.2: text unless the body is no UTF-8)."""
        if self._protocol.state is not OPEN:
            return
        try:
            data.decode()
            self._protocol.send_text(data)
        except UnicodeDecodeError:
            self._protocol.send_binary(data)

    def receive(self, data: bytes, now: float) -> Sequence[bytes]:
        if self._protocol.state is not CONNECTING:  # a handshake that trickles in gets no longer time
            self._deadline = now + self._limits.idle
        self._protocol.receive_data(data)
        messages: list[bytes] = []
        for event in self._protocol.events_received():
            if isinstance(event, Request):
                if self._protocol.eof_sent:  # what came with the request was no frame: it is over already
                    break
                self._protocol.send_response(self._protocol.accept(event))
                self._deadline = now + self._limits.idle
            elif isinstance(event, Frame):
                self._frame(event, messages)
        return messages

    def _frame(self, frame: Frame, messages: list[bytes]) -> None:
        if frame.opcode not in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
            return
        self._size += len(frame.data)
        if self._size > self._limits.message:
            self._protocol.fail(1009, "message too big")
            return
        self._parts.append(bytes(frame.data))
        if frame.fin:
            message = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
            self._parts, self._size = [], 0
            if message.strip(b"\r\n"):  # CRLFs are keep-alives (RFC 7118 §6)
                messages.append(message)

    def poll(self, now: float) -> Sequence[bytes]:
        self._ended = self._ended or now >= self._deadline
        return ()

    def next_timeout(self) -> float | None:
        return self._deadline

    def take(self) -> bytes:
        chunks = self._protocol.data_to_send()
        if chunks and not chunks[-1]:  # the protocol's way of saying: half-close
            self._ended = True
        return b"".join(chunks)

    def closing(self) -> bool:
        return self._ended
