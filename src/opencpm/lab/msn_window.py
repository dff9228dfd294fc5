"""Bob's MSN window as a page shows it, put together from what happens to him."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any

from opencpm.lab.msn.buddy import Buddy
from opencpm.lab.msn.happenings import Happening
from opencpm.protocols.msnp import commands

TYPING_SHOWN = 8.0  # seconds; clients repeat it every five
MAX_LINES = 500


class MsnWindow:
    """Watches a buddy; ``changed`` is called after every change."""

    def __init__(self, buddy: Buddy, changed: Callable[[], None]) -> None:
        self.status = commands.OFFLINE
        self._buddy, self._changed = buddy, changed
        self._lines: deque[dict[str, Any]] = deque(maxlen=MAX_LINES)
        self._peer = ""
        self._typing = False
        self._quiet: asyncio.TimerHandle | None = None
        buddy.happened.subscribe(self._happened)

    def shown(self) -> dict[str, Any]:
        open_ = any(chat.peers for chat in self._buddy.chats)
        return {
            "address": self._buddy.address,
            "status": self.status if self._buddy.online else commands.OFFLINE,
            "window": {
                "open": open_,
                "peer": self._peer,
                "typing": self._typing and open_,
                "messages": list(self._lines),
            },
        }

    def _happened(self, it: Happening) -> None:
        if it.what in ("text", "sent"):
            sender = it.peer if it.what == "text" else self._buddy.address
            self._lines.append({"from": sender, "text": it.text, "at": it.at})
            self._stop_typing()
        elif it.what == "typing":
            self._typing = True
            self._later()
        elif it.what == "joined":
            self._peer = it.peer
        elif it.what == "signed-in":
            self.status = commands.ONLINE
        elif it.what in ("left", "closed", "signed-off"):
            self._stop_typing()
        self._changed()

    def _later(self) -> None:
        if self._quiet is not None:
            self._quiet.cancel()
        self._quiet = asyncio.get_running_loop().call_later(TYPING_SHOWN, self._quieted)

    def _quieted(self) -> None:
        self._stop_typing()
        self._changed()

    def _stop_typing(self) -> None:
        self._typing = False
        if self._quiet is not None:
            self._quiet.cancel()
            self._quiet = None
