"""Segments of incoming long messages, kept durably until the whole is there. Where they are kept is an argument.

Each segment is answered once it is stored by itself: an SMSC with a window of one sends the next only
then. The message's id is derived from when its first segment came, so that after a crash the same segments
make the same message.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from hashlib import blake2b
from typing import NamedTuple, Protocol

from .reassembly import Assembled, Key, Reassembler
from .udh import Concat, Header

log = logging.getLogger("opencpm.gsm")

Answer = Callable[[int], None]
"""Answers the peer about a segment: 0 is well, anything else is the peer's own code."""


class Memory(Protocol):
    """Durable values by room and key; ``done`` is called once a value is safe."""

    def put_state(self, room: str, key: str, value: bytes | None, done: Callable[[], None] | None = None) -> None: ...

    def all_state(self, room: str) -> Mapping[str, bytes]: ...


class Arrived(NamedTuple):
    """What is known about a segment beside its content. ``answer`` is None once it was answered."""

    account: str
    state_key: str
    started: float  # when the first segment of its set came
    data_coding: int
    single_shift: int
    locking_shift: int
    source: tuple[int, int, str]
    destination: tuple[int, int, str]
    answer: Answer | None = None
    note: str = ""  # what the caller wants back with the message; kept with the segment


class Whole(NamedTuple):
    """A message put together (or given up): content by segment, None where one is missing."""

    message_id: str
    parts: tuple[bytes | None, ...]
    first: Arrived
    late: bool
    answers: tuple[Answer, ...]  # segments that are answered with the whole
    state_keys: tuple[str, ...]  # to forget once the whole is stored
    notes: tuple[str, ...] = ()  # of the segments in the order they came, repeated ones included

    @property
    def header(self) -> Header:
        return Header(single_shift=self.first.single_shift, locking_shift=self.first.locking_shift)


class Segments:
    """The durable side of reassembly; time (seconds since the epoch) is an argument."""

    def __init__(self, state: Memory, room: str, timeout: float) -> None:
        self._state, self._room = state, room
        self._sets: Reassembler[Arrived] = Reassembler(timeout)
        self._started: dict[Key, float] = {}
        self._notes: dict[Key, str] = {}  # of the first segment of each open set

    def __len__(self) -> int:
        return len(self._sets)

    def restore(self, now: float) -> list[Whole]:
        """What an earlier life of the server had stored."""
        wholes: list[Whole] = []
        for state_key, value in self._state.all_state(self._room).items():
            try:
                key, number, content, arrived = _load(state_key, value)
            except (ValueError, KeyError, TypeError, IndexError):
                log.error("a stored segment cannot be read and is dropped: %s", state_key)
                self._state.put_state(self._room, state_key, None)
                continue
            self._started.setdefault(key, arrived.started)
            self._notes.setdefault(key, arrived.note)
            wholes += self._wholes(self._sets.add(key, number, content, arrived, now))
        return wholes

    def note_of(self, key: Key) -> str:
        """The note that the first segment of an open set came with; empty where there is no such set."""
        return self._notes.get(key, "")

    def add(self, key: Key, concat: Concat, content: bytes, arrived: Arrived, now: float) -> list[Whole]:
        """Take a segment. It is stored and answered by itself unless it completes the message."""
        started = self._started.setdefault(key, now)
        self._notes.setdefault(key, arrived.note)
        state_key = _state_key(key, started, concat.number, content)
        arrived = arrived._replace(state_key=state_key, started=started)
        assembled = self._sets.add(key, concat.number, content, arrived, now)
        done = any(arrived in each.tags for each in assembled)
        wholes = self._wholes(assembled)
        if not done:
            self._started.setdefault(key, now)  # a reused reference began a new set
            self._notes.setdefault(key, arrived.note)
            self._store(key, concat.number, content, arrived)
        return wholes

    def expire(self, now: float) -> list[Whole]:
        """Messages whose missing segments are no longer waited for."""
        return self._wholes(self._sets.expire(now))

    def forget(self, whole: Whole) -> None:
        """The whole is stored: its segments need not be kept."""
        for state_key in whole.state_keys:
            self._state.put_state(self._room, state_key, None)

    def _store(self, key: Key, number: int, content: bytes, arrived: Arrived) -> None:
        answer = arrived.answer
        value = _dump(key, number, content, arrived)
        self._state.put_state(self._room, arrived.state_key, value, (lambda: answer(0)) if answer else None)

    def _wholes(self, assembled: list[Assembled[Arrived]]) -> list[Whole]:
        return [self._whole(each) for each in assembled]

    def _whole(self, assembled: Assembled[Arrived]) -> Whole:
        if not assembled.late:
            self._started.pop(assembled.key, None)
            self._notes.pop(assembled.key, None)
        tags = assembled.tags
        last = tags[-1]
        named = f"{assembled.key}|{max(tag.started for tag in tags):.3f}".encode()
        if assembled.late or not assembled.complete:  # what is left of a set is another message than the whole
            named += b"".join(part or b"" for part in assembled.parts)
        return Whole(
            blake2b(named, digest_size=12).hexdigest(),
            assembled.parts,
            tags[0],
            assembled.late,
            (last.answer,) if last.answer is not None and assembled.complete else (),
            tuple(dict.fromkeys(tag.state_key for tag in tags)),
            tuple([tag.note for tag in tags]),
        )


def _state_key(key: Key, started: float, number: int, content: bytes) -> str:
    return blake2b(f"{key}|{started:.3f}|{number}".encode() + content, digest_size=12).hexdigest()


def _dump(key: Key, number: int, content: bytes, arrived: Arrived) -> bytes:
    shifts = (arrived.data_coding, arrived.single_shift, arrived.locking_shift)
    fields = {
        "v": 1,
        "key": list(key),
        "number": number,
        "content": content.hex(),
        "started": arrived.started,
        "coding": shifts,
        "source": arrived.source,
        "destination": arrived.destination,
        "note": arrived.note,
    }
    return json.dumps(fields).encode()


def _load(state_key: str, value: bytes) -> tuple[Key, int, bytes, Arrived]:
    fields = json.loads(value)
    coding, single, locking = fields["coding"]
    source, destination = fields["source"], fields["destination"]
    key = Key(*fields["key"])
    arrived = Arrived(
        key.account,
        state_key,
        float(fields["started"]),
        int(coding),
        int(single),
        int(locking),
        (int(source[0]), int(source[1]), str(source[2])),
        (int(destination[0]), int(destination[1]), str(destination[2])),
        note=str(fields.get("note", "")),
    )
    return key, int(fields["number"]), bytes.fromhex(fields["content"]), arrived
