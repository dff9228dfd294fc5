"""The token service: the recorded request octet for octet, answers, faults, redirections."""

import pytest

from opencpm.protocols.msnp import rst
from opencpm.protocols.msnp.errors import MsnpError
from opencpm.protocols.msnp.rst import Refusal, Token, TokenLogin, Wanted
from opencpm.protocols.msnp.soap import HttpReply
from tests.protocols.msnp.web import fault, requests, same, soap_reply

FILE = "msnp18-login-presence-switchboard.txt"
URL = "https://login.test/RST.srf"


def one(service: str, token: str, secret: str, kind: str = "Compact0") -> str:
    return (
        "<wst:RequestSecurityTokenResponse xmlns:wst='w' xmlns:wsa='a' xmlns:wsse='s' xmlns:wsu='u'>"
        f"<wsa:Address>{service}</wsa:Address><wsu:Expires>2026-11-24T07:05:34Z</wsu:Expires>"
        f"<wsse:BinarySecurityToken Id='{kind}'>{token}</wsse:BinarySecurityToken>"
        f"<wst:RequestedProofToken><wst:BinarySecret>{secret}</wst:BinarySecret></wst:RequestedProofToken>"
        "</wst:RequestSecurityTokenResponse>"
    )


def test_recorded_request() -> None:
    (step, *_) = requests(FILE, "/RST.srf")
    login = TokenLogin("alice@example.com", "123456", URL, [Wanted(rst.MESSENGER, "MBI_KEY_OLD")])
    same(login.request(), step)
    assert login.request().method == "POST"


def test_password_is_escaped() -> None:
    assert "<wsse:Password>a&amp;b&lt;&quot;</wsse:Password>" in rst.body("a@b.c", 'a&b<"', [])


def test_each_service_has_its_own_token_and_secret() -> None:
    legacy = (
        "<RequestSecurityTokenResponse><Address>http://Passport.NET/tb</Address><BinarySecret>first</BinarySecret>"
        "</RequestSecurityTokenResponse>"
    )
    inside = legacy + one(rst.MESSENGER, "t=1&amp;p=", "c2VjcmV0") + one(rst.CONTACTS, "t=2&amp;p=", "")
    login = TokenLogin("alice@example.com", "x", URL, rst.wanted("MBI_KEY_OLD"))
    login.response(soap_reply(inside))
    assert login.result == {
        rst.MESSENGER: Token("t=1&p=", "c2VjcmV0", 1795503934.0),
        rst.CONTACTS: Token("t=2&p=", "", 1795503934.0),
    }


def test_wrong_password() -> None:
    login = TokenLogin("alice@example.com", "x", URL, rst.wanted("P"))
    login.response(fault("wsse:FailedAuthentication"))
    assert login.result == Refusal(True, "address or password refused")


def test_redirection_is_followed_but_not_to_plain_text_and_not_for_ever() -> None:
    login = TokenLogin("alice@example.com", "x", URL, rst.wanted("P"))
    login.response(fault("psf:Redirect", more="<psf:redirectUrl xmlns:psf='p'>https://other.test/r</psf:redirectUrl>"))
    assert login.result is None
    assert login.request().url == "https://other.test/r"
    login.response(fault("psf:Redirect", more="<redirectUrl>http://plain.test/</redirectUrl>"))
    assert login.result == Refusal(False, "token service: sent on to nowhere")
    endless = TokenLogin("alice@example.com", "x", URL, rst.wanted("P"))
    for _ in range(4):
        endless.response(fault("psf:Redirect", more="<redirectUrl>https://other.test/r</redirectUrl>"))
    assert isinstance(endless.result, Refusal)
    assert not endless.result.credentials


@pytest.mark.parametrize(
    "reply",
    [
        HttpReply(503, {}, b""),
        HttpReply(200, {}, b"<html>"),
        soap_reply("<nothing/>"),
        soap_reply(one(rst.MESSENGER, "with a space", "x")),
        fault("soap:Server"),
    ],
)
def test_anything_else_may_be_tried_again(reply: HttpReply) -> None:
    login = TokenLogin("alice@example.com", "x", URL, rst.wanted("P"))
    login.response(reply)
    assert isinstance(login.result, Refusal)
    assert not login.result.credentials


def test_entities_are_not_expanded() -> None:
    bomb = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>'
    with pytest.raises(MsnpError):
        rst.tokens(HttpReply(200, {}, bomb))
