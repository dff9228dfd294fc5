"""What the settings section says of mistakes."""

from __future__ import annotations

from typing import Any

import pytest

from opencpm.interworking.mms.mm4 import build
from tests.interworking.mms.mm4.support import context

PEER = {"domain": "mmsc.test"}


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "name at least one peer"),
        ({"peers": [PEER, PEER]}, "same name"),
        ({"peers": [{**PEER, "addresses": ["somewhere"]}]}, "somewhere"),
        ({"peers": [{**PEER, "version": "six"}]}, "version"),
        ({"peers": [PEER], "listen_tls": "tls"}, "tls_certificate"),
        ({"peers": [PEER], "nonsense": 1}, "nonsense"),
        ({"peers": [PEER], "domain": "a b"}, "domain"),
        ({"peers": [{"name": "x"}]}, "peers.0.domain"),
    ],
)
def test_mistakes(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        build(settings, context())


def test_a_password_is_not_shown() -> None:
    connector = build({"peers": [{**PEER, "password": "sesame"}]}, context())
    assert "sesame" not in repr(vars(connector)) + repr(connector.describe())
