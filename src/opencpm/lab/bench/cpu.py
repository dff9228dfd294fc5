"""CPU time of another process."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple


class Cpu(NamedTuple):
    """Seconds of a process with all its threads."""

    user: float
    system: float

    def since(self, before: Cpu) -> Cpu:
        return Cpu(self.user - before.user, self.system - before.system)


def cpu_of(pid: int) -> Cpu:
    """See proc(5), fields 14 and 15 of stat."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    tick = os.sysconf("SC_CLK_TCK")
    return Cpu(int(fields[11]) / tick, int(fields[12]) / tick)
