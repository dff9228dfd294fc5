"""The one error of this package's parsers."""

from __future__ import annotations


class SmppError(ValueError):
    """Octets that are no valid PDU. ``status`` is the command_status to answer with, ``sequence`` whose
    PDU it was.
    """

    def __init__(self, text: str, status: int = 0x02, sequence: int = 0) -> None:
        super().__init__(text)
        self.status = status
        self.sequence = sequence
