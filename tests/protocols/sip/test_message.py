import pytest

from opencpm.protocols.sip.errors import SipError
from opencpm.protocols.sip.message import content_length, encode_request, encode_status, parse


def wire(text: str) -> bytes:
    return text.replace("\n", "\r\n").encode()


MESSAGE = wire(
    """MESSAGE sip:bob@cpm.test SIP/2.0
Via: SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bK1;rport
Max-Forwards: 70
From: <sip:alice@cpm.test>;tag=1
To: <sip:bob@cpm.test>
Call-ID: abc
CSeq: 7 MESSAGE
Content-Type: text/plain
Content-Length: 2

hi"""
)


def test_a_request_is_read():
    message = parse(MESSAGE)
    assert (message.method, message.uri, message.status) == ("MESSAGE", "sip:bob@cpm.test", 0)
    assert message.get("call-id") == "abc"
    assert message.body == b"hi"
    assert message.flaw == ""


def test_a_response_is_read_and_may_lack_a_reason():
    message = parse(b"SIP/2.0 200\r\nCSeq: 1 MESSAGE\r\n\r\n")
    assert (message.status, message.reason, message.method) == (200, "", "")
    assert parse(b"SIP/2.0 480 Temporarily Unavailable\r\n\r\n").reason == "Temporarily Unavailable"


def test_compact_names_any_case_and_blanks_before_the_colon():
    message = parse(wire("INVITE sip:b@x SIP/2.0\nv: SIP/2.0/UDP h\nI : 1\nCONTACT: <sip:a@b>\nl:0\n\n"))
    assert message.get("via") == "SIP/2.0/UDP h"
    assert message.get("call-id") == "1"
    assert message.get("contact") == "<sip:a@b>"


def test_folded_lines_are_joined():
    message = parse(wire("OPTIONS sip:b@x SIP/2.0\nSubject: one\n  two\n\tthree\nTo: x\n\n"))
    assert message.get("subject") == "one two three"
    assert message.get("to") == "x"


def test_comma_lists_over_several_fields_make_one_list_but_quotes_hold():
    message = parse(wire('OPTIONS sip:b@x SIP/2.0\nContact: "A, b" <sip:a@b?x=1,2>;q=1, <sip:c@d>\nm: <sip:e@f>\n\n'))
    assert message.values("contact") == ['"A, b" <sip:a@b?x=1,2>;q=1', "<sip:c@d>", "<sip:e@f>"]


def test_without_content_length_the_body_is_the_rest_of_the_datagram():
    assert parse(MESSAGE.replace(b"Content-Length: 2\r\n", b"")).body == b"hi"


def test_octets_after_the_body_are_dropped_and_padding_of_the_number_is_taken():
    assert parse(MESSAGE.replace(b"Length: 2", b"Length:    2") + b"garbage").body == b"hi"


@pytest.mark.parametrize(
    ("change", "flaw"),
    [
        ((b"Length: 2", b"Length: 3"), "Body shorter than Content-Length"),
        ((b"Length: 2", b"Length: -1"), "Bad Content-Length"),
        ((b"Length: 2", b"Length: 2\r\nl: 1"), "Bad Content-Length"),
        ((b"Call-ID: abc", b"Call-ID abc"), "Header line without a name"),
        ((b"Call-ID: abc", b"Call-ID: a\nVia: x"), "Bare line end in headers"),
        ((b"SIP/2.0\r\nVia", b"SIP/3.0\r\nVia"), "Version Not Supported"),
    ],
)
def test_defects_that_can_be_answered_are_kept(change, flaw):
    assert parse(MESSAGE.replace(*change)).flaw == flaw


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\r\n\r\n",
        b"hello",
        b"GET / HTTP/1.1\r\n\r\n",
        b"SIP/2.0 abc x\r\n\r\n",
        b"SIP/2.0 099 x\r\n\r\n",
        b"ME(SSAGE sip:a@b SIP/2.0\r\n\r\n",
        b"A b SIP/2.0\r\n" + b"X: y\r\n" * 300 + b"\r\n",
        b"A b SIP/2.0\r\nX: " + b"y" * 40_000 + b"\r\n\r\n",
    ],
)
def test_what_is_not_sip_or_over_the_bounds_raises(data):
    with pytest.raises(SipError):
        parse(data)


def test_leading_line_ends_are_skipped():
    assert parse(b"\r\n\r\n" + MESSAGE).method == "MESSAGE"


def test_octets_that_are_no_utf8_survive_reading_and_writing():
    message = parse(MESSAGE.replace(b"abc", b"a\xffc"))
    data = encode_request("MESSAGE", message.uri, [("Call-ID", message.get("call-id"))])
    assert b"Call-ID: a\xffc\r\n" in data


def test_written_messages_read_back():
    data = encode_request("MESSAGE", "sip:b@x", [("To", "<sip:b@x>"), ("CSeq", "1 MESSAGE")], b"body")
    message = parse(data)
    assert (message.method, message.body, message.get("content-length")) == ("MESSAGE", b"body", "4")
    assert parse(encode_status(202, "", [("To", "x")])).reason == "Accepted"


@pytest.mark.parametrize("value", ["a\r\nEvil: 1", "a\nEvil: 1", "a\rb"])
def test_no_value_can_bring_a_header_of_its_own(value):
    with pytest.raises(SipError):
        encode_request("MESSAGE", "sip:b@x", [("Subject", value)])


def test_content_length_is_plain_digits():
    assert content_length(["12"]) == 12
    assert content_length(["12", "12"]) == 12
    for bad in (["1_2"], ["+1"], [""], ["²"], ["9" * 12], ["1", "2"]):
        assert content_length(bad) == -1
