from collections.abc import AsyncIterator

import pytest

from opencpm.lab.msn import LabMsn
from tests.interworking.msn.stage import ALICE, BOB, Stage


@pytest.fixture
async def lab() -> AsyncIterator[LabMsn]:
    async with LabMsn() as lab:
        lab.account(ALICE, name="Alice")
        lab.buddy(BOB, "Bob")
        lab.befriend(ALICE, BOB)
        yield lab


@pytest.fixture
async def stage(lab: LabMsn) -> AsyncIterator[Stage]:
    """Bob is online, alice's account is signed in."""
    await lab.buddies[BOB].sign_in()
    async with Stage(lab) as stage:
        await stage.sign_in()
        yield stage
