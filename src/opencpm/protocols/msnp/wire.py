"""What both client machines need: transaction ids, the commands that wait for an answer, octets to send."""

from typing import NamedTuple

from opencpm.protocols.msnp.errors import MsnpError
from opencpm.protocols.msnp.framing import Frame, FrameReader, Sender, encode

MAX_PENDING = 512


class Pending(NamedTuple):
    """A command without its answer: what it was, whom it was about, until when (seconds) it may wait."""

    verb: str
    subject: str
    deadline: float


class Wire:
    """The octets of one client connection. Raises MsnpError for fields that cannot be sent."""

    def __init__(self) -> None:
        self._reader = FrameReader(Sender.SERVER)
        self._out = bytearray()
        self._trid = 0
        self.pending: dict[int, Pending] = {}

    def read(self, data: bytes) -> list[Frame]:
        """Cut received octets into frames. Raises MsnpError."""
        return self._reader.feed(data)

    def ask(self, verb: str, *args: str | int, deadline: float, subject: str = "", payload: bytes | None = None) -> int:
        """Send a command that is answered; return its transaction id."""
        if len(self.pending) >= MAX_PENDING:
            raise MsnpError("too many commands without an answer")
        trid = self.tell(verb, *args, payload=payload)
        self.pending[trid] = Pending(verb, subject, deadline)
        return trid

    def tell(self, verb: str, *args: str | int, payload: bytes | None = None) -> int:
        """Send a command whose answer does not matter; return its transaction id."""
        octets = encode(verb, self._trid + 1, *args, payload=payload)
        self._trid += 1
        self._out += octets
        return self._trid

    def bare(self, verb: str) -> None:
        """Send PNG or OUT, which have no transaction id."""
        self._out += encode(verb)

    def answered(self, trid: int) -> Pending | None:
        """Take the command that this answer belongs to off the list."""
        return self.pending.pop(trid, None)

    def overdue(self, now: float) -> list[tuple[int, Pending]]:
        """Take off the list, and return, what waited beyond its deadline."""
        late = [(trid, item) for trid, item in self.pending.items() if item.deadline <= now]
        for trid, _ in late:
            del self.pending[trid]
        return late

    def next_deadline(self) -> float | None:
        """The earliest deadline, None when nothing waits."""
        return min((item.deadline for item in self.pending.values()), default=None)

    def take(self) -> bytes:
        """The octets to write now; they are handed out once."""
        data = bytes(self._out)
        self._out.clear()
        return data


def earliest(*times: float | None) -> float | None:
    """The first of several moments, None when none is set."""
    return min((moment for moment in times if moment is not None), default=None)
