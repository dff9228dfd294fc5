"""A subscriber whose VASP submits to us, or takes what we bring."""

from __future__ import annotations

from dataclasses import dataclass

from opencpm.protocols.breaker import Breaker
from opencpm.protocols.bucket import Bucket
from opencpm.protocols.mm7 import Release
from opencpm.settings import Mm7Terms
from opencpm.transport.http_client import Poster


@dataclass(slots=True, eq=False)
class Account:
    """``poster``: the way to it; None: it takes nothing. ``release``: what it spoke last."""

    id: str
    terms: Mm7Terms
    bucket: Bucket
    breaker: Breaker
    release: Release
    poster: Poster | None = None
    announced: bool = False  # messaging knows that it can be reached

    @property
    def reachable(self) -> bool:
        return self.poster is not None and self.breaker.up
