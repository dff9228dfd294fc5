"""message_id towards an ESME: what the response names, and what our Message-ID makes of it.

An id is a name and two digits: ``00`` for a message of one piece, else the number of the segment. Peers of 3.3 take
eight hex digits (C-octet string of 9), the others get 24. A Message-ID may add what makes it unique to us after a
dot; the ESME never sees that.
"""

from __future__ import annotations

from opencpm.interfaces import Ids, KeyedState
from opencpm.protocols.smpp.coding import Alphabet, alphabet_of

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


_CODINGS = ("", "08", "01", "03", "f0", "05", "06", "07", "0a", "0e")
"""What may say, at the end of a Message-ID, in which data_coding a text came: replace_sm does not repeat it (§4.10)."""


def coded(message_id: str, data_coding: int) -> str:
    """A Message-ID that knows the data_coding of its text; the SMSC's default goes without saying."""
    kind = alphabet_of(data_coding)
    said = "f0" if kind is Alphabet.GSM7 else "08" if kind is Alphabet.UCS2 else f"{data_coding:02x}"
    return f"{message_id}.{said}" if data_coding and said in _CODINGS else message_id


def coding_of(message_id: str) -> int:
    """The data_coding that :func:`coded` wrote."""
    said = message_id.rpartition(".")[2]
    return int(said, 16) if "." in message_id and said in _CODINGS else 0


def meant(message_id: str) -> tuple[str, ...]:
    """The Message-IDs that the id of a message of one piece may stand for, the likeliest first."""
    bare = message_id.lower()
    return tuple([f"{bare}.{said}" if said else bare for said in _CODINGS])


def name_of(shown_id: str) -> str:
    """The name in an id that an ESME gives."""
    return shown_id[:-2].lower()
