"""Reads the recorded SIP and MSRP exchanges of this folder back into bytes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

_EVENT = re.compile(r"^==== \+([0-9.]+) (\S+) -> (\S+) \(([\w ]+), ([0-9]+) bytes(.*)\)$")
_HEX = re.compile(r"^  [0-9a-f]{4}  ((?:[0-9a-f]{2} ?)+) ")


class Recorded(NamedTuple):
    source: str
    target: str
    transport: str
    data: bytes
    whole: bool  # False where the recording leaves out the middle of a long body


def read(name: str) -> list[Recorded]:
    """The events of one transcript, in order."""
    text = (Path(__file__).parent / name).read_text()
    events: list[Recorded] = []
    for block in text.split("\n---- end"):
        lines = block.lstrip("\n").split("\n")
        starts = [i for i, line in enumerate(lines) if _EVENT.match(line)]
        if not starts:
            continue
        match = _EVENT.match(lines[starts[-1]])
        assert match is not None
        data = _bytes(lines[starts[-1] + 1 :], match[4])
        events.append(Recorded(match[2], match[3], match[4], data, len(data) == int(match[5])))
    return events


def _bytes(lines: list[str], transport: str) -> bytes:
    out = b""
    in_hex = False
    for index, line in enumerate(lines):
        last = index == len(lines) - 1
        if line in ("<HEX>", "</HEX>"):
            in_hex = line == "<HEX>"
        elif in_hex:
            if match := _HEX.match(line):
                out += bytes.fromhex(match[1])
        elif line.endswith("<LF>"):
            out += line[:-4].encode() + b"\n"
        else:
            out += line.encode() + (b"" if last else b"\r\n")
    return out
