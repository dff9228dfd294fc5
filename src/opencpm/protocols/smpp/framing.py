"""PDUs out of a byte stream (SMPP 3.4 §3.2)."""

from __future__ import annotations

import struct

from .errors import SmppError
from .status import RINVCMDLEN

HEADER = struct.Struct(">IIII")
"""command_length, command_id, command_status, sequence_number."""

MAX_PDU = 64 * 1024
_LENGTH = struct.Struct(">I")


class FrameBuffer:
    """Collects what TCP delivers and gives whole PDUs, headers included."""

    __slots__ = ("_max_pdu", "_rest")

    def __init__(self, max_pdu: int = MAX_PDU) -> None:
        self._rest = b""
        self._max_pdu = max_pdu

    def feed(self, data: bytes, frames: list[bytes]) -> None:
        """Append the complete PDUs to ``frames``.

        Raises SmppError for a command_length under 16 or over the limit (those before it are appended):
        nothing after it can be read any more.
        """
        if self._rest:
            data = self._rest + data
        self._rest = b""
        start, size = 0, len(data)
        while size - start >= 4:
            (length,) = _LENGTH.unpack_from(data, start)
            if not 16 <= length <= self._max_pdu:
                sequence = HEADER.unpack_from(data, start)[3] if size - start >= 16 else 0
                raise SmppError(f"command_length {length}", RINVCMDLEN, sequence)
            end = start + length
            if end > size:
                break
            frames.append(data[start:end])
            start = end
        self._rest = data[start:]
