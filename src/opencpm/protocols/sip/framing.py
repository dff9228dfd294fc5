"""Cutting SIP messages out of a stream (RFC 3261 §18.3), with the keep-alives of RFC 5626 §3.5.1.

A double CRLF between messages is a ping and is answered by a single CRLF, the pong.
"""

from __future__ import annotations

import re

from opencpm.protocols.sip.errors import SipError
from opencpm.protocols.sip.message import MAX_HEAD, MAX_MESSAGE

PING = b"\r\n\r\n"
PONG = b"\r\n"

_LENGTH = re.compile(rb"\r\n(?:Content-Length|l)[ \t]*:[ \t]*([0-9]{1,9})[ \t]*\r\n", re.I)


class StreamFramer:
    """Bytes in, whole messages out. The bounds are octets."""

    def __init__(self, *, max_head: int = MAX_HEAD, max_message: int = MAX_MESSAGE) -> None:
        self._buffer = bytearray()
        self._need = 0  # octets that the message at the front takes, once known
        self._seen = 0  # octets searched for the end of the head
        self._max_head, self._max_message = max_head, max_message
        self.pings = 0
        """Pings seen since this was last set to 0: as many pongs are due."""

    @property
    def pending(self) -> bool:
        """Whether a message was begun and its end has not come; line ends begin none."""
        return len(self._buffer) > 3

    def receive(self, data: bytes) -> list[bytes]:
        """Take bytes, give the messages that are complete now.

        Raises SipError when the stream cannot be cut any more (no length, beyond the bounds): close it. Messages
        before the fault are lost with it, as they would be had it come a little earlier.
        """
        if not self._buffer and self._is_one_message(data):
            return [data]
        self._buffer += data
        messages: list[bytes] = []
        while True:
            if not self._need and not self._measure():
                return messages
            if len(self._buffer) < self._need:
                return messages
            messages.append(bytes(self._buffer[: self._need]))
            del self._buffer[: self._need]
            self._need = self._seen = 0

    def _is_one_message(self, data: bytes) -> bool:
        """The usual case, without a copy: these bytes are exactly one message."""
        head = data.find(PING)
        if head <= 0 or head > self._max_head or data[:2] == PONG:
            return False
        match = _LENGTH.search(data, 0, head + 2)
        return match is not None and head + 4 + int(match[1]) == len(data) <= self._max_message

    def _measure(self) -> bool:
        """Find out how long the first message is. False: more bytes are needed."""
        self._drop_line_ends()
        buffer = self._buffer
        head = buffer.find(PING, max(0, self._seen - 3), self._max_head)
        if head < 0:
            if len(buffer) >= self._max_head:
                raise SipError("headers too long", 513)
            self._seen = len(buffer)
            return False
        match = _LENGTH.search(buffer, 0, head + 2)
        if match is None:
            raise SipError("no Content-Length on a stream", 400)
        self._need = head + 4 + int(match[1])
        if self._need > self._max_message:
            raise SipError("message too long", 513)
        return True

    def _drop_line_ends(self) -> None:
        """Take keep-alives off the front; a lone CRLF waits, it may become a ping."""
        buffer = self._buffer
        while buffer[:2] == PONG:
            if buffer[:4] == PING:
                self.pings += 1
                del buffer[:4]
            elif len(buffer) > 3 or (len(buffer) == 3 and buffer[2:3] != b"\r"):
                del buffer[:2]
            else:
                return
