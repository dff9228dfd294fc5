"""What went over the lab's wires: the evidence that tests and the demo show."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from opencpm.protocols.msnp.framing import Frame

MAX_LINES = 10_000


@dataclass(frozen=True, slots=True)
class Line:
    """One command as it was on the wire. `direction` is `C` (to the service) or `S` (from it), `at` epoch seconds."""

    at: float
    connection: str  # "NS 3", "SB 1", "HTTP 2"
    account: str  # empty until the connection said whose it is
    direction: str
    verb: str
    text: str
    payload: bytes | None = None


Heard = Callable[[Line], None]


class CommandLog:
    """The last lines, and those who want to see each new one."""

    def __init__(self) -> None:
        self._lines: deque[Line] = deque(maxlen=MAX_LINES)
        self._listeners: list[Heard] = []

    def add(self, line: Line) -> None:
        self._lines.append(line)
        for heard in tuple(self._listeners):
            heard(line)

    def subscribe(self, heard: Heard) -> Callable[[], None]:
        """Call `heard` with every new line; returns what ends it."""
        self._listeners.append(heard)
        return lambda: self._listeners.remove(heard) if heard in self._listeners else None

    def __iter__(self) -> Iterator[Line]:
        return iter(tuple(self._lines))

    def __len__(self) -> int:
        return len(self._lines)

    def of(self, verb: str, *, direction: str = "", account: str = "", connection: str = "") -> list[Line]:
        """The lines of one verb, narrowed to a direction, an account and a kind of connection (`SB`)."""
        return [
            line
            for line in self._lines
            if line.verb == verb
            and line.direction.startswith(direction)
            and line.account.startswith(account)
            and line.connection.startswith(connection)
        ]


def shown(frame: Frame) -> str:
    """The command line without the secrets it may carry."""
    args = list(frame.args)
    if frame.verb == "USR" and args[2:3] == ["S"] and args[1] in ("TWN", "SSO", "MD5") and len(args) > 3:
        if args[1] == "SSO" and len(args) > 4 and args[3] != "MBI_KEY_OLD":
            args[3:5] = ["<token>", "<response>"]
        elif args[1] != "SSO" and not args[3].startswith("ct="):
            args[3] = "<ticket>"
    return " ".join([frame.verb, *args])
