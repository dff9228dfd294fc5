import pytest

from opencpm.access.sip.addresses import Home
from opencpm.domain.address import Address
from opencpm.domain.subscriber import Subscriber
from opencpm.protocols.sip.response import Refusal

HOME = Home("cpm.test", frozenset({"cpm.test", "127.0.0.1", "[::1]"}))


@pytest.mark.parametrize(
    ("uri", "address"),
    [
        ("sip:alice@cpm.test", "sip:alice@cpm.test"),
        ("sips:alice@127.0.0.1:5061;transport=tls", "sip:alice@cpm.test"),
        ("sip:alice@[::1]", "sip:alice@cpm.test"),
        ("sip:alice@elsewhere.example", "sip:alice@elsewhere.example"),
        ("tel:+1-202-555-0100", "tel:+12025550100"),
        ("sip:+12025550100@cpm.test;user=phone", "tel:+12025550100"),
        ("sip:2025550100@cpm.test;user=phone", "tel:2025550100"),
        ("sip:2025550100@cpm.test", "sip:2025550100@cpm.test"),
        ("sip:2025550100@elsewhere.example;user=phone", "sip:2025550100@elsewhere.example"),
        ("sip:alice@cpm.test;user=phone", "sip:alice@cpm.test"),
        ("sip:cpm.test;user=phone", "sip:cpm.test"),
        ("sip:bob%40msn.test@cpm.test", "im:bob@msn.test"),
        ("sip:alice@cpm.test;gr=urn:uuid:1", "sip:alice@cpm.test"),
    ],
)
def test_reading(uri, address):
    assert str(HOME.address(uri)) == address


@pytest.mark.parametrize(("uri", "status"), [("mailto:a@b", 416), ("sip:", 400), ("tel:x", 400)])
def test_what_cannot_be_read_is_refused(uri, status):
    with pytest.raises(Refusal) as refusal:
        HOME.address(uri)
    assert refusal.value.status == status


@pytest.mark.parametrize(
    ("address", "plain", "rcs"),
    [
        (Address("sip", "alice@cpm.test"), "sip:alice@cpm.test", "sip:alice@cpm.test"),
        (Address("tel", "+12025550100"), "sip:+12025550100@cpm.test;user=phone", "tel:+12025550100"),
        (Address("tel", "*123#"), "sip:*123%23@cpm.test;user=phone", "tel:*123#"),
        (Address("msn", "bob@msn.test"), "sip:bob%40msn.test@cpm.test", "sip:bob%40msn.test@cpm.test"),
        (Address("cpm", "server"), "sip:service@cpm.test", "sip:service@cpm.test"),
        (Address("alpha", "My Bank"), "sip:My%20Bank@cpm.test", "sip:My%20Bank@cpm.test"),
    ],
)
def test_writing(address, plain, rcs):
    assert (HOME.uri(address), HOME.uri(address, tel=True)) == (plain, rcs)


def test_a_foreign_identity_comes_back_as_itself():
    assert str(HOME.address(HOME.uri(Address("msn", "b+o;b@msn.test")))) == "im:b+o;b@msn.test"


def test_asserted_identities():
    sip, tel = Address("sip", "alice@cpm.test"), Address("tel", "+12025550100")
    alice = Subscriber(id="alice", name="Alice", addresses=(tel, sip))
    assert HOME.asserted(tel, alice, tel=True) == "<sip:alice@cpm.test>, <tel:+12025550100>"
    assert HOME.asserted(sip, alice, tel=False) == "<sip:alice@cpm.test>"
    assert HOME.asserted(tel, None, tel=True) == "<tel:+12025550100>"
