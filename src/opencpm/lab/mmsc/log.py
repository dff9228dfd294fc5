"""What went over the lab's wires, operation by operation: the evidence that tests and stories show."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass, is_dataclass
from typing import Any

from opencpm.protocols import mm7
from opencpm.protocols.mime import MimeError, media_type
from opencpm.protocols.mm7.operations import Operation, name_of
from opencpm.protocols.mms.content import flatten

MAX_LINES = 2000


@dataclass(frozen=True, slots=True)
class Line:
    """One message as it was on the wire. ``direction``: ``C`` from the service, ``S`` to it; ``at`` epoch seconds;
    ``http``: the status, of answers."""

    at: float
    direction: str
    name: str
    content_type: str
    body: bytes
    http: int = 0

    @property
    def message(self) -> mm7.Message | None:
        """What it says; None for what is no MM7."""
        try:
            return mm7.decode(self.content_type, self.body)
        except mm7.Mm7Error:
            return None

    def decoded(self) -> dict[str, Any]:
        """JSON-able: operation, ids, release, the elements that are there, and what the content consists of."""
        head: dict[str, Any] = {"operation": self.name}
        if self.http:
            head["http"] = self.http
        message = self.message
        if message is None:
            return head
        head |= {"transaction": message.transaction_id, "release": message.release.namespace.rpartition("/")[2]}
        return head | _elements(message.operation) | _content(message)


def _elements(operation: Operation) -> dict[str, Any]:
    values = asdict(operation) if is_dataclass(operation) else {}
    return {name: _plain(value) for name, value in values.items() if value not in (None, "", ())}


def _plain(value: Any) -> Any:
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return {name: _plain(one) for name, one in value._asdict().items() if one not in (None, "", (), False)}
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return value


def _content(message: mm7.Message) -> dict[str, Any]:
    if message.content is None:
        return {}
    try:
        parts = flatten(message.content)
    except MimeError:
        return {"parts": "unreadable"}
    return {"parts": [f"{media_type(part.content_type)}, {len(part.body)} octets" for part in parts]}


class Log:
    """The last lines."""

    def __init__(self) -> None:
        self._lines: deque[Line] = deque(maxlen=MAX_LINES)

    def add(self, line: Line) -> None:
        self._lines.append(line)

    def of(self, name: str) -> list[Line]:
        """All lines of one operation: ``SubmitReq``."""
        return [line for line in self._lines if line.name == name]

    def __iter__(self) -> Iterator[Line]:
        return iter(tuple(self._lines))

    def __len__(self) -> int:
        return len(self._lines)


def named(content_type: str, body: bytes) -> str:
    """The name of the operation in a body; "?" for none."""
    try:
        return name_of(mm7.decode(content_type, body).operation)
    except mm7.Mm7Error:
        return "?"
