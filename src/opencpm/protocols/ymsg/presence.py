"""Who is there: the records that LOGON, ISAWAY, ISBACK, STATUS_UPDATE and STATUS_15 carry."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from opencpm.protocols.ymsg.packet import Packet
from opencpm.protocols.ymsg.services import CUSTOM, OFFLINE_STATUS, Service

ID: Final = 7
STATE: Final = 10
FLAGS: Final = 13
NOTE: Final = 19
AWAY: Final = 47
IDLE_SECONDS: Final = 137


@dataclass(frozen=True, slots=True)
class Presence:
    """What is shown of somebody. ``state`` is one of the numbers of ``services``; ``away``: key 47 with a text of
    their own (0 available, 1 busy, 2 idle)."""

    user: str
    online: bool
    state: int = 0
    note: str = ""
    away: int = 0
    idle: int = 0  # seconds


def presences(packet: Packet) -> Iterator[Presence]:
    """Everybody a packet speaks of."""
    for record in packet.records(ID):
        user = record.text(ID).strip().lower()
        if user:
            yield _presence(packet.service, user, record)


def _presence(service: int, user: str, record: Packet) -> Presence:
    state = record.number(STATE)
    gone = service == Service.LOGOFF or state in (-1, OFFLINE_STATUS)
    if gone or record.get(FLAGS) == b"0":  # no flag left: neither pager nor chat nor game
        return Presence(user, False)
    note = record.text(NOTE) if state == CUSTOM else ""
    return Presence(user, True, state, note, record.number(AWAY), record.number(IDLE_SECONDS))
