"""Where the time of a profiled server went, by room of the house."""

from __future__ import annotations

import pstats
from collections import defaultdict
from pathlib import Path
from typing import Any


def by_room(dump: Path) -> list[tuple[str, float]]:
    """(room, seconds) without what it called, most first; built-in functions count for those who called them."""
    spent: defaultdict[str, float] = defaultdict(float)
    stats: dict[Any, Any] = pstats.Stats(str(dump)).stats  # type: ignore[attr-defined]
    for function, (_, _, own, _, callers) in stats.items():
        if function[0] != "~":
            spent[_room(function[0])] += own
        for caller, figures in callers.items() if function[0] == "~" else ():
            spent[_room(caller[0])] += figures[2]
    return sorted(spent.items(), key=lambda pair: -pair[1])


def _room(file: str) -> str:
    """``protocols/sip`` of ``…/opencpm/protocols/sip/message.py``."""
    parts = Path(file).parts
    if "opencpm" not in parts:
        return "elsewhere"
    inside = parts[len(parts) - 1 - parts[::-1].index("opencpm") + 1 :]
    return "/".join(inside[:2]) if len(inside) > 2 else "/".join(inside).removesuffix(".py")
