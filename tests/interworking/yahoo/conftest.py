from collections.abc import AsyncIterator

import pytest

from opencpm.lab.yahoo import LabYahoo
from tests.interworking.yahoo.stage import ALICE, BOB, CAROL, Stage


@pytest.fixture
async def lab() -> AsyncIterator[LabYahoo]:
    async with LabYahoo() as lab:
        lab.account(ALICE)
        lab.buddy(BOB)
        lab.buddy(CAROL)
        lab.befriend(ALICE, BOB)
        yield lab


@pytest.fixture
async def stage(lab: LabYahoo) -> AsyncIterator[Stage]:
    """Bob is online, alice's account is signed in."""
    await lab.buddies[BOB].sign_in()
    async with Stage(lab) as stage:
        await stage.sign_in()
        yield stage
