import pytest

from opencpm.protocols.sip.errors import SipError
from opencpm.protocols.sip.uri import Uri, parse_uri


@pytest.mark.parametrize(
    ("text", "uri"),
    [
        ("sip:cpm.test", Uri("sip", "", "cpm.test", 0)),
        ("sip:alice@CPM.test:5070", Uri("sip", "alice", "cpm.test", 5070)),
        ("SIPS:alice@[2001:db8::1]:5061", Uri("sips", "alice", "[2001:db8::1]", 5061)),
        ("sip:bob%40msn.test@cpm.test", Uri("sip", "bob@msn.test", "cpm.test", 0)),
        ("sip:u:secret@h", Uri("sip", "u", "h", 0)),
        (
            "sip:cpm.test;transport=udp;lr",
            Uri("sip", "", "cpm.test", 0, (("transport", "udp"), ("lr", ""))),
        ),
        ("sip:a@b;gr=urn:uuid:1?Subject=x", Uri("sip", "a", "b", 0, (("gr", "urn:uuid:1"),), "Subject=x")),
        ("tel:+1-202-555-0100;phone-context=x", Uri("tel", "+12025550100", "", 0, (("phone-context", "x"),))),
    ],
)
def test_uris_are_taken_apart(text, uri):
    assert parse_uri(text) == uri


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("http://x", 416),
        ("im:a@b", 416),
        ("sip:", 400),
        ("nothing", 400),
        ("sip:a b@c", 400),
        ("sip:a@b:99999", 400),
        ("sip:a@b@c@", 400),
        ("sip:<a@b", 400),
        ("tel:abc-x", 400),
        ("sip:" + "a" * 3000 + "@b", 414),
    ],
)
def test_what_is_wrong_says_how_to_answer(text, status):
    with pytest.raises(SipError) as error:
        parse_uri(text)
    assert error.value.status == status


@pytest.mark.parametrize(
    "text",
    [
        "sip:alice@cpm.test:5070;transport=tcp;lr",
        "sip:bob%40msn.test@cpm.test",
        "tel:+12025550100",
        "sips:[::1]:5061",
        "sip:a@b?x=1",
    ],
)
def test_written_uris_are_the_ones_read(text):
    assert str(parse_uri(text)) == text


def test_the_address_of_record_drops_port_and_parameters():
    assert parse_uri("sips:al%69ce@Cpm.Test:5061;x=1?y=2").aor == "sip:alice@cpm.test"
