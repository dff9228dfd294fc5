"""What was promised and what came of it, written down by those outside the server; and what does not agree."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from opencpm.protocols.gsm import udh
from opencpm.protocols.smpp.short_message import UDHI, decode_short_message

_KEY = re.compile(rb"#([a-z]\d+)#")


class Kept(NamedTuple):
    """A line of Alice's history."""

    direction: str
    message_id: str
    text: str


Seen = tuple[str, str]
"""A device and an imdn.Message-ID."""


@dataclass(slots=True)
class Ledger:
    """Texts are found by their key (``o17``), which stands in each segment of them as ``#o17#``."""

    kills: int = 0
    written: dict[str, str] = field(default_factory=dict)  # key -> text that Alice wrote, answered or not
    accepted: set[str] = field(default_factory=set)  # keys that the server answered with 202
    texted: dict[str, str] = field(default_factory=dict)  # key -> text that Bob's phone sent
    taken: set[str] = field(default_factory=set)  # keys of which every segment was answered with status 0
    segments: dict[tuple[str, int], set[bytes]] = field(default_factory=lambda: defaultdict(set))
    offered: Counter[tuple[str, int]] = field(default_factory=Counter)  # how often the SMSC delivered a segment
    shown: Counter[str] = field(default_factory=Counter)  # texts on Bob's phone
    heard: dict[Seen, set[tuple[str, str]]] = field(default_factory=lambda: defaultdict(set))  # -> (Call-ID, text)
    notified: dict[Seen, set[str]] = field(default_factory=lambda: defaultdict(set))  # "delivered" -> Call-IDs
    kept: list[Kept] = field(default_factory=list)

    def submitted(self, octets: bytes) -> None:
        """A submit_sm reached the SMSC."""
        key, number, content = _segment(octets)
        if key:
            self.segments[key, number].add(content)

    def delivered(self, octets: bytes) -> None:
        """A deliver_sm left the SMSC."""
        key, number, _ = _segment(octets)
        if key:
            self.offered[key, number] += 1

    # -- what does not agree -----------------------------------------------------------------------------------

    def missing(self) -> list[str]:
        """Promises that are not kept yet."""
        notified = {message_id for _, message_id in self.notified}
        heard = {text for texts in self.heard.values() for _, text in texts}
        return [
            *(f"{key} was accepted and is not on the phone" for key in self.accepted if not self._is_shown(key)),
            *(f"{key} was accepted and has no receipt" for key in self.accepted if key not in notified),
            *(f"{key} was taken and is on no device" for key in self.taken if self.texted[key] not in heard),
        ]

    def faults(self) -> list[str]:
        """Everything that must not be, once all is quiet and the history is read."""
        return [*self.missing(), *self._history(), *self._phone(), *self._devices()]

    def _is_shown(self, key: str) -> bool:
        return bool(self.shown[self.written[key]])

    def _history(self) -> Iterator[str]:
        sent = Counter(line.message_id for line in self.kept if line.direction == "sent")
        received = {line.text for line in self.kept if line.direction == "received"}
        yield from (f"{key} was accepted and is not in the history" for key in self.accepted if not sent[key])
        yield from (f"{key} is {times} times in the history" for key, times in sent.items() if times > 1)
        yield from (
            f"{key} was taken and is not in the history" for key in self.taken if self.texted[key] not in received
        )

    def _phone(self) -> Iterator[str]:
        known = set(self.written.values())
        yield from (f"the phone shows what nobody wrote: {text[:40]!r}" for text in self.shown if text not in known)
        for (key, number), forms in self.segments.items():
            if len(forms) > 1:
                yield f"segment {number} of {key} went out in {len(forms)} forms"
        for text, times in self.shown.items():
            if times > 1 + self.kills:
                yield f"the phone shows {text[:40]!r} {times} times after {self.kills} kills"

    def _devices(self) -> Iterator[str]:
        known = set(self.texted.values())
        ids: defaultdict[str, set[str]] = defaultdict(set)
        for (device, message_id), forms in self.heard.items():
            if len(forms) > 1:
                yield f"{message_id} came to {device} as {sorted(forms)}"
            for _, text in forms:
                ids[text].add(message_id)
                if text not in known:
                    yield f"{device} shows what nobody wrote: {text[:40]!r}"
        for (device, message_id), call_ids in self.notified.items():
            if len(call_ids) > 1:
                yield f"the receipt of {message_id} came to {device} with {len(call_ids)} Call-IDs"
        yield from self._doubled(ids)

    def _doubled(self, ids: dict[str, set[str]]) -> Iterator[str]:
        """A short message has no id of its own: what the SMSC delivered again may be stored again, and only that."""
        times: Counter[str] = Counter()
        for (key, _), count in self.offered.items():
            times[key] = max(times[key], count)
        for key, text in self.texted.items():
            if len(ids[text]) > times[key]:
                yield f"{key} was delivered {times[key]} times and became {len(ids[text])} messages"


def _segment(octets: bytes) -> tuple[str, int, bytes]:
    """Key, number and octets (with header) of a segment; no key for receipts."""
    short = decode_short_message(octets)
    content = short.message
    header = udh.split(content)[0] if short.esm_class & UDHI else udh.EMPTY
    found = _KEY.search(content)
    return (found[1].decode() if found else ""), (header.concat.number if header.concat else 1), content
