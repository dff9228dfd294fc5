"""message_id towards an ESME: what the response names, and what our Message-ID makes of it.

An id is a name and two digits: ``00`` for a message of one piece, else the number of the segment. Peers of 3.3 take
eight hex digits (C-octet string of 9), the others get 24. A Message-ID may add what makes it unique to us after a
dot; the ESME never sees that.
"""

from __future__ import annotations

from opencpm.interfaces import Ids, KeyedState

_ROOM = "smpp.ids"
_KEY = "next"
_BLOCK = 4096
_SPACE = 16**6
_V34 = 0x34


class MessageIds:
    """Makes names. The short ones are counted durably, in blocks, so that no restart repeats one."""

    def __init__(self, ids: Ids, state: KeyedState) -> None:
        self._ids, self._state = ids, state
        self._next = self._end = int(state.get_state(_ROOM, _KEY) or b"1", 16)

    def name(self, version: int) -> str:
        """A fresh name for a peer of this interface_version."""
        return self._ids.new()[:22] if version >= _V34 else self._short()

    def unique(self) -> str:
        """What makes a Message-ID unique whose name may come again."""
        return self._ids.new()[:8]

    def _short(self) -> str:
        if self._next >= self._end:
            self._end = self._next + _BLOCK
            self._state.put_state(_ROOM, _KEY, f"{self._end:x}".encode())
        self._next += 1
        return f"{self._next % _SPACE:06x}"


def piece(name: str, number: int = 0) -> str:
    """The id of a message (0) or of its ``number``-th segment."""
    return f"{name}{number:02x}"


def shown(message_id: str) -> str:
    """The part of a Message-ID that the ESME knows."""
    return message_id.partition(".")[0]


def name_of(shown_id: str) -> str:
    """The name in an id that an ESME gives."""
    return shown_id[:-2].lower()
