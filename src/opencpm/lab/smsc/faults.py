"""What can go wrong on demand."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Faults:
    """Switches, read at every submit. Counts go down by one with each submit they spoil."""

    throttle: int = 0  # so many submits get ESME_RTHROTTLED
    queue_full: int = 0  # so many get ESME_RMSGQFUL
    no_response: int = 0  # so many are taken and never answered
    delay: float = 0.0  # seconds before a response
    refused: dict[str, int] = field(default_factory=dict)  # number -> command_status of every submit to it
    undeliverable: set[str] = field(default_factory=set)  # numbers whose messages are taken, then reported UNDELIV
    refuse_bind: int = 0  # command_status of every bind

    def clear(self) -> None:
        """Everything works again."""
        self.throttle = self.queue_full = self.no_response = self.refuse_bind = 0
        self.delay = 0.0
        self.refused.clear()
        self.undeliverable.clear()
