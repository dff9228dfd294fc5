"""The story's evidence for a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

WIDTH = 110


def lines(evidence: dict[str, Any], indent: str = "     ") -> Iterator[str]:
    """One line a thing; octets are for the JSON."""
    for name, value in evidence.items():
        if name in ("octets", "at"):
            continue
        if isinstance(value, dict) and not _is_known(value):
            yield f"{indent}{name}:"
            yield from lines(value, indent + "  ")
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            yield f"{indent}{name}:"
            yield from (_cut(f"{indent}  {_words(one)}") for one in value)
        else:
            yield _cut(f"{indent}{name}: {_words(value)}")


def _is_known(value: dict[str, Any]) -> bool:
    return "rule" in value or "pdu" in value


def _words(value: Any) -> str:
    if isinstance(value, dict):
        return (
            _note(value) if "rule" in value else _pdu(value) if "pdu" in value else ", ".join(map(str, value.values()))
        )
    if isinstance(value, list):
        return " | ".join(_words(one) for one in value)
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def _note(note: dict[str, Any]) -> str:
    return f"{'✓' if note['kept'] else '✗'} {note['rule']}: {note['evidence']}"


def _pdu(pdu: dict[str, Any]) -> str:
    ends = f" {pdu['source_addr']} → {pdu['destination_addr']}" if "source_addr" in pdu else ""
    return f"{pdu['pdu']}{ends}, {pdu['status']}, sequence {pdu['sequence']}"


def _cut(line: str) -> str:
    return line if len(line) <= WIDTH else line[: WIDTH - 1] + "…"
