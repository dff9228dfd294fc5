"""Who was turned away, and why: a line in the trail of whoever asked, also when no message came of it.

``opencpm trace sip:alice@cpm.test`` shows them. Somebody who hammers on the door must not fill the disk: repetitions
within a minute are counted and told with the next line.
"""

from __future__ import annotations

from collections import OrderedDict

from opencpm.domain.trail import Step, TrailEntry
from opencpm.interfaces import Changes, Clock, Store

_WINDOW = 60.0
_TRACKED = 10_000
_LINES = 5
"""Lines about the same person for the same reason in a window."""


class Door:
    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._seen: OrderedDict[tuple[str, str], tuple[float, int]] = OrderedDict()

    def turned_away(self, who: str, reason: str, what: str) -> None:
        """See :meth:`opencpm.interfaces.Inbox.turned_away`."""
        now = self._clock.now()
        since, count = self._seen.pop((who, reason), (now, 0))
        left_out = 0
        if now - since > _WINDOW:
            left_out, since, count = max(0, count - _LINES), now, 0
        self._seen[who, reason] = since, count + 1
        if len(self._seen) > _TRACKED:
            self._seen.popitem(last=False)
        if count >= _LINES:
            return
        more = f" (and {left_out} times more before)" if left_out else ""
        self._store.commit(Changes(trail=[TrailEntry(who[:200], now, Step.REFUSED, f"{reason}: {what[:500]}{more}")]))
