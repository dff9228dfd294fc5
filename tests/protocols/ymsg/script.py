"""The recorded exchanges of a live server, as connections of (direction, octets)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from opencpm.protocols.ymsg.packet import ERROR, HEADER, Packet, read_body

FOLDER = Path(__file__).parents[2] / "transcripts"
PASSWORD = "123456"


class Line(NamedTuple):
    direction: str  # "C" or "S"
    octets: bytes

    @property
    def packet(self) -> Packet:
        _, _, _, _, service, status, session = HEADER.unpack(self.octets[: HEADER.size])
        return Packet(service, status, read_body(self.octets[HEADER.size :]), session)


def connections(version: int) -> list[tuple[str, list[Line]]]:
    """Every connection of a recording with the id that used it; a new hello begins a new one."""
    found: list[tuple[str, list[Line]]] = []
    current: dict[str, list[Line]] = {}
    before: dict[str, list[Line]] = {}
    who, direction = "", ""
    for line in (FOLDER / f"ymsg{version}-login-message-typing-offline.txt").read_text().splitlines():
        if named := re.fullmatch(r"# \[(\w+)\]", line):
            who = named[1]
        elif line[:3] in ("C: ", "S: "):
            direction = line[0]
        elif line.startswith("   hex "):
            said = Line(direction, bytes.fromhex(line[7:]))
            if direction == "C" and said.packet.service == 0x4C:
                before[who] = current.get(who, [])
                current[who] = []
                found.append((who, current[who]))
            thrown_out = direction == "S" and said.packet.service == 0x02 and said.packet.status == ERROR
            (before if thrown_out else current)[who].append(said)  # it is the older connection that is told
    return found
