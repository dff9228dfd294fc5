from collections.abc import AsyncIterator

import pytest

from tests.messaging.world import World


@pytest.fixture
async def world() -> AsyncIterator[World]:
    made = await World.made()
    yield made
    await made.close()
