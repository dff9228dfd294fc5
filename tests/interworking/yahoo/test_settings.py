"""What the operator may write, and what is said of what they may not."""

from __future__ import annotations

from typing import Any

import pytest

from opencpm.interfaces import Context
from opencpm.interworking.yahoo import build
from opencpm.interworking.yahoo.settings import YahooSettings
from tests.interworking.yahoo.stage import Clock, Directory, Ids


def made(**settings: Any) -> object:
    context = Context(name="yahoo", clock=Clock(), ids=Ids(), store=None, directory=Directory())  # type: ignore[arg-type]
    return build(settings, context)


@pytest.mark.parametrize(
    ("server", "endpoint"),
    [
        ("ymsg.test", ("ymsg.test", 5050)),
        ("ymsg.test:23", ("ymsg.test", 23)),
        ("[::1]:5050", ("::1", 5050)),
    ],
)
def test_the_server(server: str, endpoint: tuple[str, int]) -> None:
    assert YahooSettings(server=server).endpoint == endpoint


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "server"),
        ({"server": "a/b"}, "is not a server"),
        ({"server": "host:0"}, "is not a server"),
        ({"server": "host:99999"}, "is not a server"),
        ({"server": "host", "version": 8}, "version"),
        ({"server": "host", "version": 16}, "needs login_url"),
        ({"server": "host", "version": 16, "login_url": "login.test"}, "write https"),
        ({"server": "host", "domain": "a@b"}, "is not a domain"),
        ({"server": "host", "ca_file": "/nowhere.pem"}, "ca_file"),
        ({"server": "host", "burst": 0}, "burst"),
    ],
)
def test_what_is_to_be_mended(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        made(**settings)


def test_the_client_that_we_are() -> None:
    assert YahooSettings(server="a").build == "5, 5, 0, 1237"
    assert YahooSettings(server="a", version=16, login_url="https://b").build == "9.0.0.2162"
    assert YahooSettings(server="a", client_build="1.0").build == "1.0"
