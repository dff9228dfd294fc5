"""Segments of long messages kept until the whole is there (3GPP TS 23.040 §9.2.3.24.1). Pure: time is an
argument.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, TypeVar

from .udh import Concat

Tag = TypeVar("Tag")

_LATE = 12  # time-outs for which a message given up is remembered


class Key(NamedTuple):
    """What segments of one message share; ``account`` tells the links of the operator apart."""

    account: str
    originator: str
    destination: str
    reference: int
    bits: int
    total: int

    @classmethod
    def of(cls, account: str, originator: str, destination: str, concat: Concat) -> Key:
        return cls(account, originator, destination, concat.reference, concat.bits, concat.total)


class Assembled(NamedTuple, Generic[Tag]):
    """A message to deliver: content by number, None where a segment is missing, and what came with the
    segments.

    ``late`` marks a segment that came after its message was given up and delivered incomplete.
    """

    key: Key
    parts: tuple[bytes | None, ...]
    tags: tuple[Tag, ...]
    late: bool = False

    @property
    def complete(self) -> bool:
        return None not in self.parts


@dataclass(slots=True)
class _Set(Generic[Tag]):
    first: float
    last: float
    parts: dict[int, bytes] = field(default_factory=dict)
    tags: list[Tag] = field(default_factory=list)


class Reassembler(Generic[Tag]):
    """Open sets of segments. A tag is what the caller wants back with the message, such as whom to answer.

    ``timeout`` counts seconds from the last new segment, ``lifetime`` from the first; at most ``per_pair``
    sets are open between two numbers and ``limit`` in all (the oldest is given up early). What is given up
    comes out incomplete.
    """

    def __init__(
        self, timeout: float = 300.0, lifetime: float = 86400.0, per_pair: int = 200, limit: int = 20000
    ) -> None:
        self._timeout = timeout
        self._lifetime = lifetime
        self._per_pair = per_pair
        self._limit = limit
        self._open: dict[Key, _Set[Tag]] = {}
        self._pairs: Counter[tuple[str, str, str]] = Counter()
        self._given_up: dict[Key, tuple[float, frozenset[int]]] = {}

    def __len__(self) -> int:
        return len(self._open)

    def add(self, key: Key, number: int, content: bytes, tag: Tag, now: float) -> list[Assembled[Tag]]:
        """Take one segment; the messages that this completes or gives up.

        A repeated segment with the same content only adds its tag; with other content the reference is
        being used again: what is there comes out and a new set begins.
        """
        out = []
        late = self._late(key, number, content, tag, now)
        if late is not None:
            return [late]
        opened = self._open.get(key)
        if opened is not None and opened.parts.get(number, content) != content:
            out.append(self._close(key))
            opened = None
        if opened is None:
            out.extend(self._make_room(key))
            opened = self._open[key] = _Set(now, now)
            self._pairs[key[:3]] += 1
        opened.tags.append(tag)
        if number not in opened.parts:
            opened.parts[number] = content
            opened.last = now
        if len(opened.parts) == key.total:
            out.append(self._close(key))
        return out

    def expire(self, now: float) -> list[Assembled[Tag]]:
        """The messages whose missing segments are no longer waited for."""
        over = [
            key
            for key, opened in self._open.items()
            if now >= opened.last + self._timeout or now >= opened.first + self._lifetime
        ]
        self._given_up = {key: kept for key, kept in self._given_up.items() if kept[0] > now}
        return [self._give_up(key, now) for key in over]

    def deadline(self) -> float | None:
        """When :meth:`expire` has something to do, seconds; None if never."""
        return min(map(self._deadline, self._open.values()), default=None)

    def _deadline(self, opened: _Set[Tag]) -> float:
        return min(opened.last + self._timeout, opened.first + self._lifetime)

    def _late(self, key: Key, number: int, content: bytes, tag: Tag, now: float) -> Assembled[Tag] | None:
        until, had = self._given_up.get(key, (0.0, frozenset[int]()))
        if until <= now or number in had or key in self._open:  # a known number again: the reference is reused
            return None
        self._given_up[key] = (until, had | {number})
        return Assembled(key, (content,), (tag,), late=True)

    def _give_up(self, key: Key, now: float) -> Assembled[Tag]:
        self._given_up[key] = (now + _LATE * self._timeout, frozenset(self._open[key].parts))
        if len(self._given_up) > self._limit:
            del self._given_up[next(iter(self._given_up))]
        return self._close(key)

    def _close(self, key: Key) -> Assembled[Tag]:
        opened = self._open.pop(key)
        pair = key[:3]
        self._pairs[pair] -= 1
        if not self._pairs[pair]:
            del self._pairs[pair]
        parts = tuple(opened.parts.get(number) for number in range(1, key.total + 1))
        return Assembled(key, parts, tuple(opened.tags))

    def _make_room(self, key: Key) -> Iterator[Assembled[Tag]]:
        if self._pairs[key[:3]] >= self._per_pair:
            yield self._close(next(other for other in self._open if other[:3] == key[:3]))
        if len(self._open) >= self._limit:
            yield self._close(next(iter(self._open)))
