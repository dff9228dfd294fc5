import pytest

from opencpm.protocols.sip.errors import SipError
from opencpm.protocols.sip.headers import (
    parse_auth,
    parse_cseq,
    parse_name_addr,
    parse_number,
    parse_via,
    stamp_via,
    tag_of,
    via_key,
)


@pytest.mark.parametrize(
    ("value", "display", "uri", "parameters"),
    [
        ("<sip:a@b>;tag=1", "", "sip:a@b", {"tag": "1"}),
        ('"A \\"B\\"" <sip:a@b;x=1>;q=0.5', 'A "B"', "sip:a@b;x=1", {"q": "0.5"}),
        ("Alice Smith <sip:a@b>", "Alice Smith", "sip:a@b", {}),
        ("sip:bob@cpm.test;tag=9", "", "sip:bob@cpm.test", {"tag": "9"}),  # linphone writes To so
        ('<sip:a@h;ob>;+sip.instance="<urn:1>";x=1', "", "sip:a@h;ob", {"+sip.instance": "<urn:1>", "x": "1"}),
    ],
)
def test_name_addr(value, display, uri, parameters):
    assert parse_name_addr(value) == (display, uri, parameters)


@pytest.mark.parametrize("value", ["", "<sip:a@b", '"open <sip:a@b>', '"x" sip:a@b', "<>", ";tag=1"])
def test_bad_name_addr_raises(value):
    with pytest.raises(SipError):
        parse_name_addr(value)


@pytest.mark.parametrize(
    ("value", "tag"),
    [
        ("<sip:a@b>;tag=x", "x"),
        ("<sip:a@b>;x=1;tag=x;y", "x"),
        ("<sip:a@b;tag=in-uri>", ""),
        ("sip:a@b;tag=x", "x"),
        ("<sip:a@b>; Tag = x", "x"),
        ("<sip:a@b>", ""),
        ("<sip:vintage@b>", ""),
    ],
)
def test_tags_are_found_by_text(value, tag):
    assert tag_of(value) == tag


def test_via_with_any_white_space():
    via = parse_via("SIP / 2.0 / ws   biaont98fr4t.invalid ;branch=z9hG4bK1;rport")
    assert (via.transport, via.host, via.port, via.branch) == ("WS", "biaont98fr4t.invalid", 0, "z9hG4bK1")
    assert via.sent_by == "biaont98fr4t.invalid:80"
    assert parse_via("SIP/2.0/UDP [2001:db8::9]:5070;branch=z").host == "[2001:db8::9]"


def test_via_key_agrees_with_the_full_reader():
    assert via_key("SIP/2.0/TCP Host:5060;rport;branch=z9hG4bKx") == ("z9hG4bKx", "host:5060")
    assert via_key("SIP/2.0/UDP host") == ("", "host:")
    with pytest.raises(SipError):
        via_key("SIP/1.0/UDP host")


@pytest.mark.parametrize(
    ("value", "stamped"),
    [
        ("SIP/2.0/UDP 10.0.0.1:5;branch=a;rport", "SIP/2.0/UDP 10.0.0.1:5;branch=a;rport=99;received=192.0.2.7"),
        ("SIP/2.0/UDP 10.0.0.1;rport;branch=a", "SIP/2.0/UDP 10.0.0.1;rport=99;branch=a;received=192.0.2.7"),
        ("SIP/2.0/UDP 192.0.2.7:99;branch=a", "SIP/2.0/UDP 192.0.2.7:99;branch=a"),
        ("SIP/2.0/UDP host;branch=a", "SIP/2.0/UDP host;branch=a;received=192.0.2.7"),
        ("SIP/2.0/UDP host;branch=rportly", "SIP/2.0/UDP host;branch=rportly;received=192.0.2.7"),
    ],
)
def test_received_and_rport_are_filled_in(value, stamped):
    assert stamp_via(value, "192.0.2.7", 99) == stamped


def test_cseq():
    assert parse_cseq("28361   REGISTER") == (28361, "REGISTER")
    for bad in ("", "x MESSAGE", "1", "4294967296 MESSAGE", "-1 X", "1 A B"):
        with pytest.raises(SipError):
            parse_cseq(bad)


def test_numbers_are_clamped_and_named():
    assert parse_number("60;x=1", "Expires") == 60
    assert parse_number("999999999999", "Expires", 3600) == 3600
    with pytest.raises(SipError, match="bad Expires"):
        parse_number("soon", "Expires")


def test_auth_parameters():
    auth = parse_auth('Digest username="a\\"b", realm="x, y",nonce=abc , response="",qop=auth, algorithm=SHA-256')
    assert auth.scheme == "digest"
    assert auth.get("username") == 'a"b'
    assert auth.get("realm") == "x, y"
    assert (auth.get("nonce"), auth.get("response"), auth.get("algorithm")) == ("abc", "", "SHA-256")
    with pytest.raises(SipError):
        parse_auth("Digest nonsense")
