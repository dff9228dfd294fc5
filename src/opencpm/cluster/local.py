"""Hints within one process."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

log = logging.getLogger("opencpm.cluster")

Heard = Callable[[Mapping[str, Any]], None]


class LocalBus:
    """Implements :class:`opencpm.interfaces.Bus`: who hears a topic is called at once, in the order of subscription.

    One listener's error does not keep a hint from the others, nor does it reach the publisher.
    """

    def __init__(self) -> None:
        self._topics: dict[str, dict[object, Heard]] = {}

    def publish(self, topic: str, hint: Mapping[str, Any]) -> None:
        listeners = self._topics.get(topic)
        if not listeners:
            return
        for heard in tuple(listeners.values()):
            try:
                heard(hint)
            except Exception:
                log.exception("a listener of %s failed", topic)

    def heard(self, topic: str) -> bool:
        return topic in self._topics

    def subscribe(self, topic: str, heard: Heard) -> Callable[[], None]:
        ticket = object()
        self._topics.setdefault(topic, {})[ticket] = heard

        def end() -> None:
            listeners = self._topics.get(topic)
            if listeners is not None:
                listeners.pop(ticket, None)
                if not listeners:
                    del self._topics[topic]

        return end
