"""A registered device: one binding of an address of record to a contact and the flow that leads to it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

from opencpm.protocols.sip.features import Features, features_of, services_of
from opencpm.protocols.sip.text import quote
from opencpm.transport.flow import Address as Endpoint
from opencpm.transport.flow import Flow

VERSION = 1


@dataclass(slots=True, eq=False)
class Binding:
    """What a REGISTER said of one device, and what we have learned since. `user` is the subscriber's id.

    `wrap`: whether the device takes CPIM; None while unknown. `imdn`: it sent bare message/imdn+xml, so it
    understands it. `silent_until` (epoch seconds): it left a request unanswered and counts as away until then;
    `silences` counts how often in a row. `mark`: eight hex digits that stand for the device in a Call-ID.
    """

    user: str
    key: str
    contact: str
    parameters: dict[str, str]
    instance: str
    reg_id: int
    path: tuple[str, ...]
    transport: str
    peer: Endpoint
    local_port: int
    expires_at: float
    call_id: str
    cseq: int
    user_agent: str = ""
    allow: frozenset[str] = frozenset()
    accept: frozenset[str] = frozenset()
    wrap: bool | None = None
    imdn: bool = False
    gruu: bool = False
    flow: Flow | None = None
    silent_until: float = 0.0
    silences: int = 0
    features: Features = field(default_factory=dict)
    services: frozenset[str] = frozenset()
    mark: str = ""

    def __post_init__(self) -> None:
        self.features = features_of(self.parameters)
        self.services = services_of(self.features)
        self.mark = blake2b(self.name.encode("utf-8", "surrogateescape"), digest_size=4).hexdigest()

    @property
    def name(self) -> str:
        """What tells this device from the user's others, for ids and logs."""
        return self.instance or self.contact

    @property
    def plain(self) -> bool:
        """A SIP client that lists no CPM service."""
        return not self.services

    @property
    def cpim(self) -> bool:
        """Whether messages go to it in CPIM: if it is a CPM device, says so in Accept, or has sent CPIM itself."""
        if self.wrap is not None:
            return self.wrap
        return not self.plain or "message/cpim" in self.accept

    def connected(self, now: float) -> bool:
        """Whether there is a way to it that has not failed lately."""
        return self.flow is not None and self.flow.open and now >= self.silent_until

    def contact_value(self, now: float, gruus: tuple[str, str] | None) -> str:
        """This binding as a Contact value of the 200 to a REGISTER."""
        parts = [f"<{self.contact}>"]
        for name, value in self.parameters.items():
            if name not in ("expires", "q", "pub-gruu", "temp-gruu"):
                parts.append(f"{name}={_value(name, value)}" if value else name)
        if gruus is not None:
            parts += [f'pub-gruu="{gruus[0]}"', f'temp-gruu="{gruus[1]}"']
        parts.append(f"expires={max(0, round(self.expires_at - now))}")
        return ";".join(parts)

    def to_json(self) -> bytes:
        """The durable part."""
        facts = {
            "v": VERSION,
            **{name: getattr(self, name) for name in _PLAIN},
            "allow": sorted(self.allow),
            "accept": sorted(self.accept),
        }
        return json.dumps(facts, separators=(",", ":")).encode()


_PLAIN = (
    *("user", "key", "contact", "parameters", "instance", "reg_id", "path", "transport", "local_port", "peer"),
    *("expires_at", "call_id", "cseq", "user_agent", "wrap", "imdn", "gruu"),
)


def from_json(data: bytes) -> Binding | None:
    """A binding as it was stored; None when another version wrote it, which costs one registration."""
    facts: Mapping[str, Any] = json.loads(data)
    if facts.get("v") != VERSION:
        return None
    kept: dict[str, Any] = {name: facts[name] for name in _PLAIN}
    kept["path"] = tuple(kept["path"])
    kept["peer"] = (kept["peer"][0], kept["peer"][1])
    return Binding(**kept, allow=frozenset(facts["allow"]), accept=frozenset(facts["accept"]))


def _value(name: str, value: str) -> str:
    """Feature tags and the instance id are quoted (RFC 3840 §9), the rest are tokens."""
    return quote(value) if name.startswith("+") or not value.isalnum() else value
