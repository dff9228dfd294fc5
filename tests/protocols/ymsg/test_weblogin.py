"""The web login of versions 15 and 16, sans I/O."""

from __future__ import annotations

import pytest

from opencpm.protocols.ymsg import weblogin
from opencpm.protocols.ymsg.errors import Kind
from opencpm.protocols.ymsg.weblogin import LoginRefused


def test_requests_are_percent_encoded() -> None:
    asked = weblogin.token_request("alice", "p&s w=d", "a.b_c--")
    assert asked == "/config/pwtoken_get?src=ymsgr&ts=&login=alice&passwd=p%26s+w%3Dd&chal=a.b_c--"
    assert weblogin.login_request("t&1") == "/config/pwtoken_login?src=ymsgr&ts=&token=t%261"


def test_answers() -> None:
    assert weblogin.read_token("0\r\nymsgr=TOKEN=1\r\npartnerid=p\r\n") == "TOKEN=1"
    text = "0\r\ncrumb=CR.UMB\r\nY=v=1&n=x; path=/\r\nT=z=2; path=/\r\ncookievalidfor=86400\r\n"
    proof = weblogin.read_proof(text, ["B=b1; path=/", "T=another"])
    assert proof == ("CR.UMB", ("v=1&n=x; path=/", "z=2; path=/", "b1; path=/"))
    assert weblogin.read_proof(text, whole=False).cookies == ("v=1&n=x", "z=2", "")


@pytest.mark.parametrize(
    ("text", "kind", "code"),
    [
        ("1212", Kind.CREDENTIALS, 1212),
        ("1235\r\n", Kind.CREDENTIALS, 1235),
        ("1213\n", Kind.CREDENTIALS, 1213),
        ("100", Kind.CREDENTIALS, 100),
        ("2000", Kind.TEMPORARY, 2000),
        ("", Kind.TEMPORARY, 0),
        ("<html>", Kind.TEMPORARY, 0),
        ("٣", Kind.TEMPORARY, 0),
        ("0\r\nnothing=else", Kind.TEMPORARY, 0),
        ("9" * 50, Kind.TEMPORARY, 0),
    ],
)
def test_refusals(text: str, kind: Kind, code: int) -> None:
    for read in (weblogin.read_token, weblogin.read_proof):
        with pytest.raises(LoginRefused) as caught:
            read(text)
        assert (caught.value.trouble.kind, caught.value.trouble.code) == (kind, code)
