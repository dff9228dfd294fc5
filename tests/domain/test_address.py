import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencpm.domain.address import Address, AddressError, is_international, tel


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tel:+1-202-555-0100", "tel:+12025550100"),
        ("+1 (202) 555.0100", "tel:+12025550100"),
        ("tel:+12025550100;phone-context=x", "tel:+12025550100"),
        ("12345", "tel:12345"),
        ("sip:Alice@CPM.test;transport=tcp", "sip:Alice@cpm.test"),
        ("sips:alice@cpm.test:5061?subject=x", "sip:alice@cpm.test:5061"),
        ("<sip:alice@cpm.test>", "sip:alice@cpm.test"),
        ("sip:+12025550101@cpm.test;user=phone", "tel:+12025550101"),
        ("sip:bob%40msn.test@cpm.test", "im:bob@msn.test"),
        ("msn:Bob@MSN.test", "msn:bob@msn.test"),
        ("im:bob@msn.test", "im:bob@msn.test"),
        ("alice@cpm.test", "sip:alice@cpm.test"),
        ("alpha:OpenCPM", "alpha:OpenCPM"),
        ("xmpp:Bob@XMPP.test/phone?message", "xmpp:bob@xmpp.test"),
        ("xmpp:f%C3%BC@xmpp.test", "xmpp:fü@xmpp.test"),
        ("xmpp:d%5C27artagnan@xmpp.test", "xmpp:d\\27artagnan@xmpp.test"),
        ("xmpp:bob%msn.test@gateway.test", "xmpp:bob%msn.test@gateway.test"),
    ],
)
def test_reads_what_people_and_protocols_write(text: str, expected: str) -> None:
    assert str(Address.parse(text)) == expected


@pytest.mark.parametrize("text", ["", "   ", "hello there", "tel:", "tel:abc", "+", "sip:a\nb@c", "x" * 600])
def test_refuses_what_is_no_address(text: str) -> None:
    with pytest.raises(AddressError):
        Address.parse(text)


@given(st.text(max_size=600))
def test_only_its_own_error_escapes(text: str) -> None:
    try:
        address = Address.parse(text)
    except AddressError:
        return
    assert address.scheme == address.scheme.lower()
    assert not any(ord(c) < 0x20 for c in str(address))


def test_an_address_read_again_is_the_same() -> None:
    for text in ("tel:+12025550100", "sip:alice@cpm.test", "msn:bob@msn.test", "im:bob@msn.test"):
        assert Address.parse(str(Address.parse(text))) == Address.parse(text)


def test_international() -> None:
    assert is_international(tel("+12025550100"))
    assert not is_international(tel("12345"))
    assert not is_international(Address("sip", "+1@cpm.test"))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("mailto:Bob@Mail.Test", "bob@mail.test"),
        ("mailto:bob+cpm@mail.test?subject=Hello&body=x@y", "bob+cpm@mail.test"),
        ("mailto:o'neill=x/y@mail.test", "o'neill=x/y@mail.test"),
    ],
)
def test_a_mailbox(text: str, value: str) -> None:
    assert Address.parse(text) == Address("mailto", value)
    assert Address.parse(str(Address("mailto", value))) == Address("mailto", value)


@pytest.mark.parametrize(
    "text",
    [
        "mailto:",
        "mailto:bob",
        "mailto:a@b,c@d",
        "mailto:a b@c.test",
        "mailto:<a@b.test>x",
        "mailto:a@-b",
        "mailto:a@b@c",
    ],
)
def test_what_is_no_mailbox(text: str) -> None:
    with pytest.raises(AddressError):
        Address.parse(text)
