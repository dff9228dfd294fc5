import pytest

from opencpm.protocols.sip.errors import SipError
from opencpm.protocols.sip.message import parse
from opencpm.protocols.sip.response import (
    Refusal,
    check_accept,
    check_expires,
    check_request,
    check_require,
    encode_response,
    expires_of,
    replace_top_via,
    top_via,
)

HEAD = (
    "MESSAGE sip:bob@cpm.test SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1, SIP/2.0/UDP b\r\nv: SIP/2.0/UDP c\r\n"
    "Max-Forwards: 70\r\nFrom: <sip:alice@cpm.test>;tag=1\r\nTo: <sip:bob@cpm.test>\r\nCall-ID: abc\r\n"
    "CSeq: 7 MESSAGE\r\n\r\n"
)


def request(old: str = "", new: str = ""):
    return parse(HEAD.replace(old, new).encode()) if old else parse(HEAD.encode())


def test_an_answer_repeats_what_it_must_and_adds_the_tag():
    answer = parse(encode_response(request(), 202, to_tag="t", fields=[("Server", "x")], body=b"b"))
    assert (answer.status, answer.reason, answer.body) == (202, "Accepted", b"b")
    assert answer.fields("via") == ["SIP/2.0/UDP a;branch=z9hG4bK1, SIP/2.0/UDP b", "SIP/2.0/UDP c"]
    assert answer.get("to") == "<sip:bob@cpm.test>;tag=t"
    assert (answer.get("from"), answer.get("call-id"), answer.get("cseq")) == (
        "<sip:alice@cpm.test>;tag=1",
        "abc",
        "7 MESSAGE",
    )
    assert answer.get("server") == "x"


def test_a_tag_that_is_there_stays_and_trying_has_none():
    assert (
        parse(encode_response(request("bob@cpm.test>\r\nCall", "bob@cpm.test>;tag=q\r\nCall"), 200, to_tag="t"))
        .get("to")
        .endswith(";tag=q")
    )
    assert ";tag" not in parse(encode_response(request(), 100, to_tag="t")).get("to")


def test_record_route_is_copied_where_a_dialog_may_arise():
    asked = request("CSeq", "Record-Route: <sip:p;lr>\r\nCSeq")
    assert parse(encode_response(asked, 180, to_tag="t")).get("record-route") == "<sip:p;lr>"
    assert parse(encode_response(asked, 404, to_tag="t")).get("record-route") == ""


def test_a_header_cannot_be_smuggled_into_an_answer():
    with pytest.raises(SipError):
        encode_response(request(), 200, fields=[("Warning", "a\r\nEvil: 1")])


def test_the_top_via_is_replaced_inside_a_list():
    asked = request()
    assert top_via(asked) == "SIP/2.0/UDP a;branch=z9hG4bK1"
    replace_top_via(asked, "STAMPED")
    assert asked.values("via") == ["STAMPED", "SIP/2.0/UDP b", "SIP/2.0/UDP c"]


def test_a_good_request_passes():
    check_request(request())


@pytest.mark.parametrize(
    ("old", "new", "status", "reason"),
    [
        ("Call-ID: abc\r\n", "", 400, "Missing Call-ID"),
        ("CSeq: 7 MESSAGE\r\n", "", 400, "Missing CSeq"),
        ("Call-ID: abc", "Call-ID: abc\r\nCall-ID: def", 400, "Repeated Call-ID"),
        ("7 MESSAGE", "7 INVITE", 400, "CSeq method differs"),
        ("7 MESSAGE", "x MESSAGE", 400, "Bad CSeq"),
        ("sip:alice@cpm.test>", "sip:alice@cpm.test", 400, "Bad From"),
        ("To: <sip:bob@cpm.test>", 'To: "x" y', 400, "Bad To"),
        ("sip:bob@cpm.test SIP", "mailto:bob@cpm.test SIP", 416, ""),
        ("sip:bob@cpm.test SIP", "sip:bob@ SIP", 400, "Bad Request-URI"),
        ("SIP/2.0\r\nVia", "SIP/2.1\r\nVia", 505, "Version Not Supported"),
        ("Max-Forwards: 70", "Max-Forwards: 0", 483, "Too Many Hops"),
        ("Max-Forwards: 70", "Max-Forwards: many", 400, "Bad Max-Forwards"),
    ],
)
def test_a_bad_request_is_refused_with_its_reason(old, new, status, reason):
    with pytest.raises(Refusal) as refusal:
        check_request(request(old, new))
    assert refusal.value.status == status
    assert str(refusal.value) in (reason, "Unsupported URI Scheme") or not reason


def test_extensions_we_do_not_have_are_named():
    asked = request("CSeq", "Require: timer, 100rel\r\nRequire: teleport\r\nCSeq")
    with pytest.raises(Refusal) as refusal:
        check_require(asked, frozenset({"timer"}))
    assert refusal.value.status == 420
    assert refusal.value.fields == (("Unsupported", "100rel, teleport"),)
    check_require(asked, frozenset({"timer", "100rel", "teleport"}))


def test_intervals():
    check_expires(0, 60)
    check_expires(60, 60)
    with pytest.raises(Refusal) as refusal:
        check_expires(59, 60)
    assert (refusal.value.status, refusal.value.fields) == (423, (("Min-Expires", "60"),))
    assert expires_of(request(), 5) == 5
    assert expires_of(request("CSeq", "Expires: 7\r\nCSeq"), 5) == 7


def test_accept():
    check_accept(request(), "application/sdp")
    check_accept(request("CSeq", "Accept: application/*;q=0.1\r\nCSeq"), "application/sdp")
    with pytest.raises(Refusal) as refusal:
        check_accept(request("CSeq", "Accept: text/plain\r\nCSeq"), "application/sdp")
    assert refusal.value.status == 406
