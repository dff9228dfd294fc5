"""Points in time as XEP-0082 writes them: ``2026-11-23T07:18:34Z``."""

from __future__ import annotations

from datetime import UTC, datetime


def read(stamp: str) -> float | None:
    """Seconds since the epoch; None for what is no date and time with a zone. The old form of XEP-0091 is read too."""
    text = stamp.strip()
    try:
        if len(text) == 17 and "-" not in text:
            return datetime.strptime(text, "%Y%m%dT%H:%M:%S").replace(tzinfo=UTC).timestamp()
        at = datetime.fromisoformat(text)
        return at.timestamp() if at.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None


def write(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
