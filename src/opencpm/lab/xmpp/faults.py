"""What can go wrong on demand."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Faults:
    """Switches, read at every stanza. Counts go down by one with each use."""

    stream_error: str = ""  # condition of the stream error that answers every handshake
    silent: bool = False  # takes what comes and says nothing: no routing, no answer
    drop_after: int = 0  # the connection breaks before the so-many-th stanza is routed
    errors: dict[str, str] = field(default_factory=dict)  # bare address -> condition of the error for every message
    late_errors: bool = False  # errors are held back until `LabXmpp.release`
    slow_handshake: bool = False  # the header is answered, the handshake never

    def clear(self) -> None:
        """Everything works again."""
        self.stream_error = ""
        self.silent = self.late_errors = self.slow_handshake = False
        self.drop_after = 0
        self.errors.clear()
