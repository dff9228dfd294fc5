"""Alice's server with a trunk to a telephone exchange, and Bob's home with an SMS telephone."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

from opencpm.lab.line import LabExchange, Manner, trunk_to
from opencpm.lab.story.trails import patiently
from opencpm.lab.town import Friend, Person, Prepare, Town, Wishes

ALICE_NUMBER = "+442079460100"
CENTRE = "+442079460199"
"""Under which lines know the server's SMS centre."""
BOB_LINE = "+442079460155"
"""His home telephone; 020 7946 0xxx is kept for stories."""
OLD_LINE = "+442079460156"
"""A line with an ordinary telephone."""
NETWORK = "line"


class LineWorld(Town):
    """``async with`` starts the exchange; :meth:`start_server` the server."""

    def __init__(self, folder: Path, prepare: Prepare) -> None:
        super().__init__(folder, prepare)
        self.exchange = LabExchange()
        self.more: dict[str, dict[str, Any]] = {}  # networks beside the lines, tried after them

    async def __aenter__(self) -> Self:
        await self._stack.enter_async_context(self.exchange)
        self.handset = self.exchange.handset(BOB_LINE, CENTRE)
        self.exchange.line(OLD_LINE, Manner.VOICE)
        return self

    async def start_server(self) -> None:
        """Returns when the server is ready and its trunk answers.

        :raises opencpm.lab.process.ServerError: :raises opencpm.lab.story.trails.Missing:
        """
        await self.serve(
            Wishes(
                networks={NETWORK: trunk_to(self.exchange, CENTRE, "44"), **self.more},
                sections={"policy": {"order": [NETWORK, *self.more], "home_region": "GB"}},
                people=(Person("alice", "Alice", ALICE_NUMBER),),
                friends=(Friend("alice", "Bob", (f"tel:{BOB_LINE}",)),),
            )
        )
        self.exchange.connect(self.server.endpoints[NETWORK]["sip"])

        async def answers() -> bool | None:
            status = await self.api().get("/status")
            mine = next(one for one in status["connectors"] if one["name"] == NETWORK)
            return True if "answers" in mine["detail"] else None

        await patiently("answer of the trunk", answers)
