from __future__ import annotations

import pytest

from opencpm.protocols.msrp.errors import MsrpError
from opencpm.protocols.msrp.uri import MsrpUri, parse_path, parse_uri, session_of


@pytest.mark.parametrize(
    ("text", "uri"),
    [
        ("msrp://192.0.2.10:2855/srv-c1;tcp", MsrpUri("192.0.2.10", 2855, "srv-c1")),
        ("MSRPS://host.cpm.test/x;TCP", MsrpUri("host.cpm.test", 2855, "x", True)),
        ("msrp://alice@[2001:db8::1]:9/a.b~c;tcp;x=y", MsrpUri("2001:db8::1", 9, "a.b~c")),
        ("msrp://relay.cpm.test:1;tcp", MsrpUri("relay.cpm.test", 1, "")),
    ],
)
def test_parse(text, uri):
    assert parse_uri(text) == uri


def test_both_ways():
    for uri in (MsrpUri("::1", 2855, "s"), MsrpUri("h", 1, "s", True)):
        assert parse_uri(str(uri)) == uri


def test_path():
    path = "msrp://relay:1/r;tcp msrp://192.0.2.21:9/s1alice;tcp"
    assert [u.session for u in parse_path(path)] == ["r", "s1alice"]
    assert session_of(path) == "r"
    assert session_of(path, last=True) == "s1alice"


@pytest.mark.parametrize("path", ["", "msrp://h:1;tcp", "nonsense", "msrp://h/x"])
def test_no_session(path):
    assert session_of(path) == ""


@pytest.mark.parametrize(
    "text", ["", "sip:a@b", "msrp://h:99999/x;tcp", "msrp://h/x", "msrp:///x;tcp", "msrp://h/x;tcp\r\nA: b"]
)
def test_errors(text):
    with pytest.raises(MsrpError):
        parse_uri(text)


@pytest.mark.parametrize("path", ["", " ".join(["msrp://h/x;tcp"] * 9)])
def test_path_errors(path):
    with pytest.raises(MsrpError):
        parse_path(path)
