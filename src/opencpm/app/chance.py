"""Time and chance: the only clock and the only source of ids of the server."""

from __future__ import annotations

import time
from secrets import token_hex


class SystemClock:
    """Implements :class:`opencpm.interfaces.Clock`."""

    now = staticmethod(time.time)  # asked a dozen times a message: no call of ours in between


class RandomIds:
    """Implements :class:`opencpm.interfaces.Ids`."""

    def new(self) -> str:
        return token_hex(12)
