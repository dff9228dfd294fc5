"""Whether the peer is still there: enquire_link when it is quiet (SMPP 3.4 §7.2)."""

from __future__ import annotations

from enum import Enum

MAX_MISSED = 2


class Verdict(Enum):
    """What is due: nothing, another enquire_link, or giving the session up."""

    FINE = "fine"
    ASK = "ask"
    DEAD = "dead"


class KeepAlive:
    """``quiet`` seconds without a PDU call for an enquire_link (0: never), which has ``patience`` seconds;
    the second one missed in a row means the peer is gone. Any PDU is a sign of life.

    Real traffic shows a half-open connection sooner: a request after which nothing is heard for ``patience`` seconds
    calls for an enquire_link as well.
    """

    __slots__ = ("_asked_at", "_heard_at", "_missed", "_patience", "_quiet", "_spoke_at", "sequence")

    def __init__(self, quiet: float, patience: float, now: float) -> None:
        self._quiet, self._patience = quiet, patience
        self._heard_at = now
        self._asked_at: float | None = None
        self._spoke_at: float | None = None  # when the first request since then went out
        self._missed = 0
        self.sequence = 0  # of the enquire_link sent last

    def agree(self, quiet: float, patience: float) -> None:
        """Other terms from now on: the peer has said who it is."""
        self._quiet, self._patience = quiet, patience

    def heard(self, now: float) -> None:
        """A PDU came."""
        self._heard_at = now
        self._asked_at = self._spoke_at = None
        self._missed = 0

    def spoke(self, now: float) -> None:
        """A request went out that wants an answer."""
        if self._spoke_at is None:
            self._spoke_at = now

    def silent_since(self, moment: float) -> bool:
        """Whether nothing was heard since then."""
        return self._heard_at <= moment

    def asked(self, sequence: int, now: float) -> None:
        """An enquire_link went out."""
        self.sequence, self._asked_at = sequence, now

    def due(self) -> float | None:
        """When to judge again."""
        if not self._quiet:
            return None
        if self._asked_at is not None:
            return self._asked_at + self._patience
        due = self._heard_at + self._quiet
        return due if self._spoke_at is None else min(due, self._spoke_at + self._patience)

    def judge(self, now: float) -> Verdict:
        """What is to be done at ``now``."""
        due = self.due()
        if due is None or now < due:
            return Verdict.FINE
        if self._asked_at is not None:
            self._missed += 1
        return Verdict.DEAD if self._missed >= MAX_MISSED else Verdict.ASK
