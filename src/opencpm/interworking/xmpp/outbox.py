"""What was sent and is not confirmed yet, and exactly one outcome for each delivery."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence

from opencpm.domain.delivery import Delivery, Outcome, OutcomeKind
from opencpm.domain.errors import SendError
from opencpm.domain.report import Reference
from opencpm.protocols.xmpp.stanza_error import StanzaError

from . import reasons
from .link import Link

Settle = Callable[[Sequence[Outcome]], None]

CONFIRMED = "XMPP server"
REFUSED = "XMPP error"
OURS = "this server"


class Entry:
    """One stanza whose fate matters: a delivery with who is to be told, somebody who waits for it, or what to do once
    the server has it."""

    __slots__ = ("delivery", "ident", "peer", "settle", "taken", "waiter")

    def __init__(
        self,
        ident: str,
        peer: str,
        delivery: Delivery | None = None,
        settle: Settle | None = None,
        waiter: asyncio.Future[None] | None = None,
        taken: Callable[[], None] | None = None,
    ) -> None:
        self.ident, self.peer = ident, peer
        self.delivery, self.settle, self.waiter, self.taken = delivery, settle, waiter, taken


class Outbox:
    """Entries in the order of their stanzas. A mark of the link confirms all that were sent before it."""

    def __init__(self, link: Link, limit: int, now: Callable[[], float]) -> None:
        self._link, self._limit, self._now = link, limit, now
        self._flying: dict[str, Entry] = {}
        self._since: list[Entry] = []  # sent after the mark that is under way
        self._covered: list[Entry] = []  # what that mark will confirm
        self._mark = 0
        self._deliveries = 0

    def __len__(self) -> int:
        """Deliveries under way."""
        return self._deliveries

    @property
    def full(self) -> bool:
        return len(self._flying) >= self._limit

    @property
    def crowded(self) -> bool:
        """Still so full that more is not asked for."""
        return len(self._flying) > self._limit // 2

    def add(self, entry: Entry) -> None:
        """Its stanza has been written. An older one of the same id is replaced: it was the same delivery."""
        older = self._flying.get(entry.ident)
        self._deliveries += (entry.delivery is not None) - (older is not None and older.delivery is not None)
        self._flying[entry.ident] = entry
        self._since.append(entry)

    def confirm(self) -> None:
        """Ask for a confirmation of what was added, unless one is under way: the next one follows when it is back."""
        if self._since and not self._covered and self._link.up:
            self._covered, self._since = self._since, []
            self._mark = self._link.mark()

    def marked(self, number: int) -> None:
        """A mark came back."""
        if not self._covered or number < self._mark:
            return
        covered, self._covered = self._covered, []
        self._finish([entry for entry in covered if self._flying.get(entry.ident) is entry], None, CONFIRMED)
        self.confirm()

    def refused(self, ident: str, peer: str, error: StanzaError) -> bool:
        """An error about a stanza; whether it was one that is under way (else it may be about an older one)."""
        entry = self._flying.get(ident)
        if entry is None or entry.peer != peer:
            return False
        self._finish([entry], reasons.refused(error, peer), REFUSED)
        return True

    def lost(self) -> None:
        """The link is gone: whether the server has these is not known."""
        self._since, self._covered = [], []
        self._finish(list(self._flying.values()), reasons.lost(), OURS)

    def _finish(self, entries: Sequence[Entry], error: SendError | None, source: str) -> None:
        told: defaultdict[Settle, list[Outcome]] = defaultdict(list)
        for entry in entries:
            if self._flying.pop(entry.ident, None) is not None and entry.delivery is not None:
                self._deliveries -= 1
            if entry.delivery is not None and entry.settle is not None:
                told[entry.settle].append(outcome(entry.delivery, entry.peer, error, self._now(), source))
            if entry.taken is not None and error is None:
                entry.taken()
            if entry.waiter is not None and not entry.waiter.done():
                if error is None:
                    entry.waiter.set_result(None)
                else:
                    entry.waiter.set_exception(error)
        for settle, outcomes in told.items():
            settle(outcomes)


def outcome(delivery: Delivery, peer: str, error: SendError | None, now: float, source: str) -> Outcome:
    """A server's confirmation is its own word, not the receiver's: a message is accepted, never more. Of a notice
    nothing more will be heard: it is told."""
    taken = OutcomeKind.ACCEPTED if delivery.notice is None else OutcomeKind.DELIVERED
    return Outcome(
        delivery_id=delivery.id,
        token=delivery.token,
        kind=taken if error is None else OutcomeKind.FAILED,
        at=now,
        source=source,
        references=(Reference(key=reference(delivery.id, peer)),) if error is None and delivery.notice is None else (),
        error=error,
        doubled=delivery.attempt > 1 and error is None,
        detail=f"it has the message for {peer}" if error is None else "",
    )


def reference(ident: str, peer: str) -> str:
    """Under which name a receipt, a marker or an error is matched: only the receiver can give one (the server
    vouches for who sent it)."""
    return f"{ident} {peer}"
