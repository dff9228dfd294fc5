"""Table and ENUM together, as messaging asks them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence

from opencpm.domain.number import NO_FACTS, NumberFacts
from opencpm.numbering.enum import Enum
from opencpm.numbering.table import Table


class Lookup:
    """Implements :class:`opencpm.interfaces.Numbers`. Where the table names the carrier, nobody is asked."""

    def __init__(self, table: Table, enum: Enum | None = None) -> None:
        self.table, self.enum = table, enum

    def facts(self, number: str) -> NumberFacts:
        told = self.table.facts(number)
        if self.enum is None or told.carrier or number[:1] != "+":
            return told
        said = self.enum.known(number) or NO_FACTS
        if not told.number_type:
            return said
        return NumberFacts(told.number_type, said.carrier, said.source or told.source)

    def missing(self, numbers: Iterable[str]) -> Sequence[str]:
        enum = self.enum
        if enum is None:
            return ()
        asked = dict.fromkeys(numbers)
        return [n for n in asked if n[:1] == "+" and not self.table.facts(n).carrier and enum.known(n) is None]

    def ask(self, numbers: Sequence[str], done: Callable[[], None]) -> None:
        if self.enum is None or not numbers:
            asyncio.get_running_loop().call_soon(done)
        else:
            self.enum.ask(numbers, done)

    async def run(self) -> None:
        try:
            await self.table.follow()
            await asyncio.Event().wait()
        finally:
            if self.enum is not None:
                await self.enum.close()
