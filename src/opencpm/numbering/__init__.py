"""Who serves a telephone number now: the operator's table, and ENUM on top of it. Selection gets the result as data."""

from __future__ import annotations

from opencpm.interfaces import Clock, Numbers
from opencpm.numbering.enum import Enum
from opencpm.numbering.lookup import Lookup
from opencpm.numbering.table import Table
from opencpm.settings import NumbersSettings


def build(settings: NumbersSettings, clock: Clock) -> Numbers | None:
    """None where the operator knows no more than the numbering plan. Raises ValueError that says what to mend."""
    if not settings.table and not settings.enum:
        return None
    table = Table.load(settings.table) if settings.table else Table()
    return Lookup(table, Enum(settings, clock) if settings.enum else None)
