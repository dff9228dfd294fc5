"""The one error of these codecs."""

from __future__ import annotations


class UcpError(ValueError):
    """A frame or field that is not UCP. ``ec`` is the error code to answer with; ``trn`` and ``ot`` name the
    operation where they could be read (None: nothing can be answered).
    """

    def __init__(self, message: str, ec: int = 2, trn: int | None = None, ot: int | None = None) -> None:
        super().__init__(message)
        self.ec, self.trn, self.ot = ec, trn, ot
