"""The one error that the SIP codecs raise."""

from __future__ import annotations


class SipError(ValueError):
    """What was received is not the SIP it claims to be. `status` is the answer it deserves (RFC 3261 §21.4)."""

    def __init__(self, text: str, status: int = 400) -> None:
        super().__init__(text)
        self.status = status
