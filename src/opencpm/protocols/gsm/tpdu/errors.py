"""The one error of this room."""

from __future__ import annotations


class TpduError(ValueError):
    """Octets that are no TPDU, or values that fit none. ``cause`` is the TP-FCS to refuse them with (§9.2.3.22)."""

    def __init__(self, text: str, cause: int = 0xFF) -> None:
        super().__init__(text)
        self.cause = cause
