"""What went over the lab's wires: the evidence that tests and the demo show."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from opencpm.protocols.ymsg.packet import Packet, decoded
from opencpm.protocols.ymsg.services import Service

MAX_LINES = 10_000
_SECRET = frozenset({6, 96, 307, 277, 278, 59})
_SHOWN = 60  # characters of a value


@dataclass(frozen=True, slots=True)
class Line:
    """One packet (or web request) as it was on the wire. `direction` is `C` (to the service) or `S` (from it), `at`
    epoch seconds, `text` for people, without secrets."""

    at: float
    connection: str  # "YMSG 3", "HTTP 2"
    user: str  # empty until the connection said whose it is
    direction: str
    name: str  # of the service: "MESSAGE"
    text: str
    packet: Packet | None = None


Heard = Callable[[Line], None]


class PacketLog:
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

    def of(self, name: str, *, direction: str = "", user: str = "") -> list[Line]:
        """The lines of one service, narrowed to a direction and a user."""
        return [
            line
            for line in self._lines
            if line.name == name and line.direction.startswith(direction) and line.user.startswith(user)
        ]


def name_of(service: int) -> str:
    """The name of a service, or its number."""
    return Service(service).name if service in Service.__members__.values() else f"{service:#x}"


def shown(packet: Packet) -> str:
    """A packet for people, without the secrets it may carry."""
    pairs = [f"{key}={'<secret>' if key in _SECRET else _short(decoded(value))}" for key, value in packet.pairs]
    status = packet.status - (1 << 32) if packet.status >> 31 else packet.status
    return " ".join([name_of(packet.service), f"({status})", *pairs])


def _short(value: str) -> str:
    line = value.replace("\n", "\\n").replace("\t", "\\t")
    return line if len(line) <= _SHOWN else f"{line[:_SHOWN]}…"
