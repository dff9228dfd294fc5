"""The one error that everything in this folder raises."""

from __future__ import annotations


class XmppError(ValueError):
    """Not a stream, a stanza or an address that may be accepted; the text says why and quotes no content.

    ``condition`` is the stream error (RFC 6120 §4.9.3) that the other side may be told.
    """

    def __init__(self, text: str, condition: str = "bad-format") -> None:
        super().__init__(text)
        self.condition = condition
