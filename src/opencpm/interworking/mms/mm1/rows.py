"""What this centre remembers, durably: messages that wait to be fetched, and messages that phones sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A delivery for a phone, by the unguessable name under which it is fetched, which is its transaction, too.

    ``notified`` counts notifications, ``again`` is when the next one is due (0: none). ``fetched``: the phone has had
    the content; ``over``: what became of it is told, it may only be fetched again and be read. ``message_id`` is ours,
    of the stored message.
    """

    delivery_id: str
    message_id: str
    target: str
    source: str
    until: float
    again: float = 0.0
    notified: int = 1
    fetched: bool = False
    over: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A message of a phone, by our message id. ``receivers``: our address -> as the phone wrote it."""

    at: float
    number: str
    receivers: Mapping[str, str] = field(default_factory=dict)
