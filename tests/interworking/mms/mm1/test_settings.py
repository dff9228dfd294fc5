"""What the settings section says of mistakes."""

from __future__ import annotations

from typing import Any

import pytest

from opencpm.interworking.mms.mm1 import build
from tests.interworking.mms.mm1.support import context


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"trusted": ["somewhere"]}, "somewhere"),
        ({"path": "mms"}, "path"),
        ({"public_url": "ftp://x"}, "public_url"),
        ({"user_agents": {"x": "huge"}}, "user_agents"),
        ({"nonsense": 1}, "nonsense"),
    ],
)
def test_mistakes(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        build(settings, context())
