"""What can go wrong on the lines, on demand."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Faults:
    """Switches, read as sound passes. Counts go down by one with each thing they spoil."""

    noise: float = 0.0  # root mean square of white noise on every line, in 16-bit terms
    lose: float = 0.0  # share of the packets that are lost, both ways
    spoil_heard: int = 0  # so many frames lose 20 ms on their way to the line
    spoil_said: int = 0  # so many frames lose 20 ms on their way from the line
    refuse: int = 0  # so many messages are refused
    cause: int = 0xD3  # with this TP-FCS: memory full
    hang_up: int = 0  # so many times a line hangs up instead of acknowledging
    busy: set[str] = field(default_factory=set)  # lines that are
    no_answer: set[str] = field(default_factory=set)  # lines that ring and are not answered
    gateway: int = 0  # SIP status with which the gateway refuses every call

    def clear(self) -> None:
        """Everything works again."""
        fresh = Faults()
        for name in self.__slots__:
            setattr(self, name, getattr(fresh, name))
