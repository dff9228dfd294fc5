"""The minutes of a session: its line in the history, its trail, and the hint to both people's pages."""

from __future__ import annotations

from dataclasses import replace

from opencpm.domain.errors import SendError
from opencpm.domain.plan import Plan
from opencpm.domain.session import SessionOffer
from opencpm.domain.trail import Step, TrailEntry
from opencpm.interfaces import Changes, SessionRecord
from opencpm.messaging import trail
from opencpm.messaging.ground import Ground
from opencpm.messaging.hints import told_session
from opencpm.selection.explain import as_json_text


class Minutes:
    """Writes what happens to sessions, durably and in order; pages are told after the commit."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def invited(self, offer: SessionOffer) -> None:
        what = f"{offer.initiator} asks {offer.target}, by {offer.origin}"
        self._write(TrailEntry(offer.id, self._ground.clock.now(), Step.INVITED, what))

    def selected(self, session_id: str, plan: Plan) -> None:
        self._write(trail.selected(session_id, "", plan, self._ground.clock.now()))

    def refused(self, record: SessionRecord, error: SendError, plan: Plan) -> None:
        """With the plan, where selection itself refused."""
        what = f"{error.reason.value}: {error.detail}" + (f" [{error.code}]" if error.code else "")
        data = as_json_text(plan) if plan.error is error else ""
        self._write(TrailEntry(record.id, self._ground.clock.now(), Step.REFUSED, what, "", data), record)

    def line(self, record: SessionRecord, step: Step, what: str) -> None:
        self._write(TrailEntry(record.id, self._ground.clock.now(), step, what), record)

    def _write(self, entry: TrailEntry, record: SessionRecord | None = None) -> None:
        if record is None:
            self._ground.store.commit(Changes(trail=[entry]))
            return
        kept = replace(record)  # the session goes on changing while this waits for its commit
        self._ground.store.commit(
            Changes(trail=[entry], sessions=[kept]), lambda _: told_session(self._ground.bus, kept)
        )
