"""What can go wrong on demand."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Faults:
    """Switches, read at every submit. Counts go down by one with each submit they spoil."""

    denied: int = 0  # so many submits get EC 04, operation not allowed
    ec: dict[str, int] = field(default_factory=dict)  # number -> EC of every submit to it
    once: list[int] = field(default_factory=list)  # EC of the next submits, one each
    no_result: int = 0  # so many are taken and never answered
    nameless: int = 0  # so many are accepted without recipient and time
    undeliverable: dict[str, str] = field(default_factory=dict)  # number -> Rsn of the notification
    early: bool = False  # notifications go out before the result
    refuse_login: int = 0  # EC of every login

    def clear(self) -> None:
        """Everything works again."""
        self.denied = self.no_result = self.nameless = self.refuse_login = 0
        self.early = False
        self.ec.clear()
        self.once.clear()
        self.undeliverable.clear()
